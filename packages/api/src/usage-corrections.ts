import { correctionKinds } from '@lockstep/core/usage-correction'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, key, lineKey } from './ids.ts'
import { instant, instantInput, period } from './instant.ts'
import { money } from './money.ts'
import { flag, listOf, page } from './pagination.ts'
import { quantity } from './quantity.ts'
import { givenName, plainText } from './text.ts'
import { MAX_EVENTS_PER_REQUEST } from './usage-events.ts'

export const countedUsage = z.strictObject({
  events: z.int(),
  quantity: quantity.meta({ description: 'Their quantities added up, whatever the meter makes of them.' }),
})

const effect = z
  .array(
    z
      .strictObject({
        invoice: id('invoice'),
        final: z.boolean().meta({ description: 'The difference goes onto the next invoice.' }),
        lines: z.array(
          z.strictObject({
            line: lineKey,
            quantity: z.strictObject({ before: quantity, after: quantity }).nullable(),
            amount: z.strictObject({ before: money, after: money }),
          }),
        ),
      })
      .meta({ id: 'CorrectedInvoice' }),
  )
  .meta({ description: 'The invoices of its time, with the lines that change.' })

const what = {
  kind: z.enum(correctionKinds),
  customer: id('customer'),
  meter: key,
  period: period.meta({ description: 'The time that it concerns.' }),
  event: z
    .strictObject({ source: z.string(), id: z.string() })
    .nullable()
    .meta({ description: 'The event that was voided or amended; null of a backfill.' }),
  removed: countedUsage.meta({ description: 'What counts no more.' }),
  added: countedUsage.meta({ description: 'What counts instead.' }),
  invoices: effect,
}

export const usageCorrection = z
  .strictObject({
    id: id('usage_correction'),
    ...what,
    reason: z.string(),
    madeBy: z.string().meta({ description: 'The key that it came by.' }),
    agent: z
      .string()
      .nullable()
      .meta({ description: 'The person behind it, as the application named them.' }),
    madeAt: instant,
  })
  .meta({ id: 'UsageCorrection', description: 'What a person corrected of usage that had been taken in.' })

const preview = z.strictObject(what).meta({ id: 'UsageCorrectionPreview' })

const deed = {
  reason: plainText(500).min(1).meta({ description: 'Why, for the records; the customer does not read it.' }),
  agent: plainText(100).min(1).optional().meta({ description: 'The person behind it, by your own name.' }),
}

const named = {
  source: givenName(255),
  id: givenName(255),
  time: instantInput.meta({ description: "The event's own time; it is found by its second." }),
}

export const createUsageCorrection = defineRoute({
  id: 'createUsageCorrection',
  method: 'POST',
  path: '/v1/usage-corrections',
  callers: { key: 'operations:write' },
  summary: 'Void or amend a usage event, or tell a stretch of time anew',
  description:
    'A preview unless `dryRun` is false. An open invoice follows at once; of a final one the difference goes onto the next, labelled with its own period. The identity of an event that is taken out stays known: it cannot be sent again.',
  tags: ['Usage'],
  query: z.strictObject({
    dryRun: flag.default(true).meta({ description: 'Only say what it would do.' }),
  }),
  body: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('void'), ...named, ...deed }),
      z.strictObject({
        kind: z.literal('amend'),
        ...named,
        quantity: z
          .string()
          .regex(/^-?\d{1,15}(\.\d{1,9})?$/, 'Write a decimal number with at most nine decimals.')
          .meta({ description: 'What it should have said; below zero of a level only.' }),
        ...deed,
      }),
      z.strictObject({
        kind: z.literal('backfill'),
        customer: idParam('customer'),
        meter: key,
        start: instantInput,
        end: instantInput.meta({ description: 'The second of `end` is not part of it.' }),
        // As loose as where events are sent: what is wrong with one is named by its pointer.
        events: z
          .array(z.unknown())
          .max(MAX_EVENTS_PER_REQUEST)
          .meta({ description: 'All there was, as events with identities of their own; none for nothing.' }),
        ...deed,
      }),
    ])
    .meta({ description: 'What is not true of the usage that was taken in, and what is.' }),
  answers: { 200: preview, 201: usageCorrection },
  problems: [
    'usage_event_not_found',
    'usage_event_voided',
    'usage_events_expired',
    'usage_identity_known',
    'usage_event_invalid',
    'quantity_invalid',
    'customer_not_found',
    'meter_not_found',
    'batch_too_large',
  ],
  bodyLimit: 5 * 1024 * 1024,
})

export const listUsageCorrections = defineRoute({
  id: 'listUsageCorrections',
  method: 'GET',
  path: '/v1/usage-corrections',
  callers: { key: 'operations:read' },
  summary: "The corrections of a customer's usage, newest first",
  tags: ['Usage'],
  query: z.strictObject({ customer: idParam('customer'), meter: key.optional(), ...page }),
  answers: { 200: listOf('UsageCorrection', usageCorrection) },
  problems: ['customer_not_found'],
})
