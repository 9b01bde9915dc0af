import type { Period } from '@lockstep/core/period'
import type { UsageGroup } from '@lockstep/core/usage-group'
import type { Db, Trx } from '../postgres/connect.ts'
import { snapshot } from '../postgres/transaction.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { readTerms } from '../store/rating-terms.ts'
import { usageByGroup } from '../store/usage-groups.ts'
import { usageMark } from '../store/usage-mark.ts'
import { periodOf } from './rate.ts'
import { groupedQueries } from './rate-groups.ts'

/** Usage by group that was added up while the gate was open. */
export interface AddedUp {
  readonly customerId: string
  readonly periods: readonly Period[]
  /** Of which usage: {@link usageMark}. */
  readonly mark: string
  /** By the query that asks for it, as JSON. */
  readonly groups: ReadonlyMap<string, readonly UsageGroup[]>
}

/**
 * Adds up by group what some invoices of one customer will be rated from, before the gate is closed: of ten thousand
 * groups that is nearly all of the time that rating takes. Behind the gate {@link whatHolds} says whether it is still
 * so. Undefined where nothing is grouped: there rating asks for a few totals, and that is as quick as looking.
 */
export async function addUp(db: Db, invoices: readonly InvoiceRow[]): Promise<AddedUp | undefined> {
  const [first] = invoices
  if (!first) return undefined
  const versions = invoices.flatMap(({ planVersionId }) => planVersionId ?? [])
  const terms = await readTerms(db, versions)
  const queries = invoices.flatMap((invoice) => {
    const of = terms.get(invoice.planVersionId ?? '')
    return of ? groupedQueries(invoice, of).map(({ query }) => query) : []
  })
  if (queries.length === 0) return undefined
  const { customerId } = first
  const periods = invoices.map(periodOf)
  return snapshot(db, async (trx) => {
    const mark = await usageMark(trx, customerId, periods)
    const groups = new Map<string, readonly UsageGroup[]>()
    for (const query of queries) groups.set(JSON.stringify(query), await usageByGroup(trx, query))
    return { customerId, periods, mark, groups }
  })
}

/**
 * What was added up, if the same usage counts now; otherwise it has to be added up behind the gate. Part of a
 * transaction that closed it.
 */
export async function whatHolds(trx: Trx, addedUp: AddedUp | undefined): Promise<AddedUp | undefined> {
  if (!addedUp) return undefined
  const { customerId, periods, mark } = addedUp
  return (await usageMark(trx, customerId, periods)) === mark ? addedUp : undefined
}

/** All but what is of one meter, whose usage is being changed. */
export function except(addedUp: AddedUp | undefined, meterKey: string): AddedUp | undefined {
  if (!addedUp) return undefined
  const others = [...addedUp.groups].filter(([query]) => JSON.parse(query).meterKey !== meterKey)
  return { ...addedUp, groups: new Map(others) }
}
