import type Stripe from 'stripe'
import { gap, invalid } from '../errors.ts'
import { eventNames } from '../http/client-operations/event-names.ts'
import { page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { bool, clearable, type Kind, list, metadata, oneOf, required, shape, text } from '../http/schema.ts'
import type { WebhookEndpointRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import { versionOf } from '../versions/versions.ts'
import type { World } from '../world.ts'
import { findAs } from './lookup.ts'

const URL = '/v1/webhook_endpoints'

/** `*`, or the whole name of an event: endpoints know no patterns. */
const eventName = oneOf([...eventNames.trim().split('\n'), '*'])

const enabledEvents: Kind<string[]> = {
  parse(raw, path) {
    const events = list(eventName).parse(raw, path)
    if (events.length === 0) throw invalid(`Missing required param: ${path}.`, path, 'parameter_missing')
    return events
  },
}

/** Of connected accounts, of which there are none. */
const connect: Kind<boolean> = {
  parse(raw, path) {
    if (bool.parse(raw, path)) throw gap(`${path}=true`, path)
    return false
  },
}

export const webhookEndpointRoutes = [
  post(
    URL,
    shape({
      url: required(text()),
      enabled_events: required(enabledEvents),
      api_version: text(),
      description: clearable(text()),
      metadata,
      connect,
    }),
    ({ world, params }) => {
      if (params.api_version !== undefined) versionOf(params.api_version, 'api_version')
      const endpoint = createEndpoint(world, params)
      // The one answer that shows the secret.
      return { ...world.render(endpoint), secret: endpoint.own.secret }
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(endpointAt(world, path()))),
  post(
    `${URL}/:id`,
    shape({
      url: text(),
      enabled_events: enabledEvents,
      description: clearable(text()),
      metadata,
      disabled: bool,
    }),
    ({ world, params, path }) => {
      const endpoint = endpointAt(world, path())
      const { disabled, metadata: labels, ...changes } = params
      checkUrl(changes.url)
      return world.render(
        world.webhookEndpoints.patch(endpoint.id, {
          ...defined(changes),
          metadata: mergeMetadata(endpoint.metadata, labels),
          ...(disabled === undefined ? {} : { status: disabled ? 'disabled' : 'enabled' }),
        } as Partial<WebhookEndpointRow>),
      )
    },
  ),
  get(URL, shape(paging), ({ world, params }) =>
    page(world.webhookEndpoints, params, {
      noun: 'webhook endpoint',
      url: URL,
      where: null,
      render: (row) => world.render(row),
    }),
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const endpoint = endpointAt(world, path())
    world.webhookEndpoints.delete(endpoint.id)
    return { id: endpoint.id, object: 'webhook_endpoint', deleted: true }
  }),
]

export function createEndpoint(
  world: World,
  given: {
    url: string
    enabled_events: string[]
    api_version?: string | undefined
    description?: string | null | undefined
    metadata?: Record<string, string> | null | undefined
    secret?: string
  },
): WebhookEndpointRow {
  checkUrl(given.url)
  if (world.webhookEndpoints.size >= 16)
    throw invalid('You have reached the maximum of 16 test webhook endpoints.')
  return world.webhookEndpoints.insert({
    id: world.ids.next('we'),
    object: 'webhook_endpoint',
    api_version: given.api_version ?? null,
    application: null,
    created: world.now(null),
    description: given.description ?? null,
    enabled_events: given.enabled_events,
    livemode: false,
    metadata: mergeMetadata({}, given.metadata),
    status: 'enabled',
    url: given.url,
    own: { secret: given.secret ?? `whsec_${world.ids.secret(32)}` },
  })
}

function endpointAt(world: World, id: string): WebhookEndpointRow {
  return findAs('webhook_endpoint', world.webhookEndpoints, 'webhook endpoint', id)
}

function checkUrl(url: string | undefined): void {
  if (url === undefined || /^https?:\/\/[^/]/.test(url)) return
  throw invalid('Invalid URL: An explicit scheme (such as https) must be provided.', 'url', 'url_invalid')
}

export function renderWebhookEndpoint(
  _world: World,
  { own: _own, ...endpoint }: WebhookEndpointRow,
): Shown<Stripe.WebhookEndpoint> {
  return endpoint
}
