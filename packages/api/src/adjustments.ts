import { adjustmentKinds } from '@lockstep/core/adjustment'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam } from './ids.ts'
import { instant } from './instant.ts'
import { decimalAmount, money } from './money.ts'
import { flag, listOf, page } from './pagination.ts'
import { plainText } from './text.ts'

const who = z
  .string()
  .meta({ description: 'The key that it came by.', examples: ['api_key_01j8kq2v7m5x9c3r6t0w4y8z1b'] })

export const adjustment = z
  .strictObject({
    id: id('adjustment'),
    invoice: id('invoice'),
    kind: z.enum(adjustmentKinds),
    amount: money.meta({ description: 'What it adds: below zero for a credit, zero for a note.' }),
    description: z.string().meta({ description: 'What the customer reads.' }),
    reason: z.string().meta({ description: 'Why; the customer does not read it.' }),
    madeBy: who,
    agent: z
      .string()
      .nullable()
      .meta({ description: 'The person behind it, as the application named them.' }),
    madeAt: instant,
    supersedes: id('adjustment').nullable(),
    withdrawn: z
      .strictObject({ by: who, at: instant, reason: z.string() })
      .nullable()
      .meta({ description: 'Null while it stands.' }),
  })
  .meta({ id: 'Adjustment', description: 'What a person added to an invoice before it was final.' })

const adjustmentEffect = z
  .strictObject({
    invoice: id('invoice'),
    before: money.meta({ description: 'The sum of all lines, before discounts and tax.' }),
    after: money,
    toBalance: money.meta({
      description:
        "Below zero nothing is charged: this much goes onto the customer's balance, for the invoices to come.",
    }),
  })
  .meta({ id: 'AdjustmentEffect' })

const params = z.strictObject({ id: idParam('invoice') })
const tags = ['Invoices']
const query = z.strictObject({
  dryRun: flag.default(true).meta({ description: 'Only say what it would do.' }),
})
const reason = plainText(500)
  .min(1)
  .meta({ description: 'Why, for the records; the customer does not read it.' })

export const createAdjustment = defineRoute({
  id: 'createAdjustment',
  method: 'POST',
  path: '/v1/invoices/:id/adjustments',
  callers: { key: 'operations:write' },
  summary: 'Credit, charge or note something on an invoice that is not final',
  description:
    'A preview unless `dryRun` is false. It stands on the invoice at once, and at the provider after the next sync. What is final takes credit notes instead.',
  tags,
  params,
  query,
  body: z
    .strictObject({
      kind: z.enum(adjustmentKinds).meta({
        description: '`credit` takes off, `charge` adds, `note` says something and costs nothing.',
      }),
      amount: decimalAmount
        .optional()
        .meta({ description: "Above zero, in the invoice's currency; none for a note." }),
      description: plainText(200).min(1).meta({ description: 'What the customer reads.' }),
      reason,
      agent: plainText(100)
        .min(1)
        .optional()
        .meta({ description: 'The person behind it, by your own name.' }),
      supersedes: idParam('adjustment').optional().meta({
        description: 'One that it takes the place of: that is withdrawn together with making this.',
      }),
    })
    .meta({ id: 'NewAdjustment' }),
  answers: { 200: adjustmentEffect, 201: adjustment },
  problems: [
    'invoice_not_found',
    'invoice_frozen',
    'invoice_not_adjustable',
    'adjustment_not_found',
    'adjustment_withdrawn',
    'adjustment_billed',
  ],
})

export const listAdjustments = defineRoute({
  id: 'listAdjustments',
  method: 'GET',
  path: '/v1/invoices/:id/adjustments',
  callers: { key: 'operations:read' },
  summary: 'The adjustments of an invoice, newest first',
  description: 'Those that were withdrawn among them: who did what, when and why.',
  tags,
  params,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('Adjustment', adjustment) },
  problems: ['invoice_not_found'],
})

export const withdrawAdjustment = defineRoute({
  id: 'withdrawAdjustment',
  method: 'POST',
  path: '/v1/invoices/:id/adjustments/:adjustment/withdraw',
  callers: { key: 'operations:write' },
  summary: 'Take an adjustment back',
  description: 'A preview unless `dryRun` is false.',
  tags,
  params: z.strictObject({ id: idParam('invoice'), adjustment: idParam('adjustment') }),
  query,
  body: z.strictObject({ reason }).meta({ id: 'AdjustmentWithdrawal' }),
  answers: { 200: z.union([adjustmentEffect, adjustment]) },
  problems: [
    'invoice_not_found',
    'invoice_frozen',
    'adjustment_not_found',
    'adjustment_withdrawn',
    'adjustment_billed',
  ],
})
