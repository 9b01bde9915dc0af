import type Stripe from 'stripe'
import type { Json } from '../../../rows.ts'
import type { Shown } from '../../../shown.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'

type Taxes = NonNullable<Shown<Stripe.Invoice>['total_taxes']>
type Taxed = { readonly taxes: Taxes | null; readonly amount: number }
type Totalled = { readonly total_taxes: Taxes | null }

const amounts = (taxes: Taxes | null) =>
  (taxes ?? []).map((tax) => ({
    amount: tax.amount,
    inclusive: tax.tax_behavior === 'inclusive',
    tax_rate: tax.tax_rate_details?.tax_rate ?? '',
    taxability_reason: tax.taxability_reason,
    taxable_amount: tax.taxable_amount,
  }))

const inclusive = (taxes: Taxes | null) =>
  (taxes ?? []).reduce((sum, tax) => sum + (tax.tax_behavior === 'inclusive' ? tax.amount : 0), 0)

/** Before discounts, in the minor unit. */
const excludingTax = ({ amount, taxes }: Taxed) => amount - inclusive(taxes)

const excludingTaxOfUnit = (line: Taxed & { readonly quantity: number | null }) => {
  const total = excludingTax(line)
  const quantity = line.quantity ?? 0
  // Told where it is exact: Stripe's rounding of the rest is not documented.
  return quantity > 0 && total % quantity === 0 ? String(total / quantity) : null
}

/** The line's own rates. The rates of the whole invoice were told of the invoice only. */
function ratesOfLine(line: { readonly id: string; readonly invoice: string | null }, world: World): Json[] {
  const row = world.invoices.get(line.invoice)?.own.lines.find(({ id }) => id === line.id)
  return (row?.own.taxRates ?? []).map((id) => world.render(world.taxRates.must(id)))
}

const totalAmounts = ({ total_taxes: taxes }: Totalled) => amounts(taxes)
const lineAmounts = ({ taxes }: Taxed) => amounts(taxes)

export const invoiceTax = change({
  since: '2025-03-31.basil',
  what: 'Taxes are lists of their own kind; they were amounts that name a tax rate.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/invoice-tax-configurations',
  show: {
    invoice: {
      drop: ['total_taxes'],
      give: {
        total_tax_amounts: totalAmounts,
        tax: ({ total_taxes: taxes }: Totalled) =>
          taxes === null || taxes.length === 0 ? null : taxes.reduce((sum, tax) => sum + tax.amount, 0),
      },
    },
    line_item: {
      drop: ['taxes', 'subtotal'],
      give: {
        tax_amounts: lineAmounts,
        tax_rates: ratesOfLine,
        amount_excluding_tax: excludingTax,
        unit_amount_excluding_tax: excludingTaxOfUnit,
      },
    },
    credit_note: { drop: ['total_taxes'], give: { tax_amounts: totalAmounts } },
    credit_note_line_item: {
      drop: ['taxes'],
      give: {
        tax_amounts: lineAmounts,
        amount_excluding_tax: excludingTax,
        unit_amount_excluding_tax: excludingTaxOfUnit,
      },
    },
  },
})
