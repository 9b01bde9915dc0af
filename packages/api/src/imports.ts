import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam } from './ids.ts'
import { instant } from './instant.ts'
import { money } from './money.ts'
import { listOf, page } from './pagination.ts'
import { recordedProblem } from './problems.ts'

const count = z.int().min(0)
const value = z.union([z.string(), z.number(), z.boolean()]).nullable()

const progress = z
  .strictObject({
    type: z.string().meta({
      description:
        'What is read; behind the lists, `subscription again` and `subscription proved`: every one that is linked, held against its row.',
      examples: ['customer', 'open invoice', 'subscription again'],
    }),
    looked: count,
    made: count.meta({
      description:
        'Made here; of a dry run, would be. Of `subscription again`: was not here as it is there, and was written down anew.',
    }),
    known: count,
    left: count.meta({ description: 'Left as they are, with nothing wrong with them: `left` says why.' }),
    foreign: count.meta({
      description:
        "Another installation's, of a customer whom the provider has no more, or unlinked by a person: left alone.",
    }),
    refused: count,
    metered: count.meta({
      description:
        "Of subscriptions: those of which is asked what the provider's own meters have counted, one call each; of a dry run, would be.",
    }),
    expected: count.nullable().meta({
      description:
        'As many as the last import looked at, and of what is behind the lists, as are linked; null before any.',
    }),
    endedAt: instant.nullable(),
  })
  .meta({ id: 'ImportProgress' })

/** What both sides say of one currency. */
const bothSides = z.strictObject({ there: money, here: money })

const proof = z
  .strictObject({
    counts: z.array(z.strictObject({ type: z.string(), there: count, here: count })),
    mrr: z.array(bothSides).meta({
      description: "A month's revenue, before discounts and tax; one for each currency.",
    }),
    subscriptions: count.meta({ description: 'How many were held against each other, field by field.' }),
    unequalCount: count.meta({ description: 'How many differ in a field.' }),
    unequal: z
      .array(
        z.strictObject({
          providerId: z.string(),
          differences: z.array(z.strictObject({ field: z.string(), here: value, there: value })),
        }),
      )
      .meta({ description: 'The first thousand of them.' }),
    unequalRevenueCount: count.optional().meta({
      description:
        'How many bring another amount a month here than there. Left out by imports from before that was named.',
    }),
    unequalRevenue: z
      .array(
        z.strictObject({
          subscription: z
            .string()
            .nullable()
            .meta({ description: 'Ours; null where it has no history here.' }),
          customer: z.string().nullable(),
          providerId: z
            .string()
            .nullable()
            .meta({ description: 'Null of one that is linked to nothing there.' }),
          there: money,
          here: money,
        }),
      )
      .optional()
      .meta({
        description:
          'The first thousand of them, with what they bring a month on both sides. They are held against each other before they are rounded.',
      }),
    billedThereCount: count.optional().meta({
      description: 'How many items the provider alone bills, beside what is here.',
    }),
    billedThere: z
      .array(
        z.strictObject({
          subscription: id('subscription').meta({ description: 'Ours.' }),
          providerId: z.string().meta({ description: "The subscription's id at the provider." }),
          price: z.string(),
          because: z.enum(['rhythm', 'currency']).meta({
            description: '`rhythm`: paid more or less often than the plan. `currency`: paid in another one.',
          }),
          month: money.meta({ description: 'What it brings a month there.' }),
        }),
      )
      .optional()
      .meta({
        description:
          'The first thousand of them. They stay items at the provider, which bills them, and are in no revenue of this proof. Left out by imports from before they were named.',
      }),
    meteredThere: count.meta({
      description:
        "Subscriptions with a price that the provider's own meters count: that usage stays measured and billed there.",
    }),
    usage: z
      .strictObject({
        carriedOver: count.meta({
          description: 'Subscriptions whose current invoice shows what those meters have counted so far.',
        }),
        notCarriedOver: z
          .array(z.string())
          .meta({ description: 'Those of which the provider did not say it; it is asked again by itself.' }),
        amounts: z.array(bothSides).meta({
          description:
            "What the provider's preview says it has counted, and what the current invoices here show of that; one for each currency.",
        }),
      })
      .optional()
      .meta({ description: 'Left out by imports from before usage was carried over.' }),
  })
  .meta({ id: 'ImportProof', description: 'What both sides came to when everything was read.' })

const fields = {
  id: id('import'),
  dryRun: z.boolean(),
  state: z.enum(['running', 'completed', 'failed']),
  problem: recordedProblem
    .nullable()
    .meta({ description: 'Why it waits before it goes on, or why it failed.' }),
  createdAt: instant,
  endedAt: instant.nullable(),
}

export const importRun = z
  .strictObject({
    ...fields,
    progress: z.array(progress),
    secondsLeft: count.nullable().meta({
      description:
        'At the pace so far; null where nobody knows how much there is. What is behind the lists is counted from when it begins.',
    }),
    refusals: z
      .array(
        z.strictObject({ type: z.string(), providerId: z.string(), code: z.string(), detail: z.string() }),
      )
      .meta({ description: 'The first hundred of what was not taken up, and why.' }),
    left: z
      .array(
        z.strictObject({
          type: z.string(),
          providerId: z.string(),
          reason: z.enum(['metered', 'catalogue', 'own']).meta({
            description:
              "`metered`: the provider's own meters count it, and bill it. `catalogue`: its product is the catalogue's, which says what it costs. `own`: made here, and unlinked.",
          }),
        }),
      )
      .meta({ description: 'The first hundred prices that get no link, and why.' }),
    proof: proof.nullable(),
  })
  .meta({ id: 'Import', description: "The taking up of the provider's whole account." })

const tags = ['Operations']

export const createImport = defineRoute({
  id: 'createImport',
  method: 'POST',
  path: '/v1/imports',
  callers: { key: 'operations:write' },
  summary: "Import the provider's account",
  description:
    'Reads products, recurring prices, coupons, customers, subscriptions, open invoices and what waits to be billed from the lists of the provider and makes ours of them. A dry run unless told otherwise. Changes nothing at the provider; done again, it takes up only what is new; webhooks may come meanwhile. It goes on by itself after a crash.',
  tags,
  body: z
    .strictObject({
      dryRun: z.boolean().default(true).meta({ description: 'Only say what would be made.' }),
    })
    .meta({ id: 'ImportRequest' }),
  answers: { 202: importRun },
  problems: ['import_in_progress'],
})

export const readImport = defineRoute({
  id: 'readImport',
  method: 'GET',
  path: '/v1/imports/:id',
  callers: { key: 'operations:read' },
  summary: 'How far an import is, and what it proved',
  tags,
  params: z.strictObject({ id: idParam('import') }),
  answers: { 200: importRun },
  problems: ['import_not_found'],
})

export const listImports = defineRoute({
  id: 'listImports',
  method: 'GET',
  path: '/v1/imports',
  callers: { key: 'operations:read' },
  summary: 'List imports, newest first',
  tags,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('ImportSummary', z.strictObject(fields)) },
})
