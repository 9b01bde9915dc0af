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
  /** `defineRoute` puts the shape of the list's own items into its place. */
  after: givenName(500).optional(),
}

/** Where a list goes on: `nextCursor` of the page before, which looks like this. Anything else is refused. */
export function cursor(shape: RegExp | z.ZodType<string, string>) {
  const text = shape instanceof RegExp ? givenName(500).regex(shape, NO_CURSOR) : shape
  return text.optional().meta({ description: "`nextCursor` of the page before. Opaque: don't build one." })
}

const NO_CURSOR = 'This is no `nextCursor` of this list.'

/** Of a list by its items: it goes on behind one of them, so its cursor looks like what names them. */
export function cursorOf(answer: z.ZodType | undefined): z.ZodType | undefined {
  const data = answer instanceof z.ZodObject ? answer.shape.data : undefined
  const item = data instanceof z.ZodArray ? data.element : undefined
  const name = item instanceof z.ZodObject ? (item.shape.id ?? item.shape.key) : undefined
  // Any text would tell nothing.
  return name instanceof z.ZodString && (name._zod.def.checks ?? []).length > 0 ? cursor(name) : undefined
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
