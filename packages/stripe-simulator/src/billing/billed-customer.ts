import type { CustomerRow, InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'

/** How an invoice is drawn, or null where nobody said. */
type Rendering = InvoiceRow['rendering']

/**
 * How an invoice is laid out: as its customer has it, and one that somebody makes says its paper too. As recorded:
 * github.com/Kiln-AI/stripe_world, cassette 13, where invoices of subscriptions say nothing of it.
 */
export function renderingOf(
  { invoice_settings: settings }: CustomerRow,
  reason: InvoiceRow['billing_reason'],
): Rendering {
  const options = settings.rendering_options
  const byHand = reason === 'manual'
  if (options === null && !byHand) return null
  return {
    amount_tax_display: options?.amount_tax_display ?? null,
    pdf: byHand ? { page_size: 'auto' } : null,
    template: null,
    template_version: null,
  }
}

/** Finalizing settles the paper: letters in the United States, where the account is. */
export function printed(rendering: Rendering): Rendering {
  if (rendering?.pdf?.page_size !== 'auto') return rendering
  return { ...rendering, pdf: { page_size: 'letter' } }
}

/**
 * Who is billed, as an invoice shows it: "Once the invoice is finalized, this field will no longer be updated", so
 * it is written down with the draft and once more when that is finalized. https://docs.stripe.com/api/invoices/object
 */
export function billedCustomer(world: World, customer: CustomerRow) {
  const taxIds = world.taxIds.by('customer', customer.id).map(({ type, value }) => ({ type, value }))
  return {
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: customer.shipping ?? null,
    customer_tax_exempt: customer.tax_exempt ?? 'none',
    customer_tax_ids: taxIds as InvoiceRow['customer_tax_ids'],
  } satisfies Partial<InvoiceRow>
}
