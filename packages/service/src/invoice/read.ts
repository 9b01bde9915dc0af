import { periodContaining } from '@lockstep/core/billing-cycle'
import type { Derivation } from '@lockstep/core/derivation'
import type { Instant } from '@lockstep/core/instant'
import { type Billable, isFrozen, isWorthSending } from '@lockstep/core/invoice'
import { type Money, money, subtract, sum } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import { isBilledByProvider, type Price } from '@lockstep/core/price'
import { type Quantity, quantityOf, units } from '@lockstep/core/quantity'
import { isTerminal } from '@lockstep/core/subscription'
import type { Db } from '../postgres/connect.ts'
import { type Attached, loadAttached } from '../store/addons.ts'
import { type ItemRow, itemsOf, itemsOnInvoice } from '../store/invoice-items.ts'
import { type InvoiceRow, readInvoiceRow } from '../store/invoices.ts'
import { type LineItemRow, lineItemsOf } from '../store/line-items.ts'
import { type BilledSubscription, type OpenInvoices, readOpenInvoices } from '../store/open-invoices.ts'
import { type CarryOver, carriedLine, carryOver } from './carry-over.ts'
import { describeLine } from './describe.ts'
import { type Forecast, forecast } from './forecast.ts'
import { findNoRoom } from './no-room.ts'
import { feeOfPrice, type LineToBill } from './rate.ts'
import { rateInvoices } from './rate-invoices.ts'

/** A line as a reader sees it, whatever the state of its invoice. */
export interface ShownLine {
  /** Names the line on this invoice. */
  readonly id: string
  readonly key: string | null
  readonly description: string
  readonly period: Period
  readonly quantity: Quantity | null
  readonly unitLabel: string | null
  readonly amount: Money
  readonly late: boolean
  readonly derivation: Derivation | null
  /** What of this line other invoices carry already; the derivation is that of the whole. */
  readonly billed: readonly Billable[]
  readonly providerId: string | null
}

export interface ShownInvoice {
  readonly invoice: InvoiceRow
  readonly lines: readonly ShownLine[]
  /** Of all lines, before discounts and tax; of a final one what the provider says. */
  readonly subtotal: Money
  readonly total: Money
  /** What it may say at its end, seen from a moment of the customer's own time; only while its period runs. */
  readonly foresee?: (at: Instant) => Forecast | null
}

/** One invoice with its lines: of this moment while it is open, as they were written down when it is final. */
export async function readInvoice(db: Db, id: string): Promise<ShownInvoice | undefined> {
  const invoice = await readInvoiceRow(db, id)
  if (!invoice) return undefined
  if (isFrozen(invoice.status)) return frozen(db, invoice)
  if (invoice.planVersionId === null || invoice.subscriptionId === null) return draft(db, invoice)
  const open = await readOpenInvoices(db, { subscriptionId: invoice.subscriptionId })
  const shown = (await showOpen(db, open)).find((one) => one.invoice.id === id)
  // It was finalized between the two looks.
  return shown ?? readInvoice(db, id)
}

/** Every open invoice of a customer with its lines, rated from the usage of this moment. */
export async function readCustomerInvoices(db: Db, customerId: string): Promise<ShownInvoice[]> {
  return showOpen(db, await readOpenInvoices(db, { customerId }))
}

