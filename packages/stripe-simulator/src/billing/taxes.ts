import type { InvoiceRow, LineRow } from '../rows.ts'
import { parseDecimal } from '../rules/decimal.ts'
import { type Rate, taxesOn, withoutInclusive } from '../rules/tax.ts'
import type { World } from '../world.ts'
import { automaticRates } from './automatic-tax.ts'

type LineTaxes = NonNullable<LineRow['taxes']>

export interface Taxed {
  readonly lines: readonly LineRow[]
  readonly taxes: LineTaxes
  readonly exclusive: number
  readonly inclusive: number
  /** What is inside the lines' amounts before discounts. */
  readonly inSubtotal: number
}

/**
 * Taxes the lines of a draft after their discounts, by their own rates or else by the invoice's, or by those
 * of the customer's place where tax is automatic. Nobody exempt pays; the rates are shown with nothing due. https://docs.stripe.com/invoicing/taxes/tax-rates
 */
export function taxLines(world: World, invoice: InvoiceRow, lines: readonly LineRow[]): Taxed {
  const automatic = invoice.automatic_tax.enabled
  const defaults = (invoice.default_tax_rates as { id: string }[]).map(({ id }) => id)
  const untouched =
    !automatic &&
    defaults.length === 0 &&
    lines.every((line) => line.own.taxRates.length === 0 && (line.taxes ?? []).length === 0)
  if (untouched) return { lines, taxes: [], exclusive: 0, inclusive: 0, inSubtotal: 0 }
  const exempt = exemptionOf(invoice)
  let inSubtotal = 0
  const taxed = lines.map((line) => {
    const others = automatic ? automaticRates(world, invoice, line) : defaults
    const ids = line.own.taxRates.length > 0 ? line.own.taxRates : others
    const rates = ids.map((id) => rateOf(world, id))
    if (exempt === null) inSubtotal += line.amount - withoutInclusive(line.amount, rates)
    return {
      ...line,
      taxes: taxRows(line.own.net, rates, exempt, automatic ? 'standard_rated' : 'not_available'),
    }
  })
  const taxes = summed(taxed.flatMap((line) => line.taxes))
  const sumOf = (behavior: string) =>
    taxes.reduce((sum, tax) => sum + (tax.tax_behavior === behavior ? tax.amount : 0), 0)
  return {
    lines: taxed,
    taxes,
    exclusive: sumOf('exclusive'),
    inclusive: sumOf('inclusive'),
    inSubtotal,
  }
}

/** The taxes of rates given by hand, on something that is no line of an invoice. */
export function taxesByHand(
  world: World,
  invoice: InvoiceRow,
  net: number,
  rates: readonly string[],
): LineTaxes {
  return taxRows(
    net,
    rates.map((id) => rateOf(world, id)),
    exemptionOf(invoice),
    'not_available',
  )
}

/** Why the customer owes no tax on this invoice, or null. */
function exemptionOf({
  customer_tax_exempt: exempt,
}: InvoiceRow): 'customer_exempt' | 'reverse_charge' | null {
  if (exempt === 'exempt') return 'customer_exempt'
  return exempt === 'reverse' ? 'reverse_charge' : null
}

function taxRows(
  net: number,
  rates: readonly Rate[],
  exempt: ReturnType<typeof exemptionOf>,
  otherwise: LineTaxes[number]['taxability_reason'],
): LineTaxes {
  return taxesOn(net, rates).map(({ rate, amount, taxable }) => ({
    amount: exempt === null ? amount : 0,
    tax_behavior: rate.inclusive ? 'inclusive' : 'exclusive',
    tax_rate_details: { tax_rate: rate.id },
    taxability_reason: exempt ?? otherwise,
    taxable_amount: exempt === null ? taxable : net,
    type: 'tax_rate_details' as const,
  }))
}

function rateOf(world: World, id: string): Rate {
  const rate = world.taxRates.must(id)
  return { id, inclusive: rate.inclusive, percent: parseDecimal(rate.own.percent) }
}

/** One entry a rate. */
function summed(taxes: LineTaxes): LineTaxes {
  const byRate = new Map<string, LineTaxes[number]>()
  for (const tax of taxes) {
    const id = tax.tax_rate_details?.tax_rate ?? ''
    const before = byRate.get(id)
    byRate.set(id, {
      ...tax,
      amount: (before?.amount ?? 0) + tax.amount,
      taxable_amount: (before?.taxable_amount ?? 0) + (tax.taxable_amount ?? 0),
    })
  }
  return [...byRate.values()]
}
