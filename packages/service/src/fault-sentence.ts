import type { z } from 'zod'

/**
 * What is allowed, in our words. The library speaks of what it expected and received, and so of its own
 * types. What a schema says by itself stands before this; undefined leaves it to the library.
 */
export function faultSentence(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeSentence(issue.expected, issue.input)
    case 'too_small':
      return leastSentence(issue)
    case 'too_big':
      return mostSentence(issue)
    case 'invalid_value':
      return oneOf(issue.values)
    case 'invalid_union':
      return Array.isArray(issue.options) ? oneOf(issue.options) : 'This has no shape that is known.'
    case 'invalid_format':
      return formats[issue.format]
    case 'not_multiple_of':
      return `This is a multiple of ${issue.divisor}.`
    // Of our own schemas, or told by what they hold.
    case 'custom':
    case 'invalid_key':
    case 'invalid_element':
    case 'unrecognized_keys':
      return undefined
  }
}

/** What JSON has, and what a number may be besides. */
const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
}

const formats: Readonly<Record<string, string>> = {
  email: 'Write an e-mail address such as ada@example.org.',
  url: 'Write an address such as https://example.org/path.',
  regex: 'This is not written as it has to be.',
}

function typeSentence(expected: string, input: unknown): string {
  const kind = kinds[expected] ?? `of type ${expected}`
  const sent = kinds[kindOf(input)]
  // A number where a whole one belongs is not told as "a whole number, not a number".
  const isOther = sent !== undefined && !(expected === 'int' && typeof input === 'number')
  return isOther && sent !== kind ? `This is ${kind}, not ${sent}.` : `This is ${kind}.`
}

function kindOf(input: unknown): string {
  if (input === null) return 'null'
  if (Array.isArray(input)) return 'array'
  // Text of a query that is no number has been read as one.
  return Number.isNaN(input) ? 'nan' : typeof input
}

type Least = Pick<z.core.$ZodIssueTooSmall, 'origin' | 'minimum' | 'inclusive'>
type Most = Pick<z.core.$ZodIssueTooBig, 'origin' | 'maximum' | 'inclusive'>

function leastSentence({ origin, minimum, inclusive }: Least): string | undefined {
  if (origin === 'string')
    return minimum === 1 ? 'This is empty.' : `This has at least ${minimum} characters.`
  if (origin === 'array') return `This has at least ${countOfEntries(minimum)}.`
  if (!isNumeric(origin)) return undefined
  return inclusive === false ? `This is more than ${minimum}.` : `This is at least ${minimum}.`
}

function mostSentence({ origin, maximum, inclusive }: Most): string | undefined {
  if (origin === 'string') return `This has at most ${maximum} characters.`
  if (origin === 'array') return `This has at most ${countOfEntries(maximum)}.`
  if (!isNumeric(origin)) return undefined
  return inclusive === false ? `This is less than ${maximum}.` : `This is at most ${maximum}.`
}

const isNumeric = (origin: string) => origin === 'number' || origin === 'int' || origin === 'bigint'

const countOfEntries = (count: number | bigint) => (Number(count) === 1 ? 'one entry' : `${count} entries`)

function oneOf(values: readonly unknown[]): string {
  const [only, ...others] = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  return others.length === 0 ? `This is ${only}.` : `This is one of: ${[only, ...others].join(', ')}.`
}
