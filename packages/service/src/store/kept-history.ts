import type { AttachedAddon } from '@lockstep/core/addon'
import { byName } from '@lockstep/core/addon'
import type { AgreedTerms, KeptStretch, SoldTerms } from '@lockstep/core/billed-history'
import type { Instant } from '@lockstep/core/instant'
import type { ItemNumbers } from '@lockstep/core/item-numbers'
import { addonRevenue, recurringRevenue } from '@lockstep/core/recurring-revenue'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { loadAttached, soldOf } from './addons.ts'
import { loadPlanVersion } from './plans.ts'
import type { Row } from './schema.ts'

/** What a subscription cost, and what was agreed on, from when to when; each in order of time. */
export interface Past {
  readonly stretches: readonly (KeptStretch & Pick<Row<'subscriptionHistory'>, 'currency'>)[]
  readonly agreed: readonly AgreedTerms[]
}

/** The pasts of these subscriptions, by id. One without any history is left out. */
export async function pastsOf(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, Past>> {
  if (subscriptionIds.length === 0) return new Map()
  const [stretches, agreed] = await Promise.all([
    db
      .selectFrom('subscriptionHistory')
      .selectAll()
      .where(isOneOf('subscription_id', subscriptionIds))
      .orderBy('subscriptionId')
      .orderBy('ordinal')
      .execute(),
    agreedOn(db, subscriptionIds),
  ])
  const pasts = new Map<string, { stretches: Past['stretches'][number][]; agreed: AgreedTerms[] }>()
  for (const stretch of stretches) {
    const past = pasts.get(stretch.subscriptionId) ?? { stretches: [], agreed: [] }
    past.stretches.push(stretch)
    pasts.set(stretch.subscriptionId, past)
  }
  for (const { subscriptionId, ...terms } of agreed) pasts.get(subscriptionId)?.agreed.push(terms)
  return pasts
}

interface AgreedRow {
  readonly subscriptionId: string
  readonly contractId: string
  readonly from: Instant
  readonly planVersionId: string
  readonly quantity: number
  readonly addons:
    | readonly { readonly key: string; readonly version: number; readonly quantity: number }[]
    | null
  readonly itemNumbers: ItemNumbers | null
}

async function agreedOn(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<(AgreedTerms & { readonly subscriptionId: string })[]> {
  const { rows } = await sql<AgreedRow>`
    select subscription_id, id as contract_id, concluded_at as "from", plan_version_id,
      (agreement ->> 'quantity')::integer as quantity, agreement -> 'addons' as addons,
      agreement -> 'itemNumbers' as item_numbers
    from contract cross join lateral (select document::jsonb -> 'agreement' as agreement) as its
    where ${isOneOf('subscription_id', subscriptionIds)} order by subscription_id, sequence`.execute(db)
  return rows.map(({ addons, itemNumbers, ...row }) => ({
    ...row,
    itemNumbers: itemNumbers ?? {},
    addons: (addons ?? [])
      .map(({ key: addon, version, quantity }): AttachedAddon => ({ addon, version, quantity }))
      .sort(byName),
  }))
}

/** What one interval of these terms costs, in minor units, before discounts and tax. */
export async function feeOfTerms(
  db: Db | Trx,
  { planVersionId, quantity, itemNumbers, addons }: SoldTerms,
): Promise<bigint> {
  const { plan } = await loadPlanVersion(db, planVersionId)
  const attached = (await loadAttached(db, addons)).map(soldOf)
  return (
    recurringRevenue(plan, quantity, itemNumbers).minor +
    addonRevenue(attached, plan.currency, itemNumbers).minor
  )
}

/** Writes what a stretch is for again; from when to when, and how it stood, stay as they are. */
export async function rewriteTerms(
  trx: Trx,
  { subscriptionId, ordinal }: { readonly subscriptionId: string; readonly ordinal: number },
  terms: SoldTerms,
): Promise<void> {
  const { planVersionId, quantity, addons, itemNumbers } = terms
  const { plan } = await loadPlanVersion(trx, planVersionId)
  await trx
    .updateTable('subscriptionHistory')
    .set({
      ...{ planVersionId, quantity, currency: plan.currency, fee: await feeOfTerms(trx, terms) },
      ...{ addons: JSON.stringify(addons), itemNumbers: JSON.stringify(itemNumbers) },
    })
    .where('subscriptionId', '=', subscriptionId)
    .where('ordinal', '=', ordinal)
    .execute()
}
