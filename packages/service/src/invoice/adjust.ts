import { type AdjustmentKind, adjustmentAmount } from '@lockstep/core/adjustment'
import type { Instant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import { add, type Money, money, subtract, zero } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import {
  type AdjustmentRecord,
  adjustmentsOf,
  insertAdjustment,
  readAdjustment,
  withdrawAdjustment,
} from '../store/adjustments.ts'
import { itemsOf } from '../store/invoice-items.ts'
import { type InvoiceRow, readInvoiceRow, updateInvoice } from '../store/invoices.ts'
import { closeGate } from '../usage/gate.ts'
import { readInvoice } from './read.ts'

/** Each is an item of its own at the provider, which takes 250 of them on an invoice. */
const MOST_ADJUSTMENTS = 50

/** Who does it, when, and why. */
export interface Deed {
  /** The key that it came by. */
  readonly by: string
  readonly at: Instant
  readonly reason: string
}

export interface WantedAdjustment {
  readonly kind: AdjustmentKind
  /** Above zero; null for a note. */
  readonly much: Money | null
  readonly description: string
  readonly agent: string | null
  /** The one that it takes the place of. */
  readonly supersedes: string | null
}

/** What an adjustment, or taking one back, makes of an invoice. */
export interface AdjustmentEffect {
  /** Of all lines, before discounts and tax. */
  readonly before: Money
  readonly after: Money
  /** Below zero the provider charges nothing, and puts this much on the customer's balance. */
  readonly toBalance: Money
}

/** What it would do; refuses what the deed would refuse. */
export async function previewAdjustment(
  db: Db,
  invoiceId: string,
  wanted: WantedAdjustment,
): Promise<AdjustmentEffect> {
  const invoice = await adjustable(db, invoiceId)
  await refuseTooMany(db, invoice, wanted)
  const old = wanted.supersedes === null ? null : await withdrawable(db, invoice, wanted.supersedes)
  const added = amountOf(wanted, invoice)
  return effect(db, invoice, old === null ? added : subtract(added, old.amount))
}

/** What taking it back would do. */
export async function previewWithdrawal(db: Db, invoiceId: string, id: string): Promise<AdjustmentEffect> {
  const invoice = await adjustable(db, invoiceId)
  const { amount } = await withdrawable(db, invoice, id)
  return effect(db, invoice, subtract(zero(invoice.currency), amount))
}

/**
 * Adds to an invoice that is not final; the next sync tells the provider. Named by the caller, so that a
 * repetition finds it. A finalization that comes between is not harmed: what is not on it goes onto the
 * next invoice, and says of which it is.
 */
export async function adjustInvoice(
  db: Db,
  invoiceId: string,
  { id, ...wanted }: WantedAdjustment & { readonly id: string },
  deed: Deed,
): Promise<void> {
  await changing(db, invoiceId, async (trx, invoice) => {
    await refuseTooMany(trx, invoice, wanted)
    if (wanted.supersedes !== null) {
      await withdrawable(trx, invoice, wanted.supersedes)
      await withdrawAdjustment(trx, wanted.supersedes, deed)
    }
    const { kind, description, agent, supersedes } = wanted
    await insertAdjustment(trx, {
      ...{ id, kind, description, agent, supersedes, customerId: invoice.customerId, invoiceId },
      ...{ currency: invoice.currency, amount: amountOf(wanted, invoice).minor },
      ...{ reason: deed.reason, madeBy: deed.by, madeAt: deed.at },
    })
  })
}

/**
 * Takes one back. Twice is once, also when the invoice is final by then: whoever withdrew it and gives the
 * same reason has done so. To anybody else it is withdrawn already.
 */
export async function takeBackAdjustment(db: Db, invoiceId: string, id: string, deed: Deed): Promise<void> {
  if (await hasTakenBack(db, invoiceId, id, deed)) return
  await changing(db, invoiceId, async (trx, invoice) => {
    // Asked twice at once, the other one came first.
    if (await hasTakenBack(trx, invoiceId, id, deed)) return
    await withdrawable(trx, invoice, id)
    await withdrawAdjustment(trx, id, deed)
  })
}

async function hasTakenBack(
  db: Db | Trx,
  invoiceId: string,
  id: string,
  { by, reason }: Deed,
): Promise<boolean> {
  const adjustment = await readAdjustment(db, id)
  return (
    adjustment?.invoiceId === invoiceId &&
    adjustment.withdrawnBy === by &&
    adjustment.withdrawalReason === reason
  )
}

/** With the usage held back and the invoice locked, so that a sync or a freeze comes before or after. */
async function changing(
  db: Db,
  invoiceId: string,
  change: (trx: Trx, invoice: InvoiceRow) => Promise<void>,
): Promise<void> {
  const { customerId } = await adjustable(db, invoiceId)
  await transaction(db, async (trx) => {
    await closeGate(trx, customerId)
    await trx.selectFrom('invoice').select('id').where('id', '=', invoiceId).forUpdate().execute()
    await change(trx, await adjustable(trx, invoiceId))
    await updateInvoice(trx, invoiceId, { dirty: true })
  })
}

async function adjustable(db: Db | Trx, id: string): Promise<InvoiceRow> {
  const invoice = await readInvoiceRow(db, id)
  if (!invoice) throw new Problem('invoice_not_found', `There is no invoice ${id}.`)
  if (isFrozen(invoice.status)) {
    throw new Problem('invoice_frozen', `Invoice ${id} is final. A credit note takes an amount off it.`)
  }
  if (invoice.planVersionId === null) {
    const detail = `Invoice ${id} carries what is left of a subscription that is over.`
    throw new Problem('invoice_not_adjustable', detail)
  }
  return invoice
}

async function refuseTooMany(
  db: Db | Trx,
  { id }: InvoiceRow,
  { supersedes }: WantedAdjustment,
): Promise<void> {
  const standing = (await adjustmentsOf(db, [id])).filter((one) => one.withdrawnAt === null)
  if (standing.length < MOST_ADJUSTMENTS || supersedes !== null) return
  throw new Problem('invoice_not_adjustable', `Invoice ${id} has ${MOST_ADJUSTMENTS} adjustments already.`)
}

/** One that stands, and is on no final invoice yet. */
async function withdrawable(
  db: Db | Trx,
  { id: invoiceId }: InvoiceRow,
  id: string,
): Promise<AdjustmentRecord> {
  const adjustment = await readAdjustment(db, id)
  if (adjustment?.invoiceId !== invoiceId) {
    throw new Problem('adjustment_not_found', `Invoice ${invoiceId} has no adjustment ${id}.`)
  }
  if (adjustment.withdrawnAt !== null) {
    throw new Problem('adjustment_withdrawn', `Adjustment ${id} was withdrawn already.`)
  }
  const items = await itemsOf(db, [invoiceId])
  if (items.some(({ lineKey, state }) => lineKey === id && state === 'billed')) {
    const detail = `Adjustment ${id} is on a final invoice. Make another one that says the opposite, or a credit note.`
    throw new Problem('adjustment_billed', detail)
  }
  return adjustment
}

const amountOf = ({ kind, much }: WantedAdjustment, { currency }: InvoiceRow): Money =>
  adjustmentAmount(kind, much ?? zero(currency))

async function effect(db: Db, { id, currency }: InvoiceRow, difference: Money): Promise<AdjustmentEffect> {
  const before = (await readInvoice(db, id))?.subtotal ?? zero(currency)
  const after = add(before, difference)
  return { before, after, toBalance: money(after.minor < 0n ? -after.minor : 0n, currency) }
}
