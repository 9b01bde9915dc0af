import { invalid } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing } from '../http/route.ts'
import { bool, list, range, shape, text } from '../http/schema.ts'
import type { EventRow, Json } from '../rows.ts'
import type { World } from '../world.ts'
import { find } from './lookup.ts'

const URL = '/v1/events'
const KEPT_SECONDS = 30 * 86_400

export const eventRoutes = [
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(find(world.events, 'event', path()))),
  get(
    URL,
    shape({ ...paging, type: text(), types: list(text(), 20), created: range, delivery_success: bool }),
    ({ world, params }) => {
      const { type, types } = params
      if (type !== undefined && types !== undefined) {
        throw invalid('You may only specify one of these parameters: type, types.', 'type')
      }
      const wanted = types ?? (type === undefined ? undefined : [type])
      const oldest = world.now(null) - KEPT_SECONDS
      const plain = type !== undefined && !type.includes('*') ? type : undefined
      return page(world.events, params, {
        noun: 'notification',
        url: URL,
        where: plain === undefined ? null : { index: 'type', key: plain },
        matches: (row) =>
          (wanted === undefined || wanted.some((pattern) => matchesType(pattern, row.type))) &&
          // Simulated time may lie far from ours: only events of wall time grow too old.
          (row.own.clock !== null || row.created > oldest) &&
          inRange(row.created, params.created) &&
          (params.delivery_success === undefined || params.delivery_success === delivered(row)),
        render: (row) => world.render(row),
      })
    },
  ),
]

/** `*` stands for any text: `invoice.*`. */
export function matchesType(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true
  return pattern.endsWith('*') && type.startsWith(pattern.slice(0, -1))
}

function delivered(event: EventRow): boolean {
  return event.own.pending === 0 && !event.own.failed
}

/**
 * Events are rendered in the account's version when they are made, and never again: neither the version of
 * the request nor a later one of the account changes them. https://docs.stripe.com/api/events/list
 */
export function renderEvent(world: World, row: EventRow): Json {
  const { own, ...event } = row
  return { ...event, data: world.eventData(row, row.api_version), pending_webhooks: own.pending }
}
