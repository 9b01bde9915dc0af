import { type AgreedTerms, agreedFor, type KeptStretch } from '@lockstep/core/billed-history'
import { addonRevenue, recurringRevenue } from '@lockstep/core/recurring-revenue'
import { transaction } from '../../postgres/transaction.ts'
import { loadAttached, soldOf } from '../../store/addons.ts'
import { historyPages } from '../../store/drift.ts'
import { feeOfTerms, pastsOf, rewriteTerms } from '../../store/kept-history.ts'
import { loadPlanVersions } from '../../store/plans.ts'
import { lockSubscription } from '../../store/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import type { Drift } from './drift.ts'

/**
 * What subscriptions cost in each stretch of their history, held against what its plan, its numbers and its add-ons bring: a version
 * that is sold never changes, so that the fee follows from them. `billed`: stretches of which the provider's invoices say
 * more, and that are told as that.
 */
export async function compareHistory(
  { db }: Pick<LookDeps, 'db'>,
  billed: readonly Drift[],
): Promise<Drift[]> {
  const fees: Drift[] = []
  for await (const stretches of historyPages(db)) {
    const ids = [...new Set(stretches.map(({ planVersionId }) => planVersionId))]
    const plans = new Map((await loadPlanVersions(db, ids)).map((version) => [version.id, version.plan]))
    const attached = await loadAttached(
      db,
      stretches.flatMap(({ addons }) => addons),
    )
    const altered = stretches.flatMap((stretch) => {
      const { planVersionId, quantity, itemNumbers, currency, addons } = stretch
      const plan = plans.get(planVersionId)
      if (!plan) throw new Error(`There is no plan version ${planVersionId}.`)
      const its = attached.splice(0, addons.length).map(soldOf)
      const fee =
        recurringRevenue(plan, quantity, itemNumbers).minor + addonRevenue(its, currency, itemNumbers).minor
      return fee === stretch.fee ? [] : [{ stretch, plan, fee }]
    })
    const pasts = await pastsOf(db, [...new Set(altered.map(({ stretch }) => stretch.subscriptionId))])
    for (const { stretch, plan, fee } of altered) {
      const { subscriptionId, ordinal } = stretch
      const contract = agreedFor(stretch, pasts.get(subscriptionId)?.agreed)
      fees.push({
        ...{ entity: 'history', kind: 'differs', entityId: subscriptionId, providerId: null },
        differences: [{ field: `fee of stretch ${ordinal}`, here: `${stretch.fee}`, there: `${fee}` }],
        ...verdictOf(stretch, plan.key, contract),
      })
    }
  }
  return onceEach([...billed, ...fees])
}

function verdictOf(
  { ordinal }: Pick<KeptStretch, 'ordinal'>,
  plan: string,
  contract: AgreedTerms | null,
): Pick<Drift, 'cause' | 'repair' | 'reason'> {
  const costs = `In stretch ${ordinal} of its history it costs something else than ${plan}, its numbers and its add-ons bring`
  return contract
    ? {
        ...{ cause: 'changedHere', repair: 'look' },
        reason: `${costs}, which are those of ${contract.contractId}: the fee was written by other hands.`,
      }
    : {
        ...{ cause: 'unexplained', repair: null },
        reason: `${costs}, and no contract of that time is for them: see the provider's invoices.`,
      }
}

/** What is agreed on of a stretch says what that cost: nothing else of it is changed. */
export async function restoreFees({ db, log }: LookDeps, subscriptionId: string): Promise<void> {
  await transaction(db, async (trx) => {
    await lockSubscription(trx, subscriptionId)
    const past = (await pastsOf(trx, [subscriptionId])).get(subscriptionId)
    for (const stretch of past?.stretches ?? []) {
      if (!agreedFor(stretch, past?.agreed) || (await feeOfTerms(trx, stretch)) === stretch.fee) continue
      const { ordinal } = stretch
      await rewriteTerms(trx, { subscriptionId, ordinal }, stretch)
      log.warn({ subscriptionId, ordinal }, 'The fee of a stretch of a history was written again.')
    }
  })
}

/** Which stretch of a history: the last word of what differs says it. */
const ordinalOf = ({ differences }: Drift): number => Number(differences[0]?.field.split(' ').at(-1))

/**
 * Several invoices may say something of one stretch, and its fee too: the first that can be repaired is told, and otherwise the
 * first. In the order of the stretches.
 */
function onceEach(drifts: readonly Drift[]): Drift[] {
  const told = new Map<string, Drift>()
  for (const drift of drifts) {
    const name = `${drift.entityId} ${ordinalOf(drift)}`
    const known = told.get(name)
    if (!known || (known.repair === null && drift.repair !== null)) told.set(name, drift)
  }
  return [...told.values()].sort(
    (a, b) => (a.entityId ?? '').localeCompare(b.entityId ?? '') || ordinalOf(a) - ordinalOf(b),
  )
}
