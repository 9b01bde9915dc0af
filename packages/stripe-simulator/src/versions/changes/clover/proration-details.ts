import { change } from '../../change.ts'

export const prorationDetails = change({
  since: '2025-09-30.clover',
  what: 'Invoice items say what they credit and what they come to after discounts.',
  source: 'https://docs.stripe.com/changelog/clover/2025-09-30/itemize-proration-discount-amounts',
  show: { invoiceitem: { drop: ['net_amount', 'proration_details'] } },
})
