import { refundReasons, refundStatuses } from '@lockstep/core/money-back'
import { stuckReasons } from '@lockstep/core/stuck-refund'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, providerId } from './ids.ts'
import { instant } from './instant.ts'
import { decimalAmount, money } from './money.ts'
import { flag, listOf, page } from './pagination.ts'
import { plainText } from './text.ts'

const reason = z.enum(refundReasons).meta({ description: "The provider's word for why." })

export const refund = z
  .strictObject({
    id: id('refund'),
    customer: id('customer'),
    invoice: id('invoice'),
    creditNote: id('credit_note').nullable().meta({ description: 'The credit note that it belongs to.' }),
    status: z.enum(refundStatuses).meta({
      description:
        "`making`: the provider has not answered yet. `refused`: nothing came of it. The others are the provider's; `failed`: the bank sent it back, and it counts as never made.",
    }),
    amount: money,
    reason: z.string().nullable().meta({ description: "The provider's word for why." }),
    failureReason: z.string().nullable(),
    providerId: providerId.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Refund', description: 'Money that went back to whoever paid an invoice.' })

const refundPreview = z
  .strictObject({
    invoice: id('invoice'),
    amount: money.meta({
      description: 'What would be given back; without one asked for, the most there is.',
    }),
    left: money.meta({ description: 'What could still be given back afterwards, by any way.' }),
    creditedSince: money.meta({
      description:
        'Credited on later invoices of time that this one paid: by a change, an end or in the dashboard. It is given back already, and not once more.',
    }),
  })
  .meta({ id: 'RefundPreview' })

const params = z.strictObject({ id: idParam('invoice') })
const tags = ['Invoices']

export const createRefund = defineRoute({
  id: 'createRefund',
  method: 'POST',
  path: '/v1/invoices/:id/refunds',
  callers: { key: 'invoices:write' },
  summary: 'Give back what was paid for an invoice',
  description:
    'Says what would be given back unless `dryRun` is false; only then is anything done, and then the amount must be named. Never more than was paid, all ways of giving back together, what later changes credited of it too.',
  tags,
  params,
  query: z.strictObject({
    dryRun: flag.default(true).meta({ description: 'Only say what would be given back.' }),
  }),
  body: z
    .strictObject({
      amount: decimalAmount.optional().meta({ description: "In the invoice's currency." }),
      reason: reason.optional(),
    })
    .meta({ id: 'NewRefund' }),
  answers: {
    200: refundPreview,
    201: refund,
    202: refund.meta({ description: 'The provider has not answered yet.' }),
  },
  problems: [
    'invoice_not_found',
    'invoice_not_final',
    'refund_exceeds_payment',
    'money_back_in_progress',
    'provider_refused',
    'provider_unavailable',
  ],
})

export const listRefunds = defineRoute({
  id: 'listRefunds',
  method: 'GET',
  path: '/v1/invoices/:id/refunds',
  callers: { key: 'invoices:read', user: 'own invoice' },
  summary: 'What was given back of an invoice, newest first',
  tags,
  params,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('Refund', refund) },
  problems: ['invoice_not_found'],
})

const stuckRefund = refund
  .extend({
    stuck: z.strictObject({
      code: z.enum(stuckReasons).meta({
        description:
          '`unanswered`: the provider has not said whether it makes it; it is tried again by itself. `pending`: under way at the bank for more than five days. `actionRequired`: whoever paid has to say where it goes. `failed`: the bank sent it back, and as much was not given back in another way since.',
      }),
      detail: z.string(),
    }),
    acknowledgement: z
      .strictObject({
        reason: z.string(),
        agent: z.string().nullable(),
        by: z.string().meta({ description: 'Who asked for it.' }),
        at: instant,
      })
      .nullable()
      .meta({
        description: 'That a person has seen it stuck for this reason. Null: it still needs somebody.',
      }),
  })
  .meta({ id: 'StuckRefund', description: 'A refund that does not come to its end by itself.' })

export const acknowledgeStuckRefund = defineRoute({
  id: 'acknowledgeStuckRefund',
  method: 'POST',
  path: '/v1/stuck-refunds/:id/acknowledgement',
  callers: { key: 'operations:write' },
  summary: 'Say that nothing is left to be done about a stuck refund',
  description:
    'Says what would be acknowledged unless `dryRun` is false. It leaves the list of those that need somebody and is counted no more; nothing of it is changed, here or at the provider. Of what it is stuck for now alone: for another reason it is listed anew. What was said first stands.',
  tags,
  params: z.strictObject({ id: idParam('refund') }),
  query: z.strictObject({
    dryRun: flag.default(true).meta({ description: 'Only show what would be acknowledged.' }),
  }),
  body: z
    .strictObject({
      reason: plainText(500).min(1).meta({ description: 'Why nothing is left to be done. For the records.' }),
      agent: plainText(100)
        .min(1)
        .optional()
        .meta({ description: 'The person behind it, by your own name.' }),
    })
    .meta({ id: 'RefundAcknowledgement' }),
  answers: { 200: stuckRefund },
  problems: ['refund_not_found', 'refund_not_stuck'],
})

export const listStuckRefunds = defineRoute({
  id: 'listStuckRefunds',
  method: 'GET',
  path: '/v1/stuck-refunds',
  callers: { key: 'invoices:read' },
  summary: 'Refunds that need a person, newest first',
  description:
    'One is listed until the provider tells that it has succeeded, or, of one that was sent back, until as much of its invoice was given back in another way, or until a person acknowledges it.',
  tags,
  query: z.strictObject({
    all: flag.default(false).meta({ description: 'Those that a person has acknowledged as well.' }),
    ...page,
  }),
  answers: { 200: listOf('StuckRefund', stuckRefund) },
})
