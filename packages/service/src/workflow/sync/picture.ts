import { assert } from '@lockstep/core/assert'
import type { Derivation } from '@lockstep/core/derivation'
import type { Instant } from '@lockstep/core/instant'
import { isFrozen, isWorthSending } from '@lockstep/core/invoice'
import type { WantedItem } from '@lockstep/core/invoice-diff'
import { roomFor } from '@lockstep/core/late-room'
import { formatMoney, type Money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import { formatQuantity, type Quantity } from '@lockstep/core/quantity'
import { isTerminal } from '@lockstep/core/subscription'
import { carryOver } from '../../invoice/carry-over.ts'
import { describeLine } from '../../invoice/describe.ts'
import { isDiscountable } from '../../invoice/discountable.ts'
import { findNoRoom } from '../../invoice/no-room.ts'
import type { LineToBill } from '../../invoice/rate.ts'
import { rateInvoices } from '../../invoice/rate-invoices.ts'
import type { Trx } from '../../postgres/connect.ts'
import { snapshot, transaction } from '../../postgres/transaction.ts'
import { undone } from '../../postgres/undone.ts'
import { isChargeable, toStripeUnits } from '../../provider/stripe/amount.ts'
import { lineName } from '../../provider/stripe/to-invoice-item.ts'
import { type ItemContent, type ItemRow, waitingElsewhere } from '../../store/invoice-items.ts'
import { type InvoiceRow, invoicesToRate, markPictured } from '../../store/invoices.ts'
import { providerIdOf, providerIdsOf } from '../../store/mappings.ts'
import type { Row } from '../../store/schema.ts'
import { cutUsage } from '../../store/usage.ts'
import { closeGate } from '../../usage/gate.ts'
import type { LookDeps } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'

/**
 * Where a line's item belongs: pending on the subscription, whose next invoice takes it; on a draft;
 * or, after the subscription's end, on an invoice that is still to be made.
 */
export type Destination = 'subscription' | 'standalone' | { readonly draft: string }

export interface Wanted extends WantedItem {
  readonly origin: InvoiceRow
  readonly lineKey: string
  readonly amount: Money
  readonly quantity: Quantity | null
  readonly item: ItemContent
  readonly derivation: Derivation
  readonly destination: Destination
}

/** Everything that a subscription's invoices must say, at one moment. */
export interface Picture {
  readonly subscription: Row<'subscription'>
  readonly provider: { readonly customer: string; readonly subscription: string }
  readonly invoices: readonly InvoiceRow[]
  readonly lines: readonly LineToBill[]
  readonly wanted: readonly Wanted[]
  readonly items: readonly ItemRow[]
  readonly isOver: boolean
  /** The customer's own time. */
  readonly now: Instant
}

export interface PictureOptions {
  /** It is going to be told. */
  readonly take: boolean
  /** As if the period that runs ended now. */
  readonly endsPeriod: boolean
  /** What is promised for a time is promised up to here, all the usage that is there being of before: to show it, not to tell it. */
  readonly promisedUntil?: Instant | undefined
}

/**
 * Takes the picture. With `take`, `dirty` is cleared before it, while the customer's usage stands still: an event
 * was committed before that and is in the picture, or comes after and sets it again, whether it is in it or not.
 *
 * So the gate is closed for a moment only, and not as long as ten thousand groups take to add up. What is read is
 * of one moment all the same: a snapshot, begun after the marks were committed.
 */
export async function takePicture(
  deps: LookDeps,
  subscriptionId: string,
  { take, endsPeriod, promisedUntil }: PictureOptions,
): Promise<Picture | undefined> {
  const { db } = deps
  const subscription = await db
    .selectFrom('subscription')
    .select('customerId')
    .where('id', '=', subscriptionId)
    .executeTakeFirst()
  if (!subscription) return undefined
  const { customerId } = subscription
  if (endsPeriod && !take)
    return undone(db, async (trx) => {
      const endsAt = await cutNow(trx, deps, customerId)
      return picture(trx, deps, subscriptionId, (invoice) => endedAt(invoice, endsAt))
    })
  const endsAt = endsPeriod ? await transaction(db, (trx) => cutNow(trx, deps, customerId)) : undefined
  if (take) {
    const isHere = await transaction(db, async (trx) => {
      await closeGate(trx, customerId)
      return markIfLinked(trx, { id: subscriptionId, customerId })
    })
    if (!isHere) return undefined
  }
  const seen = (invoice: InvoiceRow) =>
    endsAt !== undefined
      ? endedAt(invoice, endsAt)
      : promisedUntil !== undefined
        ? promisedTo(invoice, promisedUntil)
        : invoice
  return snapshot(db, (trx) => picture(trx, deps, subscriptionId, seen))
}

/** The period is rated up to now, which is an edge of it then: usage of the same hour is on either side. */
async function cutNow(trx: Trx, { clock }: LookDeps, customerId: string): Promise<Instant> {
  await closeGate(trx, customerId)
  const now = await customerTime(trx, clock, customerId)
  await cutUsage(trx, customerId, now)
  return now
}

/** False, and nothing is marked, of a subscription that is not at the provider: nobody could be told. */
async function markIfLinked(
  trx: Trx,
  { id, customerId }: Pick<Row<'subscription'>, 'id' | 'customerId'>,
): Promise<boolean> {
  if ((await providerIdOf(trx, 'customer', customerId)) === undefined) return false
  if ((await providerIdOf(trx, 'subscription', id)) === undefined) return false
  const invoices = await invoicesToRate(trx, id)
  await markPictured(
    trx,
    invoices.filter(({ finalizedAt }) => finalizedAt === null).map((invoice) => invoice.id),
  )
  return true
}

async function picture(
  trx: Trx,
  { clock }: LookDeps,
  id: string,
  seen: (invoice: InvoiceRow) => InvoiceRow,
): Promise<Picture | undefined> {
  const subscription = await trx
    .selectFrom('subscription')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const customer = await providerIdOf(trx, 'customer', subscription.customerId)
  const atProvider = await providerIdOf(trx, 'subscription', id)
  if (customer === undefined || atProvider === undefined) return undefined
  const now = await customerTime(trx, clock, subscription.customerId)
  const invoices = (await invoicesToRate(trx, id)).map(seen)
  const rated = invoices.filter(({ planVersionId }) => planVersionId !== null)
  const { lines, items, terms } = await rateInvoices(trx, rated, () => subscription)
  const isOver = isTerminal(subscription.status)
  // What was never paid for begins nothing: its usage is nobody's debt.
  const due = subscription.status === 'incomplete_expired' ? [] : lines
  const last = rated.findLast(({ status }) => !isFrozen(status))
  const plan = terms.get(last?.planVersionId ?? '')?.plan
  const carry = plan && carryOver(subscription, plan.prices, due)
  // After the end nothing is pending: it goes onto an invoice of its own.
  const elsewhere = isOver ? 0 : await waitingElsewhere(trx, subscription)
  const noRoom = findNoRoom(due, elsewhere)
  const products = await providerIdsOf(
    trx,
    'product',
    due.map(({ line }) => line.product),
  )
  const standalone = isOver ? usableDraft(invoices) : undefined
  const destinationOf = (origin: InvoiceRow): Destination => {
    if (isOver) return standalone === undefined ? 'standalone' : { draft: standalone }
    const draft = origin.status === 'closing' ? origin.providerInvoiceId : null
    return draft === null ? 'subscription' : { draft }
  }
  return {
    subscription,
    provider: { customer, subscription: atProvider },
    invoices,
    lines: due,
    wanted: withinRoom(
      due
        .filter((line) => isWorthSending(line.left) && !carry?.held.has(line) && !noRoom.has(line))
        .map((line) => wantedItem(line, products, destinationOf(line.origin))),
      { items, room: roomFor(elsewhere) },
    ),
    items,
    isOver,
    now,
  }
}

/**
 * What may be pending of a customer is shared by all subscriptions, so lines of the period that runs may have to wait as
 * well: those that stand there stay, and the last of the others wait for the period's own draft.
 */
function withinRoom(
  wanted: readonly Wanted[],
  { items, room }: { readonly items: readonly ItemRow[]; readonly room: number },
): readonly Wanted[] {
  const pending = wanted.filter(({ destination }) => destination === 'subscription')
  if (pending.length <= room) return wanted
  const stands = ({ origin, lineKey, revision }: Wanted) =>
    items.some(
      (item) =>
        item.originInvoiceId === origin.id &&
        item.lineKey === lineKey &&
        item.revision === revision &&
        item.state === 'placed',
    )
  const inTurn = [...pending.filter(stands), ...pending.filter((one) => !stands(one))]
  const waiting = new Set(inTurn.slice(room))
  return wanted.filter((one) => !waiting.has(one))
}

function endedAt(invoice: InvoiceRow, now: Instant): InvoiceRow {
  const { status, periodStart, periodEnd } = invoice
  return status === 'current' && periodStart < now && now < periodEnd
    ? { ...invoice, periodEnd: now }
    : invoice
}

function promisedTo(invoice: InvoiceRow, until: Instant): InvoiceRow {
  if (invoice.status !== 'current') return invoice
  return { ...invoice, promisedUntil: Math.min(invoice.promisedUntil ?? until, until) }
}

/** The draft that takes what is left of a subscription that is over; one that nobody will finalize does not. */
function usableDraft(invoices: readonly InvoiceRow[]): string | undefined {
  const drafts = invoices.filter(
    ({ status, finalizesAt }) => (status === 'closing' || status === 'draft') && finalizesAt !== null,
  )
  return (
    drafts.findLast(({ providerInvoiceId }) => providerInvoiceId !== null)?.providerInvoiceId ?? undefined
  )
}

function wantedItem(
  toBill: LineToBill,
  products: ReadonlyMap<string, string>,
  destination: Destination,
): Wanted {
  const { origin, line, revision, left, discounted } = toBill
  const product = products.get(line.product)
  if (product === undefined) {
    throw new Problem('plan_not_published', `The product ${line.product} is not at the provider.`)
  }
  assert(isChargeable(left.amount), `What is left of ${line.key} is rounded to what Stripe takes`)
  const item: ItemContent = {
    amount: String(toStripeUnits(left.amount)),
    currency: left.amount.currency,
    description: describeLine(toBill),
    periodStart: line.period.start,
    periodEnd: line.period.end,
    // A price cannot be negative, so a credit names no product.
    product: left.amount.minor < 0n ? null : product,
    quantity: left.quantity === null ? null : formatQuantity(left.quantity),
    discounted: discounted.minor === 0n ? null : formatMoney(discounted),
    ...(left.amount.minor >= 0n && !isDiscountable(toBill) && { discountable: false }),
  }
  return {
    line: lineName({ originInvoiceId: origin.id, lineKey: line.key }),
    revision,
    content: contentText(item),
    origin,
    lineKey: line.key,
    amount: left.amount,
    quantity: left.quantity,
    item,
    derivation: line.derivation,
    destination,
  }
}

/** Equal for items of which Stripe says the same. */
export function contentText(item: ItemContent): string {
  const { amount, currency, description, periodStart, periodEnd, product, quantity, discounted } = item
  const named = amount.startsWith('-') ? null : product
  const what = [amount, currency, description, periodStart, periodEnd, named, quantity, discounted ?? null]
  return JSON.stringify([...what, item.discountable ?? null])
}
