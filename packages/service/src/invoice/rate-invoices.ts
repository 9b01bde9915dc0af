import { isBilledByProvider } from '@lockstep/core/price'
import { type PriceOverride, withOwnPrices } from '@lockstep/core/price-override'
import type { Db, Trx } from '../postgres/connect.ts'
import { adjustmentsOf } from '../store/adjustments.ts'
import { couponLimits } from '../store/coupon-limits.ts'
import { type ItemRow, itemsOf } from '../store/invoice-items.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { overridesOf } from '../store/price-overrides.ts'
import { type RatingTerms, readTerms } from '../store/rating-terms.ts'
import { numbersAtEnd } from '../store/subscription-history.ts'
import { usageTotals } from '../store/usage.ts'
import type { AddedUp } from './add-up.ts'
import { type LineToBill, linesToBill, periodOf, type RatedSubscription, type RatingInput } from './rate.ts'
import { groupsOf } from './rate-groups.ts'

export interface Rated {
  readonly lines: readonly LineToBill[]
  /** What they were rated from, by invoice. */
  readonly inputs: ReadonlyMap<string, RatingInput>
  /** Every item of these invoices' lines, whatever became of it. */
  readonly items: readonly ItemRow[]
  /** By plan version. */
  readonly terms: ReadonlyMap<string, RatingTerms>
}

export interface RatingOptions {
  /** An override that nobody has made yet: what it would make of them. */
  readonly tried?: PriceOverride
  /** Holds at this moment. */
  readonly addedUp?: AddedUp | undefined
}

/**
 * Rates some invoices of one customer from the usage of this moment. The number of queries depends on
 * the number of invoices, never on the number of events. Of a period that is over it are the numbers of its
 * end that count, whatever the subscription's is by now: its share was of that fee.
 */
export async function rateInvoices(
  db: Db | Trx,
  invoices: readonly InvoiceRow[],
  subscriptionOf: (invoice: InvoiceRow) => RatedSubscription,
  { tried, addedUp }: RatingOptions = {},
): Promise<Rated> {
  const ids = invoices.map(({ id }) => id)
  const over = invoices.filter(({ status }) => status !== 'current').map(({ id }) => id)
  const subscriptionIds = invoices.flatMap(({ subscriptionId }) => subscriptionId ?? [])
  const [terms, overrides, items, adjustments, numbers, ...usages] = await together(db, [
    () => readTerms(db, invoices.map(planVersionOf)),
    () => overridesOf(db, subscriptionIds),
    () => itemsOf(db, ids),
    () => adjustmentsOf(db, ids),
    () => numbersAtEnd(db, over),
    ...invoices.map((invoice) => () => usageTotals(db, invoice.customerId, periodOf(invoice))),
  ])
  const ungrouped = invoices.map((invoice, i): RatingInput => {
    const of = terms.get(planVersionOf(invoice))
    const usage = usages[i]
    if (!of || !usage) throw new Error(`${invoice.id} cannot be rated.`)
    const subscription = subscriptionOf(invoice)
    const own = overrides.filter(({ subscriptionId }) => subscriptionId === invoice.subscriptionId)
    const prices = withOwnPrices(
      of.plan.prices,
      tried ? [...own, tried] : own,
      invoice.pricesAt ?? invoice.periodStart,
    )
    return {
      invoice,
      terms: { ...of, plan: { ...of.plan, prices } },
      subscription: { ...subscription, ...numbers.get(invoice.id) },
      usage,
      groups: new Map(),
      adjustments: adjustments.filter(({ invoiceId }) => invoiceId === invoice.id),
      items: items.filter(({ originInvoiceId }) => originInvoiceId === invoice.id),
      limits: new Map(),
    }
  })
  const limits = await couponLimits(db, [...new Set(ungrouped.flatMap(limitedOn))])
  const groups = await together(
    db,
    ungrouped.map((input) => () => groupsOf(db, input, addedUp)),
  )
  const inputs = ungrouped.map((input, i) => ({ ...input, limits, groups: groups[i] ?? input.groups }))
  return {
    lines: inputs.flatMap(linesToBill),
    inputs: new Map(inputs.map((input) => [input.invoice.id, input])),
    items,
    terms,
  }
}

/** The invoices of the provider's whose coupons matter: none of a period of which nothing is billed, or of one product. */
function limitedOn({ items, terms }: RatingInput): string[] {
  const products = terms.plan.prices
    .filter((price) => !isBilledByProvider(price))
    .map(({ product }) => product)
  if (new Set(products).size < 2) return []
  return items.flatMap(({ state, providerInvoiceId }) =>
    state === 'billed' && providerInvoiceId !== null ? [providerInvoiceId] : [],
  )
}

function planVersionOf({ id, planVersionId }: InvoiceRow): string {
  if (planVersionId === null) throw new Error(`${id} is the provider's own and is not rated.`)
  return planVersionId
}

type Queries = readonly (() => Promise<unknown>)[]
type Answers<Q extends Queries> = { -readonly [I in keyof Q]: Awaited<ReturnType<Q[I]>> }

/** At the same time through a pool; one after the other in a transaction, which is one connection. */
async function together<const Q extends Queries>(db: Db | Trx, queries: Q): Promise<Answers<Q>> {
  const answers: unknown[] = []
  if (db.isTransaction) for (const query of queries) answers.push(await query())
  else answers.push(...(await Promise.all(queries.map((query) => query()))))
  return answers as Answers<Q>
}
