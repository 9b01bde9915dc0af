import { scopesToTell } from '@lockstep/api/told-scopes'
import * as api from '@lockstep/api/webhook-endpoints'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import type { OutgoingEventType } from '@lockstep/core/outgoing-event'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import { newGuard } from '../../outbox/addresses.ts'
import { checkUrl } from '../../outbox/check-url.ts'
import { newWebhookSecret, rotated, sealSecret } from '../../outbox/secrets.ts'
import type { Db } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import type { Provider } from '../../provider/stripe/account.ts'
import { countReplay, replay } from '../../store/replays.ts'
import {
  addEndpoint,
  changeEndpoint,
  deleteEndpoint,
  listEndpoints,
  lockEndpoint,
  readEndpoint,
  replaceSecrets,
  type WebhookEndpoint,
} from '../../store/webhook-endpoints.ts'
import { type Caller, requireScopes } from '../caller.ts'
import { readInstantIfGiven } from '../read-instant.ts'
import { type App, route } from '../route.ts'

interface WebhookEndpointParts {
  readonly config: Pick<Config, 'secrets' | 'webhookNetworks'>
  readonly db: Db
  readonly clock: Clock
  readonly provider: Pick<Provider, 'livemode'>
}

const SECONDS_PER_HOUR = 3600

/** Where the application is told what happened: made, changed, rotated, replayed to, deleted. */
export function webhookEndpointRoutes(app: App, parts: WebhookEndpointParts): void {
  const { config, db, clock, provider } = parts
  const policy = { guard: newGuard(config.webhookNetworks), livemode: provider.livemode }

  route(
    app,
    api.createWebhookEndpoint,
  )(async ({ body, caller, operation }) => {
    const { url, description = null, types = null } = body
    requireToTell(caller, types)
    checkUrl(policy, url)
    // Named after the operation: a repetition after a crash makes no second one.
    const id = operation.replace(/^operation/, 'webhook_endpoint')
    const secret = newWebhookSecret()
    const sealed = sealSecret(secret, config.secrets, id)
    const endpoint = await addEndpoint(db, { id, url, description, types, secret: sealed, at: clock.now() })
    return { status: 201, body: { ...endpointToApi(endpoint, clock.now()), secret } }
  })

  route(
    app,
    api.listWebhookEndpoints,
  )(async ({ query }) => {
    const page = await listEndpoints(db, query)
    return { status: 200, body: { ...page, data: page.data.map((row) => endpointToApi(row, clock.now())) } }
  })

  route(
    app,
    api.readWebhookEndpoint,
  )(async ({ params }) => ({
    status: 200,
    body: endpointToApi((await readEndpoint(db, params.id)) ?? unknown(params.id), clock.now()),
  }))

  route(
    app,
    api.updateWebhookEndpoint,
  )(async ({ params: { id }, body, caller }) => {
    if (body.url !== undefined) checkUrl(policy, body.url)
    const endpoint = await transaction(db, async (trx) => {
      const { types } = (await lockEndpoint(trx, id)) ?? unknown(id)
      const isTold = body.url !== undefined || body.types !== undefined || body.enabled === true
      if (isTold) requireToTell(caller, body.types === undefined ? types : body.types)
      return changeEndpoint(trx, id, body, clock.now())
    })
    return { status: 200, body: endpointToApi(endpoint, clock.now()) }
  })

  route(
    app,
    api.deleteWebhookEndpoint,
  )(async ({ params }) => ({
    status: 200,
    body: endpointToApi((await deleteEndpoint(db, params.id)) ?? unknown(params.id), clock.now()),
  }))

  route(
    app,
    api.rotateWebhookSecret,
  )(async ({ params: { id }, body, caller }) => {
    const secret = newWebhookSecret()
    const at = clock.now()
    const endpoint = await transaction(db, async (trx) => {
      const { secrets, types } = (await lockEndpoint(trx, id)) ?? unknown(id)
      requireToTell(caller, types)
      const sealed = sealSecret(secret, config.secrets, id)
      return replaceSecrets(trx, id, rotated(secrets, sealed, at, body.overlapHours * SECONDS_PER_HOUR))
    })
    return { status: 200, body: { ...endpointToApi(endpoint, at), secret } }
  })

  route(
    app,
    api.replayEvents,
  )(async ({ params: { id }, body: { since, until, dryRun, ...named }, caller }) => {
    const time = { since: readInstantIfGiven(since), until: readInstantIfGiven(until) }
    const count = await transaction(db, async (trx) => {
      const { types: wanted } = (await lockEndpoint(trx, id)) ?? unknown(id)
      requireToTell(caller, wanted)
      const wish = { endpointId: id, wanted, ...named, ...time }
      const counted = await countReplay(trx, wish)
      if (!dryRun) await replay(trx, wish, clock.now())
      return counted
    })
    return { status: 200, body: { ...count, dryRun } }
  })
}

/** Whoever says where these events go, or holds what signs them, has to be able to read what they carry. */
function requireToTell(caller: Caller, types: readonly string[] | null): void {
  const needed = scopesToTell(types as readonly OutgoingEventType[] | null)
  requireScopes(caller, needed, 'Having these events sent somewhere takes a key that may also read them')
}

function unknown(id: string): never {
  throw new Problem('webhook_endpoint_not_found', `There is no webhook endpoint ${id}.`)
}

function endpointToApi(endpoint: WebhookEndpoint, now: Instant) {
  const { id, url, description, types, state, disabledBecause, secrets } = endpoint
  const former = secrets.map(({ until }) => until ?? 0).filter((until) => until > now)
  return {
    id,
    url,
    description,
    types: types as OutgoingEventType[] | null,
    state,
    disabledBecause,
    disabledAt: maybe(endpoint.disabledAt),
    failingSince: maybe(endpoint.failingSince),
    formerSecretsUntil: former.length === 0 ? null : formatInstant(Math.max(...former)),
    createdAt: formatInstant(endpoint.createdAt),
  }
}

const maybe = (at: Instant | null) => (at === null ? null : formatInstant(at))
