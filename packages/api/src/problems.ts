import { z } from 'zod'

export const fault = z
  .strictObject({
    pointer: z.string().meta({
      description: 'JSON Pointer (RFC 6901) into the request body, as a URI fragment.',
      examples: ['#/items/0/price'],
    }),
    code: z.string(),
    detail: z.string(),
  })
  .meta({ id: 'Fault', description: 'One thing that is wrong, and where.' })

/** Every refusal, RFC 9457. Loose: a later version may say more. */
export const problemDocument = z
  .looseObject({
    type: z.string().meta({ description: 'Address of the page about this code.' }),
    title: z.string().meta({ description: 'Always the same for one code.' }),
    status: z.int(),
    code: z
      .string()
      .meta({ description: 'What programs should decide by.', examples: ['customer_not_found'] }),
    detail: z.string().meta({ description: 'What happened this time.' }),
    instance: z.string().optional().meta({ description: 'The path that was called, or an id to quote.' }),
    errors: z.array(fault).optional().meta({ description: 'Every fault of the request, all at once.' }),
  })
  .meta({ id: 'Problem', description: 'A refusal (RFC 9457).' })

export type ProblemDocument = z.output<typeof problemDocument>

/** A problem that is kept with what it happened to: a registration's stage, an invoice's sync. */
export const recordedProblem = z
  .strictObject({ code: z.string(), title: z.string(), detail: z.string() })
  .meta({ id: 'RecordedProblem', description: 'What went wrong, as it was recorded.' })
