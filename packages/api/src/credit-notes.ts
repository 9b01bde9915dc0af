import { creditNoteReasons, creditNoteStatuses, waysBack } from '@lockstep/core/money-back'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, providerId } from './ids.ts'
import { instant } from './instant.ts'
import { decimalAmount, money } from './money.ts'
import { flag, listOf, page } from './pagination.ts'

const amounts = {
  total: money.meta({ description: 'What it takes off the invoice.' }),
  prePayment: money.meta({ description: 'Of it off what was still to be paid.' }),
  refunded: money.meta({ description: 'Of it given back to whoever paid.' }),
  credited: money.meta({ description: "Of it on the customer's balance, for invoices to come." }),
  outOfBand: money.meta({ description: 'Of it given back outside the provider.' }),
}

export const creditNote = z
  .strictObject({
    id: id('credit_note'),
    customer: id('customer'),
    invoice: id('invoice'),
    status: z.enum(creditNoteStatuses).meta({
      description:
        "`making`: the provider has not answered yet. `refused`: nothing came of it. The others are the provider's.",
    }),
    ...amounts,
    reason: z.string().nullable(),
    number: z.string().nullable(),
    pdf: z.string().nullable(),
    providerId: providerId.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'CreditNote', description: 'A document that takes an amount off a final invoice.' })

const creditNotePreview = z
  .strictObject({
    invoice: id('invoice'),
    ...amounts,
    left: money.meta({ description: 'What could still be credited afterwards.' }),
  })
  .meta({ id: 'CreditNotePreview' })

const params = z.strictObject({ id: idParam('invoice') })
const tags = ['Invoices']

export const createCreditNote = defineRoute({
  id: 'createCreditNote',
  method: 'POST',
  path: '/v1/invoices/:id/credit-notes',
  callers: { key: 'invoices:write' },
  summary: 'Take an amount off a final invoice',
  description:
    "The provider's own preview unless `dryRun` is false; only then is anything done, and then the amount must be named. First it lowers what is still to be paid; the rest was paid, and goes back as `paidPart` says.",
  tags,
  params,
  query: z.strictObject({
    dryRun: flag.default(true).meta({ description: 'Only say what it would do.' }),
  }),
  body: z
    .strictObject({
      amount: decimalAmount.optional().meta({
        description: "With tax, in the invoice's currency. Without it a preview is of all there is.",
      }),
      paidPart: z.enum(waysBack).default('refund').meta({
        description:
          "Where the part goes that was paid: `refund` to whoever paid, `balance` for the customer's next invoices, `outOfBand` if it was given back otherwise.",
      }),
      reason: z.enum(creditNoteReasons).optional().meta({ description: "The provider's word for why." }),
    })
    .meta({ id: 'NewCreditNote' }),
  answers: {
    200: creditNotePreview,
    201: creditNote,
    202: creditNote.meta({ description: 'The provider has not answered yet.' }),
  },
  problems: [
    'invoice_not_found',
    'invoice_not_final',
    'credit_note_exceeds_invoice',
    'refund_exceeds_payment',
    'money_back_in_progress',
    'provider_refused',
    'provider_unavailable',
  ],
})

export const listCreditNotes = defineRoute({
  id: 'listCreditNotes',
  method: 'GET',
  path: '/v1/invoices/:id/credit-notes',
  callers: { key: 'invoices:read', user: 'own invoice' },
  summary: 'The credit notes of an invoice, newest first',
  tags,
  params,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('CreditNote', creditNote) },
  problems: ['invoice_not_found'],
})
