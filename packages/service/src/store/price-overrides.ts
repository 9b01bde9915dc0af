import { priceFromJson, priceToJson } from '@lockstep/core/price'
import type { PriceOverride } from '@lockstep/core/price-override'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** An override with its record: whose it is, who made it and why. */
export interface PriceOverrideRecord
  extends PriceOverride,
    Pick<
      Row<'priceOverride'>,
      | 'customerId'
      | 'subscriptionId'
      | 'firstPeriod'
      | 'expectedAt'
      | 'reason'
      | 'madeBy'
      | 'agent'
      | 'madeAt'
    > {}

const ofSubscriptions = compiled((db, { subscriptionIds }: { readonly subscriptionIds: readonly string[] }) =>
  db
    .selectFrom('priceOverride')
    .selectAll()
    .where(isOneOf('subscription_id', subscriptionIds))
    .orderBy('sequence'),
)

/** Of these subscriptions, in the order in which they were made, whether or not they hold. */
export async function overridesOf(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<PriceOverrideRecord[]> {
  if (subscriptionIds.length === 0) return []
  return (await ofSubscriptions(db, { subscriptionIds })).map(recordOf)
}

/** The one made last first. */
export async function listOverrides(
  db: Db,
  filter: { readonly subscription: string; readonly limit: number; readonly after?: string | undefined },
): Promise<PriceOverrideRecord[]> {
  let query = db.selectFrom('priceOverride').selectAll().where('subscriptionId', '=', filter.subscription)
  const { after } = filter
  if (after !== undefined)
    query = query.where('sequence', '<', (eb) =>
      eb.selectFrom('priceOverride').select('sequence').where('id', '=', after),
    )
  return (await query.orderBy('sequence', 'desc').limit(filter.limit).execute()).map(recordOf)
}

export async function readOverrideRecord(db: Db | Trx, id: string): Promise<PriceOverrideRecord | undefined> {
  const row = await db.selectFrom('priceOverride').selectAll().where('id', '=', id).executeTakeFirst()
  return row && recordOf(row)
}

/** With the customer's gate closed, so that they are numbered in the order in which they are committed. */
export async function insertOverride(
  trx: Trx,
  { price, terms, startsAt, expectedAt, madeAt, ...record }: PriceOverrideRecord,
): Promise<void> {
  await trx
    .insertInto('priceOverride')
    .values({
      ...record,
      priceKey: price,
      definition: terms === null ? null : JSON.stringify(priceToJson(terms)),
      startsAt: sqlTime(startsAt),
      expectedAt: sqlTime(expectedAt),
      madeAt: sqlTime(madeAt),
    })
    .execute()
}

function recordOf({
  priceKey,
  definition,
  sequence: _sequence,
  ...row
}: Row<'priceOverride'>): PriceOverrideRecord {
  return { ...row, price: priceKey, terms: definition === null ? null : priceFromJson(definition) }
}
