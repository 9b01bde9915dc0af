import { featureKinds } from '@lockstep/core/feature'
import { z } from 'zod'
import { key } from './ids.ts'
import { quantity } from './quantity.ts'

export const featureKind = z.enum(featureKinds).meta({
  description:
    '`switch`: on or off. `limit`: up to a number of things at once. `metered`: up to a quantity of a meter in each period.',
})

export const grant = z
  .strictObject({
    feature: key.meta({ description: "The feature's key." }),
    kind: featureKind,
    upTo: quantity.nullable().meta({ description: 'Inclusive; null for no end, and for a switch.' }),
    beyond: z
      .enum(['billed', 'refused'])
      .nullable()
      .meta({ description: 'Of a metered feature: what is used beyond is billed, or not to be had.' }),
  })
  .meta({ id: 'Grant', description: 'What a plan gives of a feature.' })
