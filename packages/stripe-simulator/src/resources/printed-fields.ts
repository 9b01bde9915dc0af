import { missing } from '../errors.ts'
import { clearable, gaps, list, oneOf, type Params, required, shape, text } from '../http/schema.ts'
import type { InvoiceRow, Json } from '../rows.ts'
import type { World } from '../world.ts'
import { address } from './address-param.ts'
import { deletedShown } from './expanded.ts'
import { find } from './lookup.ts'

/** How an invoice is drawn. https://docs.stripe.com/api/invoices/create#create_invoice-rendering */
export const renderingParam = shape({
  amount_tax_display: clearable(oneOf(['exclude_tax', 'include_inclusive_tax'] as const)),
  pdf: shape({ page_size: oneOf(['a4', 'auto', 'letter'] as const) }),
  ...gaps('template', 'template_version'),
})

/** What is said of it is changed, the rest stays. */
export function renderingAfter(
  before: InvoiceRow['rendering'],
  { amount_tax_display: tax, pdf }: Params<(typeof renderingParam)['fields']>,
): InvoiceRow['rendering'] {
  const { page_size: page } = pdf ?? {}
  return {
    amount_tax_display: tax === undefined ? (before?.amount_tax_display ?? null) : tax,
    pdf: page === undefined ? (before?.pdf ?? null) : { page_size: page },
    template: null,
    template_version: null,
  }
}

/** Where the goods of an invoice go; its PDF prints this in the place of the customer's own. */
export const shippingDetails = clearable(
  shape({ address: required(address), name: required(text()), phone: clearable(text()) }),
)

export function shippingOf(
  given: NonNullable<ReturnType<typeof shippingDetails.parse>> | null,
): InvoiceRow['shipping_details'] {
  if (given === null) return null
  return { address: given.address, name: given.name, phone: given.phone ?? null }
}

/** The account's own tax ids that an invoice prints. https://docs.stripe.com/billing/taxes/tax-ids#account-tax-ids */
export const accountTaxIds = clearable(list(text()))

export function accountTaxIdsOf(
  world: World,
  given: readonly string[] | null,
  param: string,
): string[] | null {
  if (given === null || given.length === 0) return null
  return given.map((id, i) => {
    // A customer's is not the account's.
    if (find(world.taxIds, 'tax ID', id, `${param}[${i}]`).customer !== null) {
      throw missing('tax ID', id, `${param}[${i}]`)
    }
    return id
  })
}

/** Of one that was deleted this much is left: `DeletedTaxId` in the client's declarations. */
export function expandedTaxIds(world: World, ids: unknown): Json[] {
  return (ids as string[]).map((id) => {
    const row = world.taxIds.get(id)
    return row === undefined ? deletedShown({ id, object: 'tax_id' }) : world.render(row)
  })
}
