import { priceDifferences } from '@lockstep/core/catalog/describe'
import { readOverride } from '@lockstep/core/catalog/read-override'
import type { Instant } from '@lockstep/core/instant'
import { add, type Money, subtract, sum, zero } from '@lockstep/core/money'
import type { Plan } from '@lockstep/core/plan'
import { boundsCross, type PriceJson, priceToJson } from '@lockstep/core/price'
import { beginningsOf, isOverridable, type PriceOverride, withOwnPrices } from '@lockstep/core/price-override'
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

export interface WantedOverride {
  readonly subscriptionId: string
  /** The price's key. */
  readonly price: string
  /** As somebody wrote them; null for the plan's own price again. */
  readonly terms: unknown
  readonly firstPeriod: PriceOverrideRecord['firstPeriod']
}

/** What an override makes of the invoice of the period that runs, and of what is agreed. */
export interface OverrideEffect {
  /** When the first period that it holds for begins, as the cycle stands now. */
  readonly expectedAt: Instant
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
  const { override, expectedAt, changes } = await readWanted(db, running, wanted)
  const { invoice } = running
  const before = (await readInvoice(db, invoice.id))?.subtotal ?? zero(invoice.currency)
  const difference = subtract(await costOf(db, running, override), await costOf(db, running))
  return { expectedAt, before, after: add(before, difference), changes }
}

/**
 * Gives a subscription a price of its own, from the period that runs or the next one on, never for one that
 * is over. What is agreed becomes different with it, by a contract that takes the place of the one before.
 *
 * Locks as whoever sees a subscription does: the gate, the subscription, the chain of contracts, its invoice.
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
    const { override, expectedAt } = await readWanted(trx, running, wanted)
    const { subscriptionId, firstPeriod } = wanted
    await insertOverride(trx, {
      ...{ ...override, ...deed, id, customerId, subscriptionId, firstPeriod, expectedAt },
    })
    await amendContract(trx, {
      ...{ customerId, subscriptionId, at: deed.madeAt },
      contractId: id.replace(/^price_override/, 'contract'),
      requestOrigin: null,
      accepted: {},
      changed: async ({ plan, prices }) => {
        const own = await agreedPrice(trx, subscriptionId, plan.versionId, wanted.price)
        return { prices: prices.map((price) => (price.key === own?.key ? own : price)) }
      },
    })
    await updateInvoice(trx, running.invoice.id, { dirty: true })
  })
}

interface Running {
  readonly invoice: InvoiceRow & { readonly planVersionId: string }
  readonly subscription: Row<'subscription'>
}

/**
 * A price as it is agreed on once all is done that was asked for: of the plan that the contract names, which may be
 * another than the subscription's while a change of plan is under way.
 */
async function agreedPrice(
  trx: Trx,
  subscriptionId: string,
  planVersionId: string,
  key: string,
): Promise<PriceJson | undefined> {
  const plan = (await readTerms(trx, [planVersionId])).get(planVersionId)?.plan
  const overrides = await overridesOf(trx, [subscriptionId])
  const price = withOwnPrices(plan?.prices ?? [], overrides, Number.POSITIVE_INFINITY).find(
    (one) => one.key === key,
  )
  return price && priceToJson(price)
}

/** The period of a subscription that runs; where it is changed the subscription is held before anything is read. */
async function runningPeriod(db: Db | Trx, subscriptionId: string): Promise<Running> {
  let held = db.selectFrom('subscription').selectAll().where('id', '=', subscriptionId)
  if (db.isTransaction) held = held.forUpdate()
  const subscription = await held.executeTakeFirst()
  if (!subscription)
    throw new Problem('subscription_not_found', `There is no subscription ${subscriptionId}.`)
  const invoice = await db
    .selectFrom('invoice')
    .selectAll()
    .where('subscriptionId', '=', subscriptionId)
    .where('status', '=', 'current')
    .executeTakeFirst()
  if (!invoice || invoice.planVersionId === null) {
    const detail = `No period of subscription ${subscriptionId} runs: it is over, or has not begun.`
    throw new Problem('price_not_overridable', detail)
  }
  return { invoice: { ...invoice, planVersionId: invoice.planVersionId }, subscription }
}

/** The override that is wanted, and what becomes different with it. */
async function readWanted(
  db: Db | Trx,
  { invoice, subscription }: Running,
  { price: key, terms: written, firstPeriod }: WantedOverride,
): Promise<{ override: PriceOverride; expectedAt: Instant; changes: string[] }> {
  // What it is paid by now; the period that runs may have begun on another plan.
  const terms = await readTerms(db, [subscription.planVersionId, invoice.planVersionId])
  const plan = terms.get(subscription.planVersionId)?.plan
  const original = plan?.prices.find((price) => price.key === key)
  if (!plan || !original) {
    const detail = `The plan ${plan?.key} has no price ${key}.`
    throw faulty([{ pointer: '#/price', code: 'unknown', detail }])
  }
  if (!isOverridable(original)) {
    const detail = `${key} of ${plan.key} is a fee, not a price of usage: a plan of its own, or a coupon, changes it for one customer.`
    throw new Problem('price_not_overridable', detail)
  }
  const read = written === null ? undefined : readOverride(written, original, '#/terms')
  if (read && read.faults.length > 0) throw faulty(read.faults)
  // A period that begins before its time, because the cycle is begun anew, is the next one too.
  const isCurrent = firstPeriod === 'currentPeriod'
  const startsAt = isCurrent ? invoice.periodStart : invoice.periodStart + 1
  const override = { id: '', price: key, terms: read?.price ?? null, startsAt }
  const made = await overridesOf(db, [subscription.id])
  const before = withOwnPrices(plan.prices, made, Number.POSITIVE_INFINITY)
  const all = [...made, override]
  const after = withOwnPrices(plan.prices, all, Number.POSITIVE_INFINITY)
  if (original.kind === 'bound') {
    const running = terms.get(invoice.planVersionId)?.plan ?? plan
    refuseBounds(all, override, (at) => (at === invoice.periodStart ? running : plan))
  }
  return {
    override,
    expectedAt: isCurrent ? invoice.periodStart : invoice.periodEnd,
    changes: priceDifferences(before, after),
  }
}

/** In none of the periods that it holds for: what was made before may begin after it. */
function refuseBounds(
  all: readonly PriceOverride[],
  { terms, startsAt }: PriceOverride,
  planAt: (at: Instant) => Plan,
): void {
  const crossing = (at: Instant) => boundsCross(withOwnPrices(planAt(at).prices, all, at))
  if (!beginningsOf(all, startsAt).some(crossing)) return
  const pointer = terms === null ? '#/terms' : '#/terms/amount'
  const detail = 'The least that usage costs is no more than the most, in each period from the first one on.'
  throw faulty([{ pointer, code: 'bounds_invalid', detail }])
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
