import type { Instant } from '@lockstep/core/instant'
import type { OutgoingEventType } from '@lockstep/core/outgoing-event'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { type Page, type PageQuery, pageOf } from './page.ts'
import type { SealedSecret } from './schema/outbox.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type WebhookEndpoint = Row<'webhookEndpoint'>

export function readEndpoint(db: Db | Trx, id: string): Promise<WebhookEndpoint | undefined> {
  return db.selectFrom('webhookEndpoint').selectAll().where('id', '=', id).executeTakeFirst()
}

export function listEndpoints(db: Db, { limit, after }: PageQuery): Promise<Page<WebhookEndpoint>> {
  return pageOf(limit, (fetched) =>
    db
      .selectFrom('webhookEndpoint')
      .selectAll()
      .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
      .orderBy('id', 'desc')
      .limit(fetched)
      .execute(),
  )
}

export interface NewEndpoint {
  readonly id: string
  readonly url: string
  readonly description: string | null
  readonly types: readonly OutgoingEventType[] | null
  readonly secret: string
  readonly at: Instant
}

/** Adds an endpoint, or gives the one of this id another secret: of the first nobody has heard. */
export function addEndpoint(
  db: Db,
  { secret, types, at, ...endpoint }: NewEndpoint,
): Promise<WebhookEndpoint> {
  const secrets = secretsJson([{ sealed: secret, until: null }])
  return db
    .insertInto('webhookEndpoint')
    .values({
      ...endpoint,
      types: types && [...types],
      secrets,
      disabledBecause: null,
      createdAt: sqlTime(at),
    })
    .onConflict((on) => on.column('id').doUpdateSet({ secrets }))
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Absent stays as it is. */
export interface EndpointChange {
  readonly url?: string | undefined
  readonly description?: string | null | undefined
  readonly types?: readonly OutgoingEventType[] | null | undefined
  readonly enabled?: boolean | undefined
}

/** Enabled again, it begins anew: what it failed before is forgotten. */
export function changeEndpoint(
  trx: Trx,
  id: string,
  { enabled, types, url, description }: EndpointChange,
  at: Instant,
): Promise<WebhookEndpoint> {
  return trx
    .updateTable('webhookEndpoint')
    .set({
      id,
      ...(url !== undefined && { url }),
      ...(description !== undefined && { description }),
      ...(types !== undefined && { types: types && [...types] }),
      ...(enabled === true && {
        state: 'enabled',
        disabledAt: null,
        disabledBecause: null,
        failingSince: null,
      }),
      ...(enabled === false && {
        state: 'disabled',
        disabledAt: sql<Date>`coalesce(disabled_at, ${sqlTime(at)})`,
        disabledBecause: sql<'asked'>`coalesce(disabled_because, 'asked')`,
      }),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function replaceSecrets(
  trx: Trx,
  id: string,
  secrets: readonly SealedSecret[],
): Promise<WebhookEndpoint> {
  return trx
    .updateTable('webhookEndpoint')
    .set({ secrets: secretsJson(secrets) })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function lockEndpoint(trx: Trx, id: string): Promise<WebhookEndpoint | undefined> {
  return trx.selectFrom('webhookEndpoint').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** What waits for it, and the log of what was sent, go with it. */
export function deleteEndpoint(db: Db, id: string): Promise<WebhookEndpoint | undefined> {
  return db.deleteFrom('webhookEndpoint').where('id', '=', id).returningAll().executeTakeFirst()
}

const secretsJson = (secrets: readonly SealedSecret[]) => JSON.stringify(secrets)
