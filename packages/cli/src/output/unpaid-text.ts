import type { Invoice } from '@lockstep/sdk'
import { amountText, instantText } from './format.ts'
import { yellow } from './style.ts'
import { table } from './table.ts'

/**
 * What a customer has to pay that no renewal will, and where; nothing where all is paid, and where the service is of a version
 * that does not say it.
 */
export function unpaidTexts(invoices: readonly Invoice[] | undefined = []): string[] {
  if (invoices.length === 0) return []
  const rows = table(invoices, [
    { title: 'number', cell: ({ number }) => number ?? '' },
    {
      title: 'left to pay',
      align: 'right',
      cell: ({ amountRemaining: left }) => (left ? `${amountText(left)} ${left.currency}` : '–'),
    },
    { title: 'tried next', cell: ({ nextPaymentAttemptAt: at }) => (at ? instantText(at) : 'not by itself') },
    { title: 'id', cell: ({ id }) => id },
    { title: 'page', cell: ({ hostedInvoiceUrl }) => hostedInvoiceUrl ?? '' },
  ])
  return ['', yellow('Waits for payment:'), rows]
}
