import { adjustmentKinds } from '@lockstep/core/adjustment'
import type { Derivation, Step } from '@lockstep/core/derivation'
import { z } from 'zod'

const decimal = z.string().meta({ description: 'Exact decimal text.', examples: ['0.1572554466'] })

const words = z
  .string()
  .optional()
  .meta({ description: "Of a group's line, in place of its key.", examples: ['cpu, eu'] })

/** From a quantity to an amount. Amounts and rates are in major units, quantities in the meter's units. */
const step: z.ZodType<Step> = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('included'),
      quantity: decimal,
      included: decimal.meta({ description: 'Units that cost nothing.' }),
      billable: decimal.meta({ description: 'What is left for the steps after it.' }),
      amount: decimal,
    }),
    z.strictObject({
      kind: z.literal('maximum'),
      before: decimal.meta({ description: 'What the steps before it come to.' }),
      maximum: decimal,
      amount: decimal.meta({ description: 'Below zero: what goes beyond the maximum.' }),
    }),
    z.strictObject({ kind: z.literal('flat'), quantity: decimal, amount: decimal }),
    z.strictObject({ kind: z.literal('perUnit'), quantity: decimal, rate: decimal, amount: decimal }),
    z.strictObject({
      kind: z.literal('package'),
      quantity: decimal,
      size: decimal.meta({ description: 'Units in one package.' }),
      round: z.enum(['up', 'down']),
      packages: decimal,
      amountPerPackage: decimal,
      amount: decimal,
    }),
    z.strictObject({
      kind: z.literal('tier'),
      tier: z.int().min(1).meta({ description: 'Counted from 1.' }),
      from: decimal.meta({ description: 'Units below this tier.' }),
      to: decimal.nullable().meta({ description: "The tier's last unit; null when it has no end." }),
      quantity: decimal.meta({ description: 'Units priced here: its own (graduated) or all (volume).' }),
      rate: decimal,
      flat: decimal,
      amount: decimal,
    }),
    z.strictObject({
      kind: z.literal('carried'),
      of: z.array(z.strictObject({ key: z.string(), words, amount: decimal })).readonly(),
      from: decimal.meta({ description: 'From which amount on an invoice is collected.' }),
      amount: decimal.meta({ description: 'Below zero: what waits for the next invoice.' }),
    }),
    z.strictObject({
      kind: z.literal('minimum'),
      minimum: decimal.meta({ description: 'The least that usage costs in a whole period.' }),
      seconds: decimal,
      wholeSeconds: decimal,
      part: decimal.optional().meta({
        description:
          "The least for this period, where it is more than the plan's maximum, which is then `due`.",
      }),
      due: decimal.meta({
        description: 'The least for this period, which may be a part of one: rounded down.',
      }),
      of: z.array(z.strictObject({ key: z.string(), words, amount: decimal })).readonly(),
      used: decimal,
      amount: decimal.meta({ description: 'What is missing.' }),
    }),
    z.strictObject({
      kind: z.literal('share'),
      of: z.array(z.strictObject({ key: z.string().nullable(), words, amount: decimal })).meta({
        description: "The lines it is a share of, by their price's key; the recurring fee without one.",
      }),
      base: decimal,
      percent: decimal,
      amount: decimal,
    }),
    z.strictObject({
      kind: z.literal('adjustment'),
      adjustment: z.string().meta({ description: "The adjustment's id." }),
      as: z.enum(adjustmentKinds),
      madeAt: z.string(),
      withdrawn: z.boolean().meta({ description: 'It was taken back while it was being billed.' }),
      amount: decimal,
    }),
  ])
  .meta({ id: 'DerivationStep', description: 'One step from a quantity to an amount.' })

export const derivation: z.ZodType<Derivation> = z
  .strictObject({
    price: z
      .strictObject({
        key: z.string(),
        name: z.string(),
        model: z.string(),
        override: z
          .string()
          .optional()
          .meta({ description: "Of a price of the subscription's own: the override's id." }),
      })
      .nullable()
      .meta({ description: 'Null for an adjustment, which comes of no price.' }),
    currency: z.string(),
    period: z.strictObject({ start: z.string(), end: z.string() }),
    measured: z
      .strictObject({
        meter: z.string(),
        unitLabel: z.string(),
        aggregation: z.string(),
        events: decimal,
        quantity: decimal,
        group: z.record(z.string(), z.string().nullable()).optional().meta({
          description: "Of one group's line: the value of each dimension; null: the events have none.",
        }),
        groups: decimal.optional().meta({
          description: 'Of a line of several groups, each measured and priced by itself: how many.',
        }),
      })
      .nullable()
      .meta({ description: 'Null where nothing is measured: recurring fees and shares.' }),
    steps: z.array(step).readonly(),
    exact: decimal.meta({ description: 'Sum of the steps, before rounding.' }),
    rounded: decimal.meta({ description: 'Half away from zero, once for the line.' }),
    free: z
      .literal('trial')
      .nullable()
      .meta({ description: 'Why nothing is charged although `rounded` says otherwise.' }),
    charged: z
      .strictObject({ step: decimal, before: decimal, after: decimal })
      .optional()
      .meta({ description: 'Of a currency of which whole steps are charged only: the nearest one.' }),
    cut: z
      .strictObject({ name: z.string(), maximum: decimal, before: decimal })
      .optional()
      .meta({ description: "The plan's maximum for usage, and what the lines before this one took of it." }),
    amount: decimal.meta({
      description: 'What the line costs: `rounded`, less where it is free or cut, in steps that are charged.',
    }),
    setOff: z
      .array(z.strictObject({ key: z.string(), words, amount: decimal }))
      .readonly()
      .optional()
      .meta({
        description:
          'Other lines of its period that meet what is left of it: below zero what they give back, above zero what they charge.',
      }),
    givenBack: z
      .strictObject({
        takenBack: decimal.meta({ description: 'Of the line, before discounts.' }),
        paid: decimal.meta({ description: 'For the line so far, less its discounts.' }),
        stays: z
          .array(z.strictObject({ billed: decimal, discounted: decimal, left: decimal, off: decimal }))
          .readonly()
          .meta({
            description:
              'What stays of each part that was billed, the oldest first: `left` of `billed`, and `off` of what discounts took of it.',
          }),
        worth: decimal.meta({ description: 'What is paid for what stays.' }),
        exact: decimal.meta({ description: '`paid` − `worth`.' }),
        amount: decimal.meta({ description: 'Of that what can be given back, in whole steps.' }),
      })
      .optional()
      .meta({ description: 'Of a line that takes back what was billed with discounts: what comes back.' }),
  })
  .meta({ id: 'Derivation', description: 'How an amount came about, from the events to the rounding.' })
