import { invoiceStatuses } from '@lockstep/core/invoice'
import { correctionKinds } from '@lockstep/core/usage-correction'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { derivation } from './derivations.ts'
import { expand, expanded } from './expand.ts'
import { externalId, id, idParam, lineKey, providerId } from './ids.ts'
import { instant, period } from './instant.ts'
import { currency, money } from './money.ts'
import { cursor, flag, listOf, page } from './pagination.ts'
import { recordedProblem } from './problems.ts'
import { quantity } from './quantity.ts'
import { givenName } from './text.ts'
import { countedUsage } from './usage-corrections.ts'
import { usageMonth } from './usage-retention.ts'

export const invoiceStatus = z.enum(invoiceStatuses).meta({
  id: 'InvoiceStatus',
  description:
    "`current`: the period runs. `closing`: it is over, and the provider's draft is still open. The others are the provider's.",
})

export const invoiceLine = z
  .strictObject({
    id: z.string().meta({ description: 'Names the line on this invoice.' }),
    key: lineKey.nullable().meta({
      description:
        "The price's key, with its group's where it has one, or the adjustment's id; null for what only the provider knows, and for what is carried to the next invoice.",
    }),
    description: z.string(),
    period: period.meta({ description: 'When the service was given.' }),
    quantity: quantity.nullable(),
    unitLabel: z.string().nullable(),
    amount: money,
    late: z.boolean().meta({ description: 'Usage that came after the invoice of its own period was final.' }),
    derivation: derivation.nullable().meta({ description: "Null where the amount is the provider's own." }),
    reason: z.string().nullable().meta({
      description:
        "Of what the provider bills by itself and is none of Lockstep's, what is pending there and what its own meters have counted: why it stands here. Null of every other line.",
    }),
    asOf: instant.nullable().meta({
      description:
        "Of what the provider's own meters have counted so far: when it said so, in the customer's own time. Null of every other line.",
    }),
    providerId: providerId.nullable(),
  })
  .meta({ id: 'InvoiceLine' })

const discount = z
  .strictObject({
    name: z.string(),
    coupon: z.string().nullable().meta({ description: "The catalogue's key of it, if it has one." }),
    source: z.enum(['item', 'subscription', 'customer', 'line']).nullable().meta({
      description:
        "What it was given to; `line` is one of the provider's own lines. Null of a final invoice, of which the provider does not say.",
    }),
    amount: money.meta({ description: 'What it takes off, above zero.' }),
    explanation: z.string(),
  })
  .meta({ id: 'InvoiceDiscount', description: 'What one discount takes off an invoice.' })

const tax = z
  .strictObject({
    amount: money.nullable().meta({ description: 'All tax of the invoice. Null where it is not known.' }),
    included: money.nullable().meta({
      description: 'What of it the amounts of the lines contain already; the rest comes on top.',
    }),
    certainty: z.enum(['certain', 'estimated', 'unknown']).meta({
      description:
        '`certain`: by written rates, or none apply, or it is final. `estimated`: the provider computes it, and took as much of the invoice before. `unknown`: the total is without it.',
    }),
    explanation: z.array(z.string()),
  })
  .meta({ id: 'InvoiceTax' })

const balance = z
  .strictObject({
    before: money,
    after: money.nullable().meta({ description: 'Once this invoice is final.' }),
    explanation: z.string().meta({ description: 'What becomes of the total, and why.' }),
  })
  .meta({
    id: 'InvoiceBalance',
    description:
      "The customer's balance at the provider, which is no part of the total: below zero it is credit, above it what was too little to be charged.",
  })

