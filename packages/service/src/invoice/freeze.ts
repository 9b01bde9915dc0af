import { assert } from '@lockstep/core/assert'
import type { Instant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import { parseMoney } from '@lockstep/core/money'
import { parseQuantity } from '@lockstep/core/quantity'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import type { ObservedInvoice, ObservedInvoiceLine } from '../provider/stripe/to-invoice.ts'
import { type LineReference, lineReference } from '../provider/stripe/to-invoice-item.ts'
import { billItem, type ItemRow, itemOperation, itemsOf } from '../store/invoice-items.ts'
import { type InvoiceRow, readInvoiceRows, updateInvoice } from '../store/invoices.ts'
import { insertLineItems } from '../store/line-items.ts'
import { settleSeen } from '../store/operations.ts'
import { settlePendingItems } from '../store/pending-items.ts'
import { forgetUsageOf } from '../store/provider-usage.ts'
import { sqlTime } from '../store/time.ts'
import { type AddedUp, addUp, whatHolds } from './add-up.ts'
import { checkInvoices } from './check-limits.ts'
import { noticeLateUsage } from './late-usage.ts'

export interface Freeze {
  /** Ours, not frozen yet. */
  readonly invoice: InvoiceRow
  readonly seen: ObservedInvoice
  /** This installation's name: only its own lines are ours. */
  readonly instance: string
  readonly now: Instant
  /** What {@link addUpFrozen} has added up. */
  readonly inAdvance?: AddedUp | undefined
}

/** Adds up what a freeze will look at, in the period that it freezes and in those whose lines it bills. */
export async function addUpFrozen(
  db: Db,
  invoice: InvoiceRow | undefined,
  seen: ObservedInvoice,
  instance: string,
): Promise<AddedUp | undefined> {
  const others = [...(await ownLines(db, seen, instance)).values()].map((line) => line.originInvoiceId)
  const ids = invoice ? [invoice.id, ...others] : others
  return addUp(db, await readInvoiceRows(db, ids))
}

/**
 * Freezes an invoice as Stripe finalized it, once: its lines are written down as Stripe has them, each
 * of ours with the derivation of what was sent; the items on it are billed, for what Stripe says and
 * not for what we remember. What was rated and is not on it is late usage, for the next invoice. Part of a
 * transaction that closed the gate.
 */
export async function freezeInvoice(
  trx: Trx,
  { invoice, seen, instance, now, inAdvance }: Freeze,
): Promise<void> {
  const { status, finalizedAt } = seen
  assert(status !== undefined && status !== 'draft' && !isFrozen(invoice.status))
  const addedUp = await whatHolds(trx, inAdvance)
  // The last moment to tell of a figure that was reached just before.
  await checkInvoices(trx, invoice.customerId, [invoice], now, { addedUp })
  const own = await ownLines(trx, seen, instance)
  const items = await itemsOf(
    trx,
    [...own.values()].map(({ originInvoiceId }) => originInvoiceId),
  )
  const itemOf = (reference: LineReference | undefined) =>
    items.find(
      (item) =>
        item.originInvoiceId === reference?.originInvoiceId &&
        item.lineKey === reference.lineKey &&
        item.revision === reference.revision,
    )

  await insertLineItems(
    trx,
    seen.lines.map((line, position) =>
      lineRow(invoice, line, position, own.get(line), itemOf(own.get(line))),
    ),
  )
  await settlePendingItems(
    trx,
    invoice.customerId,
    seen.lines.flatMap((line) => (line.invoiceItem === null || own.has(line) ? [] : [line.invoiceItem])),
  )
  for (const [line, reference] of own) {
    const item = itemOf(reference)
    await bill(trx, invoice, seen, line, reference, item)
    // Its call was under way: whatever became of it, the line says what is billed.
    if (item?.state === 'intended') await settleSeen(trx, itemOperation(item), line.providerId, now)
  }
  await updateInvoice(trx, invoice.id, {
    ...paymentColumns(paymentOf(seen)),
    status,
    finalizedAt: sqlTime(finalizedAt ?? now),
    finalizesAt: null,
    providerSums: JSON.stringify(seen.sums),
    dirty: false,
    syncPending: false,
    syncProblem: null,
  })
  if (invoice.subscriptionId !== null && invoice.planVersionId !== null)
    await forgetUsageOf(trx, { subscriptionId: invoice.subscriptionId, periodEnd: invoice.periodEnd })
  const concerned = [
    ...(invoice.planVersionId === null ? [] : [invoice.id]),
    ...[...own.values()].map(({ originInvoiceId }) => originInvoiceId),
  ]
  await noticeLateUsage(trx, concerned, { addedUp })
}

/** What becomes of a frozen invoice is the provider's word; its lines stay as they are. */
export function paymentOf(seen: ObservedInvoice) {
  return {
    providerInvoiceId: seen.providerId,
    number: seen.number,
    subtotal: seen.subtotal.minor,
    total: seen.total.minor,
    amountDue: seen.amountDue.minor,
    amountPaid: seen.amountPaid.minor,
    amountRemaining: seen.amountRemaining.minor,
    nextPaymentAttemptAt: seen.nextPaymentAttemptAt,
    hostedInvoiceUrl: seen.hostedInvoiceUrl,
    invoicePdf: seen.invoicePdf,
  }
}

/** The same as it is written down. */
export function paymentColumns({ nextPaymentAttemptAt: at, ...payment }: ReturnType<typeof paymentOf>) {
  return { ...payment, nextPaymentAttemptAt: at === null ? null : sqlTime(at) }
}

/** Whether anything on an invoice is this installation's. */
export function hasOwnLines(seen: ObservedInvoice, instance: string): boolean {
  return seen.lines.some(({ metadata }) => lineReference(instance, metadata) !== null)
}

/** Stripe's lines that are ours, by the period they bill. A period we do not know is not ours. */
async function ownLines(
  db: Db | Trx,
  { lines }: ObservedInvoice,
  instance: string,
): Promise<Map<ObservedInvoiceLine, LineReference>> {
  const named = new Map<ObservedInvoiceLine, LineReference>()
  for (const line of lines) {
    const reference = line.invoiceItem === null ? null : lineReference(instance, line.metadata)
    if (reference) named.set(line, reference)
  }
  const origins = await readInvoiceRows(
    db,
    [...named.values()].map(({ originInvoiceId }) => originInvoiceId),
  )
  const known = new Set(origins.map(({ id }) => id))
  return new Map([...named].filter(([, { originInvoiceId }]) => known.has(originInvoiceId)))
}

function lineRow(
  { id: invoiceId, customerId }: InvoiceRow,
  line: ObservedInvoiceLine,
  position: number,
  reference: LineReference | undefined,
  item: ItemRow | undefined,
) {
  return {
    id: newId('line'),
    customerId,
    invoiceId,
    position,
    originInvoiceId: reference?.originInvoiceId ?? null,
    lineKey: reference?.lineKey ?? null,
    revision: reference?.revision ?? null,
    description: line.description ?? '',
    periodStart: sqlTime(line.period.start),
    periodEnd: sqlTime(line.period.end),
    quantity: reference ? reference.quantity : theirQuantity(line),
    amount: line.amount.minor,
    currency: line.amount.currency,
    derivation: item?.derivation ? JSON.stringify(item.derivation) : null,
    providerLineId: line.providerId,
  }
}

/** Of what is none of ours. What is finer than a quantity here can be is said in whole units, as Stripe does. */
function theirQuantity({ quantity, exactQuantity }: ObservedInvoiceLine): string | null {
  if (exactQuantity !== null && parseQuantity(exactQuantity) !== undefined) return exactQuantity
  return quantity === null ? null : String(quantity)
}

async function bill(
  trx: Trx,
  { customerId }: InvoiceRow,
  seen: ObservedInvoice,
  line: ObservedInvoiceLine,
  reference: LineReference,
  item: ItemRow | undefined,
): Promise<void> {
  assert(line.invoiceItem !== null)
  await billItem(trx, {
    customerId,
    originInvoiceId: reference.originInvoiceId,
    lineKey: reference.lineKey,
    revision: reference.revision,
    amount: line.amount.minor,
    quantity: reference.quantity,
    discounted: discountedOf(line, reference),
    content: item?.content ?? {
      amount: `${line.amount.minor}`,
      currency: line.amount.currency,
      description: line.description ?? '',
      periodStart: line.period.start,
      periodEnd: line.period.end,
      product: line.product,
      quantity: reference.quantity,
    },
    providerItemId: line.invoiceItem,
    providerInvoiceId: seen.providerId,
  })
}

/** Of what gives back, what was said when it was sent: nothing is taken off it. */
function discountedOf({ amount, discounted }: ObservedInvoiceLine, reference: LineReference): bigint {
  const said = parseMoney(reference.discounted ?? '', amount.currency)
  if (amount.minor <= 0n) return said === undefined || said.minor < 0n ? 0n : said.minor
  return discounted.minor
}
