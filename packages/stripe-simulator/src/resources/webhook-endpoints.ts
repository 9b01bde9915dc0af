import type Stripe from 'stripe'
import { invalid } from '../errors.ts'
import { page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { bool, clearable, gaps, type Kind, list, metadata, required, shape, text } from '../http/schema.ts'
import type { WebhookEndpointRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import { versionOf } from '../versions/versions.ts'
import type { World } from '../world.ts'
import { find } from './lookup.ts'

const URL = '/v1/webhook_endpoints'

/** `*`, or the whole name of an event: endpoints know no patterns. */
const eventName: Kind<string> = {
  parse(raw, path) {
    const name = text().parse(raw, path)
    if (name === '*' || /^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(name)) return name
    throw invalid(`Invalid ${path}: must be one of * or the name of an event.`, path)
  },
}

export const webhookEndpointRoutes = [
  post(
    URL,
    shape({
      url: required(text()),
      enabled_events: required(list(eventName)),
      api_version: text(),
      description: clearable(text()),
      metadata,
      ...gaps('connect'),
    }),
    ({ world, params }) => {
      if (params.api_version !== undefined) versionOf(params.api_version, 'api_version')
      const endpoint = createEndpoint(world, params)
      // The one answer that shows the secret.
      return { ...world.render(endpoint), secret: endpoint.own.secret }
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.webhookEndpoints, 'webhook endpoint', path())),
  ),
  post(
    `${URL}/:id`,
    shape({
      url: text(),
      enabled_events: list(eventName),
      description: clearable(text()),
      metadata,
      disabled: bool,
    }),
    ({ world, params, path }) => {
      const endpoint = find(world.webhookEndpoints, 'webhook endpoint', path())
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
    const endpoint = find(world.webhookEndpoints, 'webhook endpoint', path())
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
