import { toStripeUnits } from '../provider/stripe/amount.ts'
import type { SumTerms } from '../provider/stripe/to-sum-terms.ts'
import type { ItemRow } from '../store/invoice-items.ts'
import type { PendingItem } from '../store/pending-items.ts'
import type { CountedLine } from '../store/provider-usage.ts'
import { isDiscountable } from './discountable.ts'
import type { LineToBill } from './rate.ts'
import type { LineToSum } from './sums.ts'
import type { UpcomingFee } from './upcoming-fee.ts'

/** Everything that stands on an open invoice. */
export interface OnInvoice {
  /** What Lockstep rates. */
  readonly billed: readonly LineToBill[]
  /** Those of them that wait for the next invoice: the provider hears nothing of them. */
  readonly held: ReadonlySet<LineToBill>
  /** What is none of ours. */
  readonly pending: readonly PendingItem[]
  /** What the provider's own meters have counted. */
  readonly counted: readonly CountedLine[]
  readonly fees: readonly UpcomingFee[]
  readonly items: readonly ItemRow[]
  /** The provider's ids of our products, where it depends on them what is taken off. */
  readonly products: ReadonlyMap<string, string>
}

/**
 * The lines as the provider lists them: what is pending first, what was made last before the rest, then the subscription's
 * items, the newest first. https://docs.stripe.com/api/invoices/line_item
 */
export function linesToSum(
  { billed, held, pending, counted, fees, items, products }: OnInvoice,
  terms: SumTerms | undefined,
): LineToSum[] {
  const waiting = [
    ...pending.map((item) => ({ madeAt: item.content.madeAt, line: pendingToSum(item) })),
    ...billed
      .filter((line) => !held.has(line))
      .map((line) => ({
        // What is not sent yet is made after everything that is.
        madeAt: itemOf(line, items)?.madeAt ?? Number.POSITIVE_INFINITY,
        line: ownToSum(line, products),
      })),
  ]
  const sorted = waiting.sort((a, b) => (a.madeAt === b.madeAt ? 0 : b.madeAt > a.madeAt ? 1 : -1))
  const ofItems = [...countedToSum(counted, terms), ...feesToSum(fees, products, terms)]
  return [
    ...sorted.map(({ line }) => line),
    ...ofItems.sort((a, b) => b.place - a.place).map(({ line }) => line),
  ]
}

function ownToSum(toBill: LineToBill, products: OnInvoice['products']): LineToSum {
  const {
    line,
    left: { amount },
  } = toBill
  const isCredit = amount.minor < 0n
  return {
    amount: toStripeUnits(amount),
    discountable: isDiscountable(toBill),
    // A credit is sent without one.
    product: isCredit ? null : (products.get(line.product) ?? null),
    ...{ item: null, takenBefore: 0n, taxRates: [] },
  }
}

function pendingToSum({ id, content }: PendingItem): LineToSum {
  const amount = BigInt(content.amount)
  const net = content.net === null || content.isDiscountable ? amount : BigInt(content.net)
  const { isDiscountable: discountable, product, taxRates } = content
  return { amount: net, takenBefore: amount - net, item: id, discountable, product, taxRates }
}

/** A line as it is summed, by the place of its item among those of the subscription. */
interface Placed {
  readonly place: number
  readonly line: LineToSum
}

/** Tiers of one item stay in their order. */
function countedToSum(counted: readonly CountedLine[], terms: SumTerms | undefined): Placed[] {
  const items = terms?.items ?? []
  return counted.map(({ item, product, amount, isDiscountable: discountable }) => {
    const place = items.findIndex(({ id }) => id === item)
    const taxRates = items[place]?.taxRates ?? []
    return { place, line: { amount: BigInt(amount), takenBefore: 0n, item, product, discountable, taxRates } }
  })
}

/** Each fee with the item that bills it: of one product, in the order of the catalogue, as they were made. */
function feesToSum(
  fees: readonly UpcomingFee[],
  products: OnInvoice['products'],
  terms: SumTerms | undefined,
): Placed[] {
  const free = (terms?.items ?? []).map((item, place) => ({ ...item, place }))
  return fees.map(({ line, product: key }) => {
    const product = products.get(key) ?? null
    const index = free.findIndex((item) => item.product === product)
    const [item] = index < 0 ? [] : free.splice(index, 1)
    return {
      place: item?.place ?? -1,
      line: {
        amount: toStripeUnits(line.amount),
        ...{ discountable: true, takenBefore: 0n, product },
        ...{ item: item?.id ?? null, taxRates: item?.taxRates ?? [] },
      },
    }
  })
}

/** What was sent of a line, if anything was and it still stands. */
export function itemOf(
  { origin, line, revision }: LineToBill,
  items: readonly ItemRow[],
): ItemRow | undefined {
  return items.find(
    (item) =>
      item.originInvoiceId === origin.id &&
      item.lineKey === line.key &&
      item.revision === revision &&
      item.state !== 'removed',
  )
}
