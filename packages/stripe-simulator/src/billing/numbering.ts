import type { CustomerRow } from '../rows.ts'
import type { World } from '../world.ts'

/** The prefix of an account whose invoices are numbered through. */
const ACCOUNT_PREFIX = 'SIMULATOR'

/**
 * The next number of an invoice: in the customer's own sequence, or in the account's. One that was given by
 * hand uses none up. https://docs.stripe.com/invoicing/customize#invoice-numbering
 */
export function nextNumber(world: World, { id, ...customer }: CustomerRow): string {
  if (world.settings.invoiceNumbering === 'account') return accountNumber(world)
  const sequence = customer.next_invoice_sequence ?? 1
  world.customers.patch(id, { next_invoice_sequence: sequence + 1 })
  return numbered(customer.invoice_prefix ?? '', sequence)
}

function accountNumber(world: World): string {
  let sequence = world.invoices.count('prefix', ACCOUNT_PREFIX) + 1
  while (world.invoices.count('number', numbered(ACCOUNT_PREFIX, sequence)) > 0) sequence++
  return numbered(ACCOUNT_PREFIX, sequence)
}

function numbered(prefix: string, sequence: number): string {
  return `${prefix}-${String(sequence).padStart(4, '0')}`
}
