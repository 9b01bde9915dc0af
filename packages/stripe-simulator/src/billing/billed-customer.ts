import type { CustomerRow, InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'

/** How the customer wants invoices drawn, or null where nothing was said. */
export function renderingOf({ invoice_settings: settings }: CustomerRow): InvoiceRow['rendering'] {
  const options = settings.rendering_options
  if (options === null) return null
  return { amount_tax_display: options.amount_tax_display, pdf: null, template: null, template_version: null }
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
