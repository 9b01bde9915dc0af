import { invalid } from '../errors.ts'
import type { ChargeRow, CreditNoteLineRow, CreditNoteRow, InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'
import { changeBalance } from './balance.ts'
import { setRemaining, settleCredited } from './credited-invoice.ts'
import { intentsOf } from './invoice-payments.ts'
import { createRefund } from './refunds.ts'
import { refuseUnchargeable } from './refuse-unchargeable.ts'

export interface CreditNoteOf {
  readonly invoice: InvoiceRow
  readonly lines: readonly CreditNoteLineRow[]
  readonly refundAmount: number
  readonly creditAmount: number
  readonly outOfBandAmount: number | null
  /** Refunds that were made before and belong to this note. */
  readonly refunds: readonly { readonly refund: string; readonly amount: number }[]
  readonly reason: CreditNoteRow['reason']
  readonly memo: string | null
  readonly metadata: Record<string, string>
  readonly effectiveAt: number | null
}

/**
 * Takes an amount off a finalized invoice: first off what is still to be paid (`pre_payment_amount`); the
 * rest was paid and is refunded, credited to the balance or settled elsewhere (`post_payment_amount`).
 * https://docs.stripe.com/api/credit_notes/create
 */
export function issueCreditNote(world: World, of: CreditNoteOf): CreditNoteRow {
  const { invoice, lines } = of
  const sums = sumsOf(lines)
  refuseTooMuch(world, of, sums.total)
  refuseForeignRefunds(world, of)
  const pre = invoice.status === 'open' ? Math.min(sums.total, invoice.amount_remaining) : 0
  const post = sums.total - pre
  // What is left of an open invoice is charged.
  if (pre > 0) refuseUnchargeable(invoice.amount_remaining - pre, invoice.currency)
  const linked = of.refunds.reduce((sum, { amount }) => sum + amount, 0)
  const settled = of.refundAmount + of.creditAmount + (of.outOfBandAmount ?? 0) + linked
  if (settled !== post) {
    throw invalid(
      `The sum of credit amount, refund amount and out of band amount (${settled}) must equal the post payment credit note amount (${post}).`,
    )
  }
  const { clock } = invoice.own
  const id = world.ids.next('cn')
  const count = world.creditNotes.count('invoice', invoice.id) + 1
  const refund =
    of.refundAmount === 0
      ? []
      : [
          {
            amount: of.refundAmount,
            refund: createRefund(world, chargeOf(world, of), {
              amount: of.refundAmount,
              reason: null,
              metadata: {},
            }).id,
          },
        ]
  const balance =
    of.creditAmount === 0
      ? null
      : changeBalance(world, invoice.customer as string, -of.creditAmount, {
          type: 'credit_note',
          invoice: invoice.id,
          creditNote: id,
        }).transaction.id
  const now = world.now(clock)
  const note = world.creditNotes.insert({
    id,
    object: 'credit_note',
    amount: sums.total,
    amount_shipping: 0,
    created: now,
    currency: invoice.currency,
    customer: invoice.customer as string,
    customer_account: null,
    customer_balance_transaction: balance,
    ...sums,
    effective_at: of.effectiveAt ?? now,
    invoice: invoice.id,
    livemode: false,
    memo: of.memo,
    metadata: of.metadata,
    number: `${invoice.number}-CN-${String(count).padStart(2, '0')}`,
    out_of_band_amount: of.outOfBandAmount,
    pdf: `${world.baseUrl}/_simulator/credit_notes/${id}/pdf`,
    post_payment_amount: post,
    pre_payment_amount: pre,
    reason: of.reason,
    refunds: [...of.refunds, ...refund].map(({ amount, refund: made }) => ({
      amount_refunded: amount,
      payment_record_refund: null,
      refund: made,
      type: 'refund',
    })),
    shipping_cost: null,
    status: 'issued',
    type: post === 0 ? 'pre_payment' : pre === 0 ? 'post_payment' : 'mixed',
    voided_at: null,
    own: { clock, lines },
  })
  world.emit('credit_note.created', note)
  world.invoices.patch(invoice.id, {
    pre_payment_credit_notes_amount: invoice.pre_payment_credit_notes_amount + pre,
    post_payment_credit_notes_amount: invoice.post_payment_credit_notes_amount + post,
  })
  setRemaining(world, invoice.id, -pre)
  world.emit('invoice.updated', world.invoices.must(invoice.id))
  if (pre > 0) settleCredited(world, invoice.id)
  return note
}

/** Only what has not been paid out can be taken back, and only while the invoice is open. */
export function voidCreditNote(world: World, note: CreditNoteRow): CreditNoteRow {
  const invoice = world.invoices.must(note.invoice)
  if (note.status === 'void') throw invalid('This credit note has already been voided.')
  if (note.post_payment_amount > 0 || invoice.status !== 'open') {
    throw invalid('You can only void credit notes of open invoices.')
  }
  const gone = world.creditNotes.patch(note.id, { status: 'void', voided_at: world.now(note.own.clock) })
  world.emit('credit_note.voided', gone)
  world.invoices.patch(invoice.id, {
    pre_payment_credit_notes_amount: invoice.pre_payment_credit_notes_amount - note.pre_payment_amount,
  })
  setRemaining(world, invoice.id, note.pre_payment_amount)
  world.emit('invoice.updated', world.invoices.must(invoice.id))
  return gone
}

function sumsOf(lines: readonly CreditNoteLineRow[]) {
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0)
  const discounts = merged(
    lines.flatMap((line) => line.discount_amounts),
    (row) => row.discount,
  )
  const taxes = merged(
    lines.flatMap((line) => line.taxes ?? []),
    (row) => row.tax_rate_details?.tax_rate ?? '',
  )
  const off = discounts.reduce((sum, row) => sum + row.amount, 0)
  const tax = (behavior: string) =>
    taxes.reduce((sum, row) => sum + (row.tax_behavior === behavior ? row.amount : 0), 0)
  const total = subtotal - off + tax('exclusive')
  return {
    discount_amount: off,
    discount_amounts: discounts,
    pretax_credit_amounts: discounts.map((row) => ({ ...row, type: 'discount' })),
    subtotal,
    subtotal_excluding_tax: subtotal - tax('inclusive'),
    total,
    total_excluding_tax: total - tax('exclusive') - tax('inclusive'),
    total_taxes: taxes,
  }
}

