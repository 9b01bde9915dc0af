import type Stripe from 'stripe'
import { missing } from '../../../errors.ts'
import type { Shown } from '../../../shown.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

/** A refund was credited whole. */
function plural(given: Given): void {
  const id = given.get('refund')
  if (typeof id !== 'string') return
  const refund = given.world.refunds.get(id)
  if (refund === undefined) throw missing('refund', id, 'refund')
  given.move('refund', 'refunds[0][refund]')
  given.set('refunds[0][amount_refunded]', String(refund.amount))
}

export const creditNoteRefunds = change({
  since: '2025-03-31.basil',
  what: 'A credit note can have several refunds.',
  source:
    'https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices',
  show: {
    credit_note: {
      drop: ['refunds'],
      give: {
        refund: ({ refunds }: Pick<Shown<Stripe.CreditNote>, 'refunds'>) => refunds[0]?.refund ?? null,
      },
    },
  },
  expand: {
    credit_note: {
      'refunds.refund': null,
      refund: (world, { refund: id }) => {
        const refund = world.refunds.get(id as string | null)
        return refund === undefined ? null : world.render(refund)
      },
    },
  },
  parameters: {
    'POST /v1/credit_notes': ['refunds'],
    'GET /v1/credit_notes/preview': ['refunds'],
    'GET /v1/credit_notes/preview/lines': ['refunds'],
  },
  accept: {
    'POST /v1/credit_notes': plural,
    'GET /v1/credit_notes/preview': plural,
    'GET /v1/credit_notes/preview/lines': plural,
  },
})