/** The number of queries does not depend on the number of events, nor their cost. */
async function showOpen(db: Db, { subscriptions, invoices }: OpenInvoices): Promise<ShownInvoice[]> {
  const subscriptionOf = ({ id, subscriptionId }: InvoiceRow): BilledSubscription => {
    const subscription = subscriptions.find((one) => one.id === subscriptionId)
    if (!subscription) throw new Error(`${id} belongs to no subscription.`)
    return subscription
  }
  const [{ lines, inputs, items, terms }, addons] = await Promise.all([
    rateInvoices(db, invoices, subscriptionOf),
    addonsOf(db, subscriptions),
  ])
  const carryOf = (subscription: BilledSubscription): CarryOver | undefined => {
    const own = invoices.filter(({ subscriptionId }) => subscriptionId === subscription.id)
    const plan = terms.get(own.findLast(({ status }) => !isFrozen(status))?.planVersionId ?? '')?.plan
    const ofIt = lines.filter(({ origin }) => origin.subscriptionId === subscription.id)
    return plan && carryOver(subscription, plan.prices, ofIt)
  }
  return invoices
    .filter(({ status }) => status === 'current' || status === 'closing')
    .map((invoice) => {
      const subscription = subscriptionOf(invoice)
      const plan = terms.get(invoice.planVersionId ?? '')?.plan
      const own = lines.filter(({ origin }) => origin.id === invoice.id)
      const late = lines.filter((line) => isFrozen(line.origin.status) && goesOnto(invoice, line, items))
      const noRoom = findNoRoom(lines.filter(({ origin }) => origin.subscriptionId === subscription.id))
      const billed = [...own, ...late].filter((line) => isWorthSending(line.left) && !noRoom.has(line))
      const carried = carriedLine(invoice, carryOf(subscription), billed)
      const shown = [
        ...billed.map((line) => toBill(invoice, line, items)),
        ...carried,
        ...(plan ? upcomingFee(invoice, subscription, plan.prices, addons.get(subscription.id) ?? []) : []),
      ]
      const subtotal = sum(
        invoice.currency,
        shown.map(({ amount }) => amount),
      )
      const input = invoice.status === 'current' ? inputs.get(invoice.id) : undefined
      const rated = sum(
        invoice.currency,
        // What waits takes nothing off what the period may come to.
        [...own.map(({ left }) => left.amount), ...carried.map(({ amount }) => amount)],
      )
      return {
        ...{ invoice, lines: shown, subtotal, total: subtotal },
        ...(input && {
          foresee: (at: Instant) =>
            forecast(input, subtract(subtotal, rated), { at, cancelAt: subscription.cancelAt }),
        }),
      }
    })
}

/** Late usage is on the draft that took its item; otherwise it comes with the current period. */
function goesOnto(invoice: InvoiceRow, line: LineToBill, items: readonly ItemRow[]): boolean {
  if (line.origin.subscriptionId !== invoice.subscriptionId) return false
  const standsOn = itemOf(line, items)?.providerInvoiceId ?? null
  return standsOn === null ? invoice.status === 'current' : invoice.providerInvoiceId === standsOn
}

function itemOf({ origin, line, revision }: LineToBill, items: readonly ItemRow[]): ItemRow | undefined {
  return items.find(
    (item) =>
      item.originInvoiceId === origin.id &&
      item.lineKey === line.key &&
      item.revision === revision &&
      item.state !== 'removed',
  )
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
    billed,
    providerId: itemOf(toShow, items)?.providerItemId ?? null,
  }
}

/** By subscription; nothing is asked where there are none. */
async function addonsOf(
  db: Db,
  subscriptions: readonly BilledSubscription[],
): Promise<ReadonlyMap<string, readonly Attached[]>> {
  const found = await Promise.all(
    subscriptions.map(async ({ id, addons }) => [id, await loadAttached(db, addons)] as const),
  )
  return new Map(found)
}