/** Amounts of one name are shown as one. */
function merged<T extends { readonly amount: number; readonly taxable_amount?: number | null }>(
  rows: readonly T[],
  nameOf: (row: T) => string,
): T[] {
  const sums = new Map<string, T>()
  for (const row of rows) {
    const before = sums.get(nameOf(row))
    const taxable = (before?.taxable_amount ?? 0) + (row.taxable_amount ?? 0)
    sums.set(nameOf(row), {
      ...row,
      amount: (before?.amount ?? 0) + row.amount,
      ...('taxable_amount' in row ? { taxable_amount: taxable } : {}),
    })
  }
  return [...sums.values()]
}

/** All notes together with the refunds made apart from them may reach the invoice's total and no more. */
function refuseTooMuch(world: World, { invoice, refunds }: CreditNoteOf, total: number): void {
  const issued = world.creditNotes.by('invoice', invoice.id).filter((note) => note.status === 'issued')
  const linked = new Set([...issued.flatMap((note) => note.refunds), ...refunds].map(({ refund }) => refund))
  const apart = chargesOf(world, invoice)
    .flatMap((charge) => world.refunds.by('charge', charge.id))
    .filter((refund) => refund.status !== 'failed' && !linked.has(refund.id))
    .reduce((sum, refund) => sum + refund.amount, 0)
  const left = invoice.total - issued.reduce((sum, note) => sum + note.total, 0) - apart
  if (total <= 0) throw invalid('A credit note must have a positive amount.', 'amount')
  if (total > left) {
    throw invalid(
      `The credit note's amount (${total}) is more than can still be credited (${left}).`,
      'amount',
    )
  }
}

/**
 * A refund that a note names gave the money of this invoice back, and each part of it belongs to one note only.
 * https://docs.stripe.com/api/credit_notes/create#create_credit_note-refunds
 */
function refuseForeignRefunds(world: World, { invoice, refunds }: CreditNoteOf): void {
  const charges = new Set(chargesOf(world, invoice).map(({ id }) => id))
  const noted = world.creditNotes
    .by('invoice', invoice.id)
    .filter((note) => note.status === 'issued')
    .flatMap((note) => note.refunds)
  for (const [i, { refund: id }] of refunds.entries()) {
    const param = `refunds[${i}][refund]`
    const refund = world.refunds.must(id)
    if (!charges.has(refund.charge as string)) {
      throw invalid(`The refund ${id} is not of a payment of the invoice ${invoice.id}.`, param)
    }
    const before = noted.reduce((sum, row) => sum + (row.refund === id ? row.amount_refunded : 0), 0)
    const asked = refunds.reduce((sum, row) => sum + (row.refund === id ? row.amount : 0), 0)
    if (before + asked > refund.amount) {
      throw invalid(
        `Of the refund ${id} (${refund.amount}) credit notes name ${before} already; they cannot name ${asked} more.`,
        param,
      )
    }
  }
}

/** The payment that can give this much back. */
function chargeOf(world: World, { invoice, refundAmount }: CreditNoteOf): ChargeRow {
  const charge = chargesOf(world, invoice).find(
    (row) => row.paid && row.amount_captured - row.amount_refunded >= refundAmount,
  )
  if (charge === undefined) {
    throw invalid('The refund amount is more than the payment of the invoice.', 'refund_amount')
  }
  return charge
}

function chargesOf(world: World, invoice: InvoiceRow): ChargeRow[] {
  return intentsOf(world, invoice).flatMap((intent) => world.charges.by('payment_intent', intent))
}