const fields = {
  id: id('invoice'),
  customer: id('customer'),
  externalId,
  subscription: id('subscription').nullable(),
  billingReason: z.string().meta({ examples: ['subscription_cycle'] }),
  status: invoiceStatus,
  currency,
  period: period.meta({ description: 'The period whose usage it bills.' }),
  number: z.string().nullable().meta({ description: 'Printed on the invoice; given when it is final.' }),
  subtotal: money
    .nullable()
    .meta({ description: 'Of all lines, before discounts and tax. Null in lists while the period runs.' }),
  total: money.nullable().meta({
    description:
      "After discounts and with tax: while it is open, what the provider's preview says, but for what `unknown` names. Null in lists while the period runs.",
  }),
  amountDue: money.nullable().meta({
    description:
      'What of the total is to be charged, with the balance taken into account. Null where the balance is not known, and in lists while the period runs.',
  }),
  amountPaid: money.nullable(),
  amountRemaining: money.nullable(),
  nextPaymentAttemptAt: instant.nullable().meta({
    description:
      'When the provider tries to collect it next. Null where it does not by itself: then the customer pays on `hostedInvoiceUrl`.',
  }),
  openedAt: instant,
  finalizesAt: instant.nullable().meta({ description: "When the provider's draft becomes final." }),
  finalizedAt: instant.nullable().meta({ description: 'Since then nothing of it changes.' }),
  syncedAt: instant
    .nullable()
    .meta({ description: 'When the provider was last told; null if it never was.' }),
  stale: z.boolean().meta({ description: 'Usage came since the provider was last told.' }),
  syncProblem: recordedProblem.nullable().meta({ description: 'Why the last sync failed.' }),
  hostedInvoiceUrl: z
    .string()
    .nullable()
    .meta({ description: "The provider's page on which it is seen, and paid while it is open." }),
  invoicePdf: z.string().nullable(),
  providerId: providerId.nullable(),
  ...expanded,
}

export const invoice = z
  .strictObject(fields)
  .meta({ id: 'Invoice', description: 'What a customer owes for one period of a subscription.' })

const forecast = z
  .strictObject({
    at: instant.meta({ description: "The moment it was made at, in the customer's own time." }),
    until: instant.meta({
      description:
        'To when usage is foreseen: the end of the period, or the planned one of the subscription before.',
    }),
    subtotal: money.meta({
      description:
        'Before discounts and tax, with the fees to come, what came late and what is pending at the provider.',
    }),
    total: money.meta({
      description: "After discounts and with tax, as far as the invoice's own total is.",
    }),
    lines: z
      .array(
        z.strictObject({
          key: z.string(),
          description: z.string(),
          quantity: quantity.nullable(),
          amount: money,
        }),
      )
      .meta({ description: 'Those that Lockstep rates of this period.' }),
  })
  .meta({
    id: 'Forecast',
    description: 'An estimate of what the invoice says at the end of its period, if usage goes on as it has.',
  })

export const invoiceWithLines = z
  .strictObject({
    ...fields,
    lines: z.array(invoiceLine),
    discounts: z.array(discount).meta({ description: 'In the order in which they are taken off.' }),
    discountTotal: money.meta({ description: 'What all of them take off, above zero.' }),
    tax,
    balance: balance
      .nullable()
      .meta({ description: 'Null where the customer was not seen at the provider.' }),
    unknown: z.array(z.enum(['discounts', 'tax'])).meta({
      description:
        'What the provider takes into account and the total does not, because it is not known here. Empty: the total is whole.',
    }),
    forecast: forecast.nullable().meta({
      description: 'Null in the first hour of the period, and when it is over. Never sent to the provider.',
    }),
  })
  .meta({ id: 'InvoiceWithLines', description: 'An invoice with all its lines.' })

const plannedItem = z
  .strictObject({
    line: lineKey.meta({
      description: "The price's key, with its group's if it has one, or the adjustment's id.",
    }),
    originInvoice: id('invoice').meta({
      description: 'The invoice of the period it bills; another one for late usage.',
    }),
    revision: z.int().min(0).meta({ description: 'How many parts of this line were billed before.' }),
    description: z.string(),
    period,
    quantity: quantity.nullable(),
    amount: money,
    providerId: providerId
      .nullable()
      .meta({ description: 'The item at the provider; null if it is yet to be made.' }),
  })
  .meta({ id: 'PlannedItem' })

export const syncPlan = z
  .strictObject({
    invoice: id('invoice'),
    dryRun: z.boolean(),
    create: z.array(plannedItem),
    update: z.array(plannedItem),
    remove: z.array(plannedItem),
    keep: z.array(plannedItem),
    calls: z.int().meta({ description: 'Writing calls to the provider that this takes.' }),
  })
  .meta({
    id: 'SyncPlan',
    description: 'The difference between what the invoice must say and what stands at the provider.',
  })

const measuredEvent = z
  .strictObject({ source: z.string(), id: z.string(), time: instant, quantity })
  .meta({ id: 'MeasuredEvent' })

const measuredGroup = z
  .strictObject({
    dimensions: z.record(z.string(), z.string().nullable()),
    quantity,
    events: z.int(),
  })
  .meta({ id: 'MeasuredGroup', description: 'Usage of which each dimension has one value, or none (null).' })

