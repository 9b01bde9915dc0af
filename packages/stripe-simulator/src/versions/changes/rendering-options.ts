import type Stripe from 'stripe'
import type { Shown } from '../../shown.ts'
import { change } from '../change.ts'
import type { Given } from '../given.ts'

/** The empty text cleared all that there was to say. */
function renamed(given: Given): void {
  given.move('rendering_options', 'rendering', (value) => (value === '' ? { amount_tax_display: '' } : value))
}

export const renderingOptions = change({
  since: '2024-04-10',
  what: 'How an invoice is laid out is told under `rendering`; it was `rendering_options`.',
  source: 'https://docs.stripe.com/changelog/2024-04-10/renames-rendering-options-invoicing',
  show: {
    invoice: {
      drop: ['rendering'],
      // Of the paper nothing was said yet.
      give: {
        rendering_options: ({ rendering }: Pick<Shown<Stripe.Invoice>, 'rendering'>) =>
          rendering?.amount_tax_display == null ? null : { amount_tax_display: rendering.amount_tax_display },
      },
    },
  },
  parameters: { 'POST /v1/invoices': ['rendering'], 'POST /v1/invoices/:id': ['rendering'] },
  accept: { 'POST /v1/invoices': renamed, 'POST /v1/invoices/:id': renamed },
})
