import { z } from 'zod'
import { mapping } from './mappings.ts'

/** What routes that answer linked objects take in their query. */
export const expand = z
  .enum(['mappings'])
  .optional()
  .meta({ description: '`mappings`: with what each is linked to at the provider.' })

/** Spread it into the fields of an object that can be linked. */
export const expanded = {
  mappings: z.array(mapping).optional().meta({
    description: 'Only with `expand=mappings`: what it is linked to; empty where it is to nothing.',
  }),
}
