import { priceDifferences } from '@lockstep/core/catalog/describe'
import { readOverride } from '@lockstep/core/catalog/read-override'
import type { Instant } from '@lockstep/core/instant'
import { add, type Money, subtract, sum, zero } from '@lockstep/core/money'
import { boundOf, type Price, priceFromJson, priceToJson } from '@lockstep/core/price'
import { isOverridable, type PriceOverride, withOwnPrices } from '@lockstep/core/price-override'
import { type Fault, Problem } from '@lockstep/core/problem'
import { amendContract } from '../contract/conclude.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { type InvoiceRow, updateInvoice } from '../store/invoices.ts'
import { insertOverride, overridesOf, type PriceOverrideRecord } from '../store/price-overrides.ts'
import { readTerms } from '../store/rating-terms.ts'
import type { Row } from '../store/schema.ts'
import { closeGate } from '../usage/gate.ts'
import { rateInvoices } from './rate-invoices.ts'
import { readInvoice } from './read.ts'

export const overrideBeginnings = ['currentPeriod', 'nextPeriod'] as const

export interface WantedOverride {
  readonly subscriptionId: string
  /** The price's key. */
  readonly price: string
  /** As somebody wrote them; null for the plan's own price again. */
  readonly terms: unknown
  readonly from: (typeof overrideBeginnings)[number]
}

/** What an override makes of the invoice of the period that runs, and of what is agreed. */
export interface OverrideEffect {
  readonly startsAt: Instant
  /** Of all lines of the current invoice, before discounts and tax. */
  readonly before: Money
  readonly after: Money
  /** In words: `prices/compute/unitAmount: 0.01 → 0.008`. */
  readonly changes: readonly string[]
}

/** Who makes it, when, and why. */
export type OverrideDeed = Pick<PriceOverrideRecord, 'reason' | 'madeBy' | 'agent' | 'madeAt'>

/** Says what it would do; refuses what the deed would refuse. */
export async function previewOverride(db: Db, wanted: WantedOverride): Promise<OverrideEffect> {
  const running = await runningPeriod(db, wanted.subscriptionId)
  const { override, changes } = await readWanted(db, running, wanted)
  const { invoice } = running
  const before = (await readInvoice(db, invoice.id))?.subtotal ?? zero(invoice.currency)
  const difference = subtract(await costOf(db, running, override), await costOf(db, running))
  return { startsAt: override.startsAt, before, after: add(before, difference), changes }
}

/**
 * Gives a subscription a price of its own, from the period that runs or the next one on, never for one that
 * is over. What is agreed becomes different with it, by a contract that takes the place of the one before.
 */
export async function overridePrice(
  db: Db,
  { id, ...wanted }: WantedOverride & { readonly id: string },
  deed: OverrideDeed,
): Promise<void> {
  const { customerId } = (await runningPeriod(db, wanted.subscriptionId)).invoice
  await transaction(db, async (trx) => {
    await closeGate(trx, customerId)
    const running = await runningPeriod(trx, wanted.subscriptionId)
    const { override, effective } = await readWanted(trx, running, wanted)
    await insertOverride(trx, {
      ...{ ...override, id, ...deed, customerId, subscriptionId: wanted.subscriptionId },
    })
    await amendContract(trx, {
      ...{ customerId, subscriptionId: wanted.subscriptionId, at: deed.madeAt },
      contractId: id.replace(/^price_override/, 'contract'),
      requestOrigin: null,
      accepted: {},
      changed: ({ prices }) => ({
        prices: prices.map((price) => {
          const own = effective.find(({ key }) => key === price.key)
          return price.key === wanted.price && own ? priceToJson(own) : price
        }),
      }),
    })
    await updateInvoice(trx, running.invoice.id, { dirty: true })
  })
}

interface Running {
  readonly invoice: InvoiceRow & { readonly planVersionId: string }
  readonly subscription: Row<'subscription'>
}

/** The period of a subscription that runs; its invoice is held where it is changed. */
async function runningPeriod(db: Db | Trx, subscriptionId: string): Promise<Running> {
  const subscription = await db
    .selectFrom('subscription')
    .selectAll()
    .where('id', '=', subscriptionId)
    .executeTakeFirst()
  if (!subscription)
    throw new Problem('subscription_not_found', `There is no subscription ${subscriptionId}.`)
  let query = db
    .selectFrom('invoice')
    .selectAll()
    .where('subscriptionId', '=', subscriptionId)
    .where('status', '=', 'current')
  if (db.isTransaction) query = query.forUpdate()
  const invoice = await query.executeTakeFirst()
  if (!invoice || invoice.planVersionId === null) {
    const detail = `No period of subscription ${subscriptionId} runs: it is over, or has not begun.`
    throw new Problem('price_not_overridable', detail)
  }
  return { invoice: { ...invoice, planVersionId: invoice.planVersionId }, subscription }
}

/** The override that is wanted, with the plan's prices once it holds. */
async function readWanted(
  db: Db | Trx,
  { invoice, subscription }: Running,
  { price: key, terms: written, from }: WantedOverride,
): Promise<{ override: PriceOverride; effective: readonly Price[]; changes: string[] }> {
  // What it is paid by now; the period that runs may have begun on another plan.
  const terms = await readTerms(db, [subscription.planVersionId])
  const plan = terms.get(subscription.planVersionId)?.plan
  const original = plan?.prices.find((price) => price.key === key)
  if (!plan || !original) {
    const detail = `The plan ${plan?.key} has no price ${key}.`
    throw faulty([{ pointer: '#/price', code: 'unknown', detail }])
  }
  if (!isOverridable(original)) {
    const detail = `${key} of ${plan.key} is a fee, which is an item at the provider: a plan of its own, or a coupon, changes it for one customer.`
    throw new Problem('price_not_overridable', detail)
  }
  const read = written === null ? undefined : readOverride(written, original, '#/terms')
  if (read && read.faults.length > 0) throw faulty(read.faults)
  // A period that begins before its time, because the cycle is begun anew, is the next one too.
  const startsAt = from === 'currentPeriod' ? invoice.periodStart : invoice.periodStart + 1
  const override = { id: '', price: key, terms: read?.price ?? null, startsAt }
  const made = await overridesOf(db, [subscription.id])
  const before = withOwnPrices(plan.prices, made, Number.POSITIVE_INFINITY)
  const effective = withOwnPrices(plan.prices, [...made, override], Number.POSITIVE_INFINITY)
  refuseBounds(effective)
  return { override, effective: effective.map(plain), changes: priceDifferences(before, effective) }
}

/** Without the mark of whose it is, which is none of its terms. */
const plain = (price: Price): Price => priceFromJson(priceToJson(price))

function refuseBounds(prices: readonly Price[]): void {
  const [minimum, maximum] = [boundOf(prices, 'minimum'), boundOf(prices, 'maximum')]
  if (!minimum || !maximum || minimum.amount.minor <= maximum.amount.minor) return
  const detail = 'The least that usage costs is no more than the most.'
  throw faulty([{ pointer: '#/terms/amount', code: 'bounds_invalid', detail }])
}

/** What is left to bill of the period that runs. */
async function costOf(db: Db, { invoice, subscription }: Running, tried?: PriceOverride): Promise<Money> {
  const { lines } = await rateInvoices(db, [invoice], () => subscription, tried && { tried })
  return sum(
    invoice.currency,
    lines.map(({ left }) => left.amount),
  )
}

const faulty = (faults: readonly Fault[]): Problem =>
  new Problem('invalid_request', 'The request has a fault.', { faults })
