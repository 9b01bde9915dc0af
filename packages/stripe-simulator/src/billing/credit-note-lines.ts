import { invalid } from '../errors.ts'
import type { MetadataParam } from '../http/schema.ts'
import { taxRatesOf } from '../resources/tax-rates.ts'
import type { CreditNoteLineRow, InvoiceRow, LineRow } from '../rows.ts'
import { divideRounded, formatDecimal, PICOS, parseDecimal, roundPicos } from '../rules/decimal.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { taxesByHand } from './taxes.ts'

/** One line of a credit note as it was asked for. */
export interface CreditLine {
  readonly type: 'invoice_line_item' | 'custom_line_item'
  readonly invoice_line_item?: string | undefined
  readonly amount?: number | undefined
  readonly quantity?: number | undefined
  readonly unit_amount?: number | undefined
  readonly unit_amount_decimal?: string | undefined
  readonly description?: string | undefined
  readonly metadata?: MetadataParam
  readonly tax_rates?: readonly string[] | null | undefined
}

/**
 * The lines of a credit note. A line of the invoice is credited by amount or by quantity, with its share of
 * discounts and taxes; anything else is a custom line. https://docs.stripe.com/api/credit_notes/create
 */
export function creditLines(
  world: World,
  invoice: InvoiceRow,
  given: readonly CreditLine[],
): CreditNoteLineRow[] {
  return given.map((line, i) =>
    line.type === 'custom_line_item'
      ? customLine(world, invoice, line, `lines[${i}]`)
      : invoiceLine(world, invoice, line, `lines[${i}]`),
  )
}

/** What is said of the other kind of line is refused: "only valid when `type` is …". */
function refuseOf(
  line: CreditLine,
  at: string,
  type: CreditLine['type'],
  names: readonly (keyof CreditLine)[],
): void {
  const given = names.find((name) => line[name] != null)
  if (given === undefined) return
  throw invalid(`\`${given}\` is only valid when \`type\` is ${type}.`, `${at}[${given}]`)
}

/** Something that is on no line of the invoice, taxed by the rates that are given for it. */
function customLine(world: World, invoice: InvoiceRow, line: CreditLine, at: string): CreditNoteLineRow {
  refuseOf(line, at, 'invoice_line_item', ['invoice_line_item', 'amount'])
  if (invoice.automatic_tax.enabled) {
    const message = 'A custom_line_item is not valid where the invoice is set up with automatic tax.'
    throw invalid(message, `${at}[type]`)
  }
  if (line.unit_amount !== undefined && line.unit_amount_decimal !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: unit_amount, unit_amount_decimal.',
      `${at}[unit_amount]`,
    )
  }
  const unit =
    line.unit_amount_decimal ?? (line.unit_amount === undefined ? undefined : `${line.unit_amount}`)
  if (unit === undefined || line.description === undefined) {
    const name = unit === undefined ? 'unit_amount' : 'description'
    throw invalid(`Missing required param: ${at}[${name}].`, `${at}[${name}]`, 'parameter_missing')
  }
  const picos = parseDecimal(unit)
  const quantity = line.quantity ?? 1
  const amount = roundPicos(picos * BigInt(quantity))
  const rates = taxRatesOf(world, line.tax_rates, `${at}[tax_rates]`)
  return {
    ...blank(world, amount, 'custom_line_item', line.metadata),
    description: line.description,
    tax_rates: rates as CreditNoteLineRow['tax_rates'],
    taxes: taxesByHand(
      world,
      invoice,
      amount,
      rates.map(({ id }) => id),
    ),
    quantity,
    ...unitOf(picos),
  }
}

/** The whole note as one line, when only its amount is given. */
export function amountLine(world: World, amount: number): CreditNoteLineRow {
  return {
    ...blank(world, amount, 'custom_line_item'),
    description: 'Credit',
    quantity: 1,
    ...unitOf(BigInt(amount) * PICOS),
  }
}

