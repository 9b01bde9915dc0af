import type { Instant } from '@lockstep/core/instant'
import { isFrozen, isWorthSending } from '@lockstep/core/invoice'
import { sum } from '@lockstep/core/money'
import { type DiscountGiven, discountsLeft, type StandingDiscount } from '@lockstep/core/standing-discount'
import { isTerminal } from '@lockstep/core/subscription'
import type { Db } from '../postgres/connect.ts'
import { chargeStep } from '../provider/stripe/amount.ts'
import { type ItemRow, waitingElsewhere } from '../store/invoice-items.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import type { BilledSubscription, OpenInvoices } from '../store/open-invoices.ts'
import { type CarryOver, carriedLine, carryOver } from './carry-over.ts'
import { countedFor, countedLines } from './counted-lines.ts'
import { describeLine } from './describe.ts'
import { forecast } from './forecast.ts'
import { itemOf, linesToSum, type OnInvoice } from './lines-to-sum.ts'
import { lookAhead, nextTerms } from './next-terms.ts'
import { findNoRoom, lateLines } from './no-room.ts'
import { goesOn, pendingLine } from './pending-lines.ts'
import type { LineToBill } from './rate.ts'
import { rateInvoices } from './rate-invoices.ts'
import type { ShownInvoice, ShownLine } from './read.ts'
import { productsAtProvider, type SumContext, sumContext, takenOff } from './sum-context.ts'
import { sumInvoice } from './sums.ts'
import { upcomingFees } from './upcoming-fee.ts'

/**
 * Every open invoice with its lines, rated from the usage of this moment, and summed as the provider will. The number of
 * queries does not depend on the number of events, nor their cost.
 */
export async function showOpen(db: Db, { subscriptions, invoices }: OpenInvoices): Promise<ShownInvoice[]> {
  const [first] = invoices
  if (!first) return []
  const subscriptionOf = ({ id, subscriptionId }: InvoiceRow): BilledSubscription => {
    const subscription = subscriptions.find((one) => one.id === subscriptionId)
    if (!subscription) throw new Error(`${id} belongs to no subscription.`)
    return subscription
  }
  const [{ lines, inputs, items, terms }, ahead, context] = await Promise.all([
    rateInvoices(db, invoices, subscriptionOf),
    lookAhead(db, subscriptions),
    sumContext(db, first.customerId, [...new Set(invoices.map(subscriptionOf))]),
  ])
  const [nextOf, elsewhere] = await Promise.all([
    nextTerms(db, ahead, terms),
    waitingBeside(
      db,
      subscriptions.filter(
        ({ id, status }) =>
          !isTerminal(status) && lateLines(lines).some(({ origin }) => origin.subscriptionId === id),
      ),
    ),
  ])
  const carryOf = (subscription: BilledSubscription): CarryOver | undefined => {
    const own = invoices.filter(({ subscriptionId }) => subscriptionId === subscription.id)
    const plan = terms.get(own.findLast(({ status }) => !isFrozen(status))?.planVersionId ?? '')?.plan
    const ofIt = lines.filter(({ origin }) => origin.subscriptionId === subscription.id)
    return plan && carryOver(subscription, plan.prices, ofIt)
  }
  const open = invoices.filter(({ status }) => status === 'current' || status === 'closing')
  const parts = open.map((invoice) => {
    const subscription = subscriptionOf(invoice)
    const next = nextOf(invoice)
    const own = lines.filter(({ origin }) => origin.id === invoice.id)
    const late = lines.filter((line) => isFrozen(line.origin.status) && goesOnto(invoice, line, items))
    const noRoom = findNoRoom(
      lines.filter(({ origin }) => origin.subscriptionId === subscription.id),
      elsewhere.get(subscription.id) ?? 0,
    )
    const billed = [...own, ...late].filter((line) => isWorthSending(line.left) && !noRoom.has(line))
    const carry = carryOf(subscription)
    return {
      ...{ invoice, subscription, own, billed },
      carried: carriedLine(invoice, carry, billed),
      held: carry?.held ?? new Set<LineToBill>(),
      pending: context.pending.filter((item) =>
        goesOn(invoice, item, {
          invoices: open,
          subscriptions: context.subscriptions.length > 0 ? context.subscriptions : subscriptions,
        }),
      ),
      counted: countedFor(invoice, context.counted),
      fees: upcomingFees(invoice, subscription, next),
      redeems: next.redeems,
    }
  })
  const products = await productsAtProvider(
    db,
    context,
    parts.flatMap(({ billed, fees }) => [
      ...billed.map(({ line }) => line.product),
      ...fees.map(({ product }) => product),
    ]),
  )
  // By the invoice before it in time a discount for one invoice is used up.
  const used = new Set<StandingDiscount>()
  return parts.map((part): ShownInvoice => {
    const { invoice, subscription, own, billed, carried, held, pending, counted, fees, redeems } = part
    const sumOf = sumsOf(context, { invoice, subscription, redeems, used: new Set(used) })
    const on: OnInvoice = { billed, held, pending, counted: counted.lines, fees, items, products }
    const sums = sumOf(on)
    if (invoice.status === 'closing' && sums.subtotal.minor > 0n) noteUsed(context, subscription, used)
    const input = invoice.status === 'current' ? inputs.get(invoice.id) : undefined
    const kept = billed.filter((line) => !own.includes(line))
    const metered = countedLines(counted)
    const others = sum(invoice.currency, [
      ...kept.map(({ left }) => left.amount),
      ...pending.map((item) => pendingLine(item).amount),
      ...metered.map(({ amount }) => amount),
      ...fees.map(({ line }) => line.amount),
    ])
    return {
      ...{ invoice, ...sums },
      lines: [
        ...billed.map((line) => toBill(invoice, line, items)),
        ...carried,
        ...pending.map(pendingLine),
        ...metered,
        ...fees.map(({ line }) => line),
      ],
      ...(input && {
        foresee: (at: Instant) =>
          forecast(input, others, {
            ...{ at, cancelAt: subscription.cancelAt },
            // What waits takes nothing off what the period may come to.
            totalOf: (foreseen) => sumOf({ ...on, billed: [...foreseen, ...kept], held: new Set() }).total,
          }),
      }),
    }
  })
}