const lineCorrection = z
  .strictObject({
    kind: z.enum(correctionKinds),
    madeAt: instant,
    period,
    event: z.strictObject({ source: z.string(), id: z.string() }).nullable(),
    removed: countedUsage,
    added: countedUsage,
  })
  .meta({ id: 'LineCorrection', description: 'What was corrected of the events of a line.' })

const params = z.strictObject({ id: idParam('invoice') })
const tags = ['Invoices']

export const listInvoices = defineRoute({
  id: 'listInvoices',
  method: 'GET',
  path: '/v1/invoices',
  callers: { key: 'invoices:read', user: 'own customer in query' },
  summary: 'List invoices, newest first',
  tags,
  query: z.strictObject({
    customer: idParam('customer').optional(),
    subscription: idParam('subscription').optional(),
    status: invoiceStatus.optional(),
    expand,
    ...page,
  }),
  answers: { 200: listOf('Invoice', invoice) },
})

export const readInvoice = defineRoute({
  id: 'readInvoice',
  method: 'GET',
  path: '/v1/invoices/:id',
  callers: { key: 'invoices:read', user: 'own invoice' },
  summary: 'One invoice with its lines',
  description: 'While its period runs or closes, the lines are computed from the usage of this moment.',
  tags,
  params,
  query: z.strictObject({ expand }),
  answers: { 200: invoiceWithLines },
  problems: ['invoice_not_found'],
})

export const explainLine = defineRoute({
  id: 'explainLine',
  method: 'GET',
  path: '/v1/invoices/:id/lines/:line/derivation',
  callers: { key: 'invoices:read', user: 'own invoice' },
  summary: "How a line's amount came about",
  tags,
  description:
    'Down to the events that a quantity is made of, oldest first, a page at a time; those that count now. Corrections are those that the line says already.',
  params: z.strictObject({
    id: idParam('invoice'),
    line: givenName(200).meta({ description: "The line's id, or its key where no other line has it." }),
  }),
  query: z.strictObject({ ...page, after: cursor(/^\d{1,16}\.[0-9a-f]{64}$/) }),
  answers: {
    200: z
      .strictObject({
        line: invoiceLine,
        derivation: derivation.nullable(),
        events: listOf('MeasuredEvent', measuredEvent)
          .nullable()
          .meta({ description: 'Null where nothing is measured: fees, shares, adjustments.' }),
        expired: z
          .array(z.strictObject({ month: usageMonth, events: z.int() }))
          .meta({ description: 'Events that count and are no longer kept, by month: they are not listed.' }),
        groups: z.array(measuredGroup).nullable().meta({
          description:
            "Of a line of several groups: up to 100 of them, the greatest first, as they are measured now. Null where the line is one group's or its meter has no dimensions.",
        }),
        corrections: z.array(lineCorrection).meta({ description: 'Oldest first.' }),
        explanation: z
          .array(z.string())
          .meta({ description: 'The same in words, a line each, for a person to check.' }),
      })
      .meta({ id: 'LineDerivation' }),
  },
  problems: ['invoice_not_found'],
})

/** Bytes are no JSON: nothing is checked of them. */
const bytes = z.unknown() as z.ZodType<Uint8Array>

export const downloadAnnex = defineRoute({
  id: 'downloadAnnex',
  method: 'GET',
  path: '/v1/invoices/:id/annex.pdf',
  callers: { key: 'invoices:read', user: 'own invoice' },
  summary: 'How every amount of a final invoice came about, as a PDF',
  description: "To go with the provider's own PDF. It says the same whenever it is asked for.",
  tags,
  params,
  produces: 'application/pdf',
  answers: { 200: bytes },
  problems: ['invoice_not_found', 'invoice_not_final', 'overloaded'],
})

export const syncInvoice = defineRoute({
  id: 'syncInvoice',
  method: 'POST',
  path: '/v1/invoices/:id/sync',
  callers: { key: 'invoices:write' },
  summary: 'Make the provider say what this invoice says',
  description:
    'Sends the difference only. Where nothing happened since it was last sent, nobody is asked, unless with `look`. With `dryRun` nothing is sent; the answer is what would be.',
  tags,
  params,
  query: z.strictObject({
    dryRun: flag.default(false).meta({ description: 'Only say what would be done.' }),
    look: flag.default(false).meta({
      description:
        'Look at what stands at the provider also where nothing happened here: what somebody removed or changed there by hand is put right.',
    }),
  }),
  answers: { 200: syncPlan },
  problems: ['invoice_not_found', 'invoice_frozen', 'provider_unavailable'],
})
