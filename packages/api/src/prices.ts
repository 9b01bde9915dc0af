import { z } from 'zod'
import { key } from './ids.ts'
import { currency, money, unitAmount } from './money.ts'
import { quantity } from './quantity.ts'

const tier = z
  .strictObject({
    upTo: quantity
      .nullable()
      .meta({ description: 'The last unit of this tier, itself included; null: no end.' }),
    unitAmount,
    flatAmount: money.meta({
      description: 'Added once when this tier is entered (graduated) or reached (volume).',
    }),
  })
  .meta({ id: 'Tier' })

export const groupBy = {
  groupBy: z
    .array(z.string().min(1).max(250))
    .min(1)
    .max(3)
    .optional()
    .meta({ description: 'Dimensions of the meter: each group of their values is a line of its own.' }),
}

export const unitAmounts = {
  unitAmounts: z.record(z.string().max(250), unitAmount).optional().meta({
    description: 'Of a price with one dimension: values of it that have a unit amount of their own.',
  }),
}

const common = {
  key,
  name: z.string(),
  product: key.meta({ description: "The product's key." }),
  currency,
  kind: z.enum(['recurring', 'usage', 'share', 'bound']).meta({
    description:
      '`recurring`: every period. `usage`: by a meter. `share`: a percentage of the other lines. `bound`: of all usage.',
  }),
  timing: z.enum(['inAdvance', 'inArrears']),
  meter: key.nullable().meta({ description: "The meter's key; null unless `kind` is `usage`." }),
  included: quantity.optional().meta({ description: 'Units of a period that cost nothing; usage only.' }),
  maximum: money.optional().meta({ description: 'The most that it costs in a period; usage only.' }),
  collectFrom: money
    .optional()
    .meta({ description: 'Of a fee of nothing: an invoice that comes to less is carried to the next one.' }),
  ...groupBy,
}

/** A price as it was published. Amounts are money, prices of one unit are decimal text. */
export const price = z
  .discriminatedUnion('model', [
    z.strictObject({ ...common, model: z.literal('flat'), amount: money }),
    z.strictObject({ ...common, model: z.enum(['minimum', 'maximum']), amount: money }),
    z.strictObject({ ...common, model: z.literal('perUnit'), unitAmount, ...unitAmounts }),
    z.strictObject({
      ...common,
      model: z.literal('package'),
      amount: money.meta({ description: 'Of one package.' }),
      size: quantity.meta({ description: 'Units in one package.' }),
      round: z.enum(['up', 'down']).meta({ description: 'Whether a package that was begun counts.' }),
    }),
    z.strictObject({ ...common, model: z.enum(['graduated', 'volume']), tiers: z.array(tier) }),
    z.strictObject({
      ...common,
      model: z.literal('percentage'),
      percent: z.string().meta({ description: "Of the period's other lines.", examples: ['10'] }),
    }),
  ])
  .meta({ id: 'Price', description: 'What something costs.' })