/** How many lines are pending beside those of these subscriptions; nothing is asked of others. */
async function waitingBeside(
  db: Db,
  subscriptions: readonly BilledSubscription[],
): Promise<ReadonlyMap<string, number>> {
  const found = subscriptions.map(async (one) => [one.id, await waitingElsewhere(db, one)] as const)
  return new Map(await Promise.all(found))
}

interface Summed {
  readonly invoice: InvoiceRow
  readonly subscription: BilledSubscription
  /** A coupon comes with what is planned: what it takes off the provider knows. */
  readonly redeems: boolean
  readonly used: ReadonlySet<StandingDiscount>
}

/** Sums what stands on an invoice, by what is taken off and taxed at its end. */
function sumsOf(context: SumContext, { invoice, subscription, redeems, used }: Summed) {
  const { currency, periodEnd, subscriptionId } = invoice
  const at = Math.min(periodEnd, subscription.endedAt ?? subscription.cancelAt ?? periodEnd)
  const standing = context.discounts.get(subscriptionId ?? '') ?? { discounts: [], unread: [] }
  const { discounts: whole, hasUnread } = takenOff(standing, at, used)
  const discounts = discountsOn(invoice, whole, context.given.get(subscriptionId ?? '') ?? [])
  const terms = context.terms.get(subscriptionId ?? '')
  return (on: OnInvoice) =>
    sumInvoice({
      ...{ currency, terms },
      lines: linesToSum(on, terms),
      // Those of lines come before those of the whole: https://docs.stripe.com/api/invoiceitems/create
      discounts: [
        ...context.ofLines,
        ...discounts.map(({ scope, item, ...of }) => ({ ...of, source: scope, item: item?.id ?? null })),
      ],
      taxSeen: context.taxes.get(subscriptionId ?? ''),
      hasUnread: hasUnread || redeems || on.pending.some(({ id }) => context.unreadOfLines.has(id)),
    })
}

/** What is left of them on what is left of a subscription that is over; a draft that was there before has all of them. */
function discountsOn(
  { id }: InvoiceRow,
  whole: readonly StandingDiscount[],
  given: readonly DiscountGiven[],
): readonly StandingDiscount[] {
  const wasBefore = given.some(({ invoiceId, afterEnd }) => invoiceId === id && !afterEnd)
  return wasBefore
    ? whole
    : discountsLeft(
        whole,
        given.filter(({ invoiceId }) => invoiceId !== id),
        chargeStep,
      )
}

/** A discount for one invoice is used up by the first that comes to something. */
function noteUsed(context: SumContext, { id }: BilledSubscription, used: Set<StandingDiscount>): void {
  const once = (context.discounts.get(id)?.discounts ?? []).filter(
    ({ terms }) => terms.duration.kind === 'once',
  )
  for (const discount of once) used.add(discount)
}

/** Late usage is on the draft that took its item; otherwise it comes with the current period. */
function goesOnto(invoice: InvoiceRow, line: LineToBill, items: readonly ItemRow[]): boolean {
  if (line.origin.subscriptionId !== invoice.subscriptionId) return false
  const standsOn = itemOf(line, items)?.providerInvoiceId ?? null
  return standsOn === null ? invoice.status === 'current' : invoice.providerInvoiceId === standsOn
}

function toBill(invoice: InvoiceRow, toShow: LineToBill, items: readonly ItemRow[]): ShownLine {
  const { origin, line, left, billed } = toShow
  return {
    id: origin.id === invoice.id ? line.key : `${origin.id}.${line.key}`,
    key: line.key,
    description: describeLine(toShow),
    period: line.period,
    quantity: left.quantity,
    unitLabel: line.derivation.measured?.unitLabel ?? null,
    amount: left.amount,
    late: origin.id !== invoice.id,
    derivation: line.derivation,
    reason: null,
    asOf: null,
    billed,
    providerId: itemOf(toShow, items)?.providerItemId ?? null,
  }
}