/** The fees of the period after the invoice's, in advance: none when the subscription is going to end. */
function upcomingFee(
  { periodEnd, currency }: InvoiceRow,
  subscription: BilledSubscription,
  prices: readonly Price[],
  addons: readonly Attached[],
): ShownLine[] {
  if (endsBy(subscription, periodEnd)) return []
  const { billingCycleAnchor: anchor, interval, intervalCount, quantity } = subscription
  const period = periodContaining({ anchor, interval, intervalCount }, periodEnd)
  // Usage that is billed more often has no fee beside it but where both periods end.
  if (subscription.usageInterval !== null && period.start !== periodEnd) return []
  const fees = [
    ...prices.filter(isBilledByProvider).map((price) => ({ price, key: price.key, quantity })),
    ...addons.flatMap(({ version: { addon }, quantity: number }) =>
      addon.prices.map((price) => ({ price, key: `${addon.key}.${price.key}`, quantity: number })),
    ),
  ]
  return fees.map(({ price, key, quantity: number }) => ({
    id: `upcoming.${key}`,
    key,
    description: price.name,
    period,
    quantity: price.model === 'flat' ? units(1n) : units(BigInt(number)),
    unitLabel: null,
    amount: money(feeOfPrice(price, number).minor, currency),
    late: false,
    derivation: null,
    billed: [],
    providerId: null,
  }))
}

function endsBy(
  { status, cancelAt, cancelAtPeriodEnd, currentPeriodEnd, endedAt }: BilledSubscription,
  at: number,
): boolean {
  if (isTerminal(status)) return endedAt === null || endedAt <= at
  if (status === 'paused') return true
  return (cancelAt !== null && cancelAt <= at) || (cancelAtPeriodEnd && currentPeriodEnd <= at)
}

async function frozen(db: Db, invoice: InvoiceRow): Promise<ShownInvoice> {
  const rows = await lineItemsOf(db, [invoice.id])
  const origins = rows.flatMap(({ originInvoiceId }) => (originInvoiceId === null ? [] : [originInvoiceId]))
  const items = await itemsOf(db, [...new Set(origins)])
  const lines = rows.map(
    (row): ShownLine => ({
      id: row.id,
      key: row.lineKey,
      description: row.description,
      period: { start: row.periodStart, end: row.periodEnd },
      quantity: row.quantity === null ? null : quantityOf(row.quantity),
      unitLabel: row.derivation?.measured?.unitLabel ?? null,
      amount: money(row.amount, row.currency),
      late: row.originInvoiceId !== null && row.originInvoiceId !== invoice.id,
      derivation: row.derivation,
      billed: billedBefore(row, items),
      providerId: row.providerLineId,
    }),
  )
  const { currency, subtotal, total } = invoice
  return { invoice, lines, subtotal: money(subtotal ?? 0n, currency), total: money(total ?? 0n, currency) }
}

/** The parts of a line that earlier revisions carry: its derivation is that of the whole. */
function billedBefore(
  { originInvoiceId, lineKey, revision, currency }: LineItemRow,
  items: readonly ItemRow[],
): Billable[] {
  return items
    .filter((item) => item.originInvoiceId === originInvoiceId && item.lineKey === lineKey)
    .filter((item) => item.state === 'billed' && item.revision < (revision ?? 0))
    .map(({ amount, quantity }) => ({
      amount: money(amount, currency),
      quantity: quantity === null ? null : quantityOf(quantity),
    }))
}

/** A draft for what is left of a subscription that is over: what stands on it so far. */
async function draft(db: Db, invoice: InvoiceRow): Promise<ShownInvoice> {
  const items = invoice.providerInvoiceId === null ? [] : await itemsOnInvoice(db, invoice.providerInvoiceId)
  const lines = items.map(
    (item): ShownLine => ({
      id: `${item.originInvoiceId}.${item.lineKey}`,
      key: item.lineKey,
      description: item.content.description,
      period: { start: item.content.periodStart, end: item.content.periodEnd },
      quantity: item.quantity === null ? null : quantityOf(item.quantity),
      unitLabel: item.derivation?.measured?.unitLabel ?? null,
      amount: money(item.amount, invoice.currency),
      late: true,
      derivation: item.derivation,
      billed: [],
      providerId: item.providerItemId,
    }),
  )
  const subtotal = sum(
    invoice.currency,
    lines.map(({ amount }) => amount),
  )
  return { invoice, lines, subtotal, total: subtotal }
}
