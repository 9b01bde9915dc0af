import { invalid } from '../../errors.ts'
import { change } from '../change.ts'

const NAME = 'pending_invoice_items_behavior'

export const pendingItemsBehavior = change({
  since: '2022-08-01',
  what: 'An invoice leaves pending items alone unless it is told to take them; it took them, and could require some.',
  source: 'https://docs.stripe.com/changelog/2022-08-01/removes-include-require-value-invoices',
  accept: {
    'POST /v1/invoices': (given) => {
      const behavior = given.get(NAME)
      const customer = given.get('customer')
      // A revision has the items of the invoice that it revises.
      if (behavior === undefined && given.get('from_invoice') !== undefined) return
      if (behavior === 'include_and_require' && typeof customer === 'string') {
        if (given.world.invoiceItems.count('pending', customer) === 0) {
          throw invalid('Nothing to invoice for customer', 'customer', 'invoice_no_customer_line_items')
        }
      }
      if (behavior === undefined || behavior === 'include_and_require') given.set(NAME, 'include')
    },
  },
})