function invoiceLine(world: World, invoice: InvoiceRow, line: CreditLine, at: string): CreditNoteLineRow {
  refuseOf(line, at, 'custom_line_item', ['description', 'unit_amount', 'unit_amount_decimal', 'tax_rates'])
  const credited = invoice.own.lines.find((row) => row.id === line.invoice_line_item)
  if (credited === undefined) {
    throw invalid(
      `No such invoice line item: '${line.invoice_line_item ?? ''}'`,
      `${at}[invoice_line_item]`,
      'resource_missing',
    )
  }
  if ((line.amount === undefined) === (line.quantity === undefined)) {
    throw invalid('You must pass exactly one of `amount` and `quantity`.', `${at}[amount]`)
  }
  const whole = credited.quantity ?? 1
  if (line.quantity !== undefined && line.quantity > whole) {
    throw invalid(`The line has a quantity of ${whole}.`, `${at}[quantity]`)
  }
  const amount =
    line.amount ?? Number(divideRounded(BigInt(credited.amount) * BigInt(line.quantity ?? 0), BigInt(whole)))
  if (amount > credited.amount) {
    throw invalid(`The line is about ${credited.amount}; more cannot be credited.`, `${at}[amount]`)
  }
  const before = creditedBefore(world, invoice, credited.id)
  if (before + amount > credited.amount) {
    throw invalid(
      `Of the line's ${credited.amount} there are ${before} credited already; ${amount} more cannot be.`,
      `${at}[amount]`,
    )
  }
  const share = (part: number) => shareOf(part, amount, credited)
  const discounts = (credited.discount_amounts ?? []).map((row) => ({ ...row, amount: share(row.amount) }))
  const off = discounts.reduce((sum, row) => sum + row.amount, 0)
  return {
    ...blank(world, amount, 'invoice_line_item', line.metadata),
    description: line.description ?? credited.description,
    discount_amount: off,
    discount_amounts: discounts,
    pretax_credit_amounts: discounts.map((row) => ({ ...row, type: 'discount' })),
    invoice_line_item: credited.id,
    quantity: line.quantity ?? null,
    ...(line.quantity === undefined
      ? { unit_amount: null, unit_amount_decimal: null }
      : unitOf(divideRounded(BigInt(credited.amount) * PICOS, BigInt(whole)))),
    tax_rates: (credited.taxes ?? []).flatMap((tax) => {
      const rate = world.taxRates.get(tax.tax_rate_details?.tax_rate)
      return rate === undefined ? [] : [shownRate(world, rate.id)]
    }),
    taxes: (credited.taxes ?? []).map((tax) => ({
      ...tax,
      amount: share(tax.amount),
      taxable_amount: tax.taxable_amount === null ? null : share(tax.taxable_amount),
    })),
  }
}

/** What notes that stand took off a line so far. */
function creditedBefore(world: World, invoice: InvoiceRow, line: string): number {
  return world.creditNotes
    .by('invoice', invoice.id)
    .filter((note) => note.status === 'issued')
    .flatMap((note) => note.own.lines)
    .reduce((sum, row) => sum + (row.invoice_line_item === line ? row.amount : 0), 0)
}

function shareOf(part: number, amount: number, credited: LineRow): number {
  if (credited.amount === 0) return 0
  return Number(divideRounded(BigInt(part) * BigInt(amount), BigInt(credited.amount)))
}

function unitOf(picos: bigint): Pick<CreditNoteLineRow, 'unit_amount' | 'unit_amount_decimal'> {
  return {
    unit_amount: picos % PICOS === 0n ? Number(picos / PICOS) : null,
    unit_amount_decimal: formatDecimal(picos),
  }
}

function shownRate(world: World, id: string): CreditNoteLineRow['tax_rates'][number] {
  return world.render(world.taxRates.must(id)) as unknown as CreditNoteLineRow['tax_rates'][number]
}

function blank(world: World, amount: number, type: CreditLine['type'], labels?: MetadataParam) {
  return {
    id: world.ids.next('cnli'),
    object: 'credit_note_line_item' as const,
    amount,
    discount_amount: 0,
    discount_amounts: [],
    livemode: false,
    // As recorded of a line that was given none.
    metadata: labels === undefined ? null : mergeMetadata({}, labels),
    pretax_credit_amounts: [],
    tax_rates: [],
    taxes: [],
    type,
  }
}
