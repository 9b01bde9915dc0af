import { invalid } from '../errors.ts'
import { page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { oneOf, required, shape, text } from '../http/schema.ts'
import type { MeterRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import type { World } from '../world.ts'
import { find } from './lookup.ts'

const URL = '/v1/billing/meters'

/**
 * What is counted, and how. "After you configure the meter, you can't make any changes aside from the display
 * name." https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure
 */
export const meterRoutes = [
  post(
    URL,
    shape({
      display_name: required(text(250)),
      event_name: required(text(100)),
      default_aggregation: required(shape({ formula: required(oneOf(['count', 'last', 'sum'] as const)) })),
      customer_mapping: shape({
        event_payload_key: required(text(100)),
        type: required(oneOf(['by_id'] as const)),
      }),
      event_time_window: oneOf(['day', 'hour'] as const),
      value_settings: shape({ event_payload_key: required(text(100)) }),
    }),
    ({ world, params }) => {
      refuseTaken(world, params.event_name)
      const now = world.now(null)
      const meter = world.meters.insert({
        id: world.ids.next('mtr_test'),
        object: 'billing.meter',
        created: now,
        customer_mapping: params.customer_mapping ?? {
          event_payload_key: 'stripe_customer_id',
          type: 'by_id',
        },
        default_aggregation: params.default_aggregation,
        display_name: params.display_name,
        event_name: params.event_name,
        event_time_window: params.event_time_window ?? null,
        livemode: false,
        status: 'active',
        status_transitions: { deactivated_at: null },
        updated: now,
        value_settings: params.value_settings ?? { event_payload_key: 'value' },
        own: {},
      })
      world.emit('billing.meter.created', meter)
      return world.render(meter)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(findMeter(world, path()))),
  post(`${URL}/:id`, shape({ display_name: text(250) }), ({ world, params, path }) =>
    change(world, findMeter(world, path()), 'updated', defined(params) as Partial<MeterRow>),
  ),
  post(`${URL}/:id/deactivate`, nothing, ({ world, path }) => {
    const meter = findMeter(world, path())
    if (meter.status === 'inactive') throw invalid('The meter is already inactive.')
    return change(world, meter, 'deactivated', {
      status: 'inactive',
      status_transitions: { deactivated_at: world.now(null) },
    })
  }),
  post(`${URL}/:id/reactivate`, nothing, ({ world, path }) => {
    const meter = findMeter(world, path())
    if (meter.status === 'active') throw invalid('The meter is already active.')
    refuseTaken(world, meter.event_name)
    return change(world, meter, 'reactivated', {
      status: 'active',
      status_transitions: { deactivated_at: null },
    })
  }),
  get(URL, shape({ ...paging, status: oneOf(['active', 'inactive'] as const) }), ({ world, params }) =>
    page(world.meters, params, {
      noun: 'billing meter',
      url: URL,
      where: null,
      matches: (row) => params.status === undefined || row.status === params.status,
      render: (row) => world.render(row),
    }),
  ),
]

export function findMeter(world: World, id: string, param?: string): MeterRow {
  return find(world.meters, 'billing meter', id, param)
}

/** "You can only use an event name with a single meter": with a single active one. */
function refuseTaken(world: World, eventName: string): void {
  const holder = activeMeter(world, eventName)
  if (holder === undefined) return
  throw invalid(`There is already an active meter with the event name \`${eventName}\`.`, 'event_name')
}

/** The meter that takes events of a name: at most one is active. */
export function activeMeter(world: World, eventName: string): MeterRow | undefined {
  return world.meters.by('event_name', eventName).find((meter) => meter.status === 'active')
}

function change(world: World, meter: MeterRow, what: string, changes: Partial<MeterRow>) {
  const next = world.meters.patch(meter.id, { ...changes, updated: world.now(null) })
  world.emit(`billing.meter.${what}`, next)
  return world.render(next)
}
