import { z } from 'zod'
import { givenName } from './text.ts'

/** What every list takes: how many, and where to go on. Spread it into a list's query. */
export const page = {
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .meta({ description: 'How many, 1 to 100.' }),
  after: givenName(500)
    .optional()
    .meta({ description: "`nextCursor` of the page before. Opaque: don't build one." }),
}

/** One page of a list, newest first unless the route says otherwise. */
export function listOf<T extends z.ZodType>(name: string, item: T) {
  return z
    .strictObject({
      data: z.array(item),
      hasMore: z.boolean().meta({ description: 'There is a next page.' }),
      nextCursor: z
        .string()
        .nullable()
        .meta({ description: 'Give it as `after` to get the next page; null on the last one.' }),
    })
    .meta({ id: `${name}List` })
}

/** A yes or no in a query string. */
export const flag = z.preprocess(
  (value: boolean | 'true' | 'false') => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
)
