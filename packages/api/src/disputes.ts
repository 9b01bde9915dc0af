import { disputeStatuses } from '@lockstep/core/dispute'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, providerId } from './ids.ts'
import { instant } from './instant.ts'
import { money } from './money.ts'
import { flag, listOf, page } from './pagination.ts'

const dispute = z
  .strictObject({
    id: id('dispute'),
    customer: id('customer'),
    invoice: id('invoice')
      .nullable()
      .meta({ description: 'The one that was paid by it; null: none of ours.' }),
    status: z.enum(disputeStatuses).meta({
      description: 'In Stripe’s words. `warning_…`: the bank only asks, and nothing was taken back so far.',
    }),
    amount: money.meta({ description: 'What the bank takes back; it may be less than was paid.' }),
    reason: z.string().meta({ description: 'The bank’s word for why.', examples: ['fraudulent'] }),
    respondBy: instant.nullable().meta({ description: 'Until when the bank takes evidence.' }),
    providerId,
    createdAt: instant,
  })
  .meta({
    id: 'Dispute',
    description: 'A payment that whoever paid it had their bank take back. It is answered at the provider.',
  })

export const listDisputes = defineRoute({
  id: 'listDisputes',
  method: 'GET',
  path: '/v1/disputes',
  callers: { key: 'invoices:read' },
  summary: 'List disputed payments, newest first',
  description: 'Nothing is done about one by itself: what to answer the bank is for a person.',
  tags: ['Invoices'],
  query: z.strictObject({
    customer: idParam('customer').optional(),
    invoice: idParam('invoice').optional(),
    open: flag.optional().meta({
      description: 'Only those about which something is still to be decided; `false`: only the others.',
    }),
    ...page,
  }),
  answers: { 200: listOf('Dispute', dispute) },
})
