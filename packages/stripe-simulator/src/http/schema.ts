import { gap, invalid, StripeError } from '../errors.ts'

/** What the form decoder yields: texts, lists and objects of the same. */
export type Raw = string | Raw[] | { [key: string]: Raw }

/** A kind of parameter: turns what was sent into a value, or refuses it in Stripe's words. */
export interface Kind<T> {
  parse(raw: Raw, path: string): T
  readonly required?: boolean
}

type Fields = Record<string, Kind<unknown>>
type Value<K> = K extends Kind<infer T> ? T : never
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K] extends { required: true } ? K : never }[keyof F]

/** The parsed parameters of a schema: required ones are present, others may be undefined. */
export type Params<F extends Fields> = { [K in RequiredKeys<F>]: Value<F[K]> } & {
  [K in Exclude<keyof F, RequiredKeys<F>>]?: Value<F[K]> | undefined
}

export interface Shape<F extends Fields> extends Kind<Params<F>> {
  readonly fields: F
}

/** A nested object with known names; anything else in it is `parameter_unknown`. */
export function shape<F extends Fields>(fields: F): Shape<F> {
  const names = Object.keys(fields)
  const required = names.filter((name) => fields[name]?.required)
  return {
    fields,
    parse(raw, path) {
      if (typeof raw !== 'object' || Array.isArray(raw)) throw invalid('Invalid object', path)
      const result: Record<string, unknown> = {}
      for (const name of Object.keys(raw)) {
        const kind = Object.hasOwn(fields, name) ? fields[name] : undefined
        const full = join(path, name)
        if (kind === undefined) throw unknownParameter(full, name, names)
        result[name] = kind.parse(raw[name] as Raw, full)
      }
      for (const name of required) {
        if (result[name] === undefined) {
          const full = join(path, name)
          throw invalid(`Missing required param: ${full}.`, full, 'parameter_missing')
        }
      }
      return result as Params<F>
    },
  }
}

export function required<T>(kind: Kind<T>): Kind<T> & { required: true } {
  return { ...kind, required: true }
}

/** Text that may not be empty: an empty value means "unset", which this parameter cannot be. */
export function text(maxLength = 5000): Kind<string> {
  return {
    parse(raw, path) {
      if (typeof raw !== 'string') throw invalid('Invalid string', path)
      if (raw === '') {
        throw invalid(
          `You passed an empty string for '${path}'. We assume empty values are an attempt to unset a parameter; however '${path}' cannot be unset. You should remove '${path}' from your request or supply a non-empty value.`,
          path,
          'parameter_invalid_empty',
        )
      }
      if (raw.length > maxLength) {
        // Quoted by its two ends, as recorded: https://github.com/bitwarden/server/pull/2923
        const quoted = `${raw.slice(0, 10)}...${raw.slice(-10)}`
        throw invalid(`Invalid string: ${quoted}; must be at most ${maxLength} characters`, path)
      }
      return raw
    },
  }
}

/** A value that the empty text clears; cleared is null. */
export function clearable<T>(kind: Kind<T>): Kind<T | null> {
  return { parse: (raw, path) => (raw === '' ? null : kind.parse(raw, path)) }
}

export function integer(range: { min?: number; max?: number } = {}): Kind<number> {
  return {
    parse(raw, path) {
      if (typeof raw !== 'string' || !/^-?\d{1,15}$/.test(raw)) {
        throw invalid(`Invalid integer: ${show(raw)}`, path, 'parameter_invalid_integer')
      }
      const value = Number(raw)
      if (range.min !== undefined && value < range.min) {
        throw invalid(
          `This value must be greater than or equal to ${range.min}.`,
          path,
          'parameter_invalid_integer',
        )
      }
      if (range.max !== undefined && value > range.max) {
        throw invalid(
          `This value must be less than or equal to ${range.max}.`,
          path,
          'parameter_invalid_integer',
        )
      }
      return value
    },
  }
}

/** Seconds since 1970. */
export const timestamp: Kind<number> = {
  parse(raw, path) {
    if (typeof raw !== 'string' || !/^\d{1,11}$/.test(raw)) {
      throw invalid('Invalid timestamp: must be an integer Unix timestamp', path, 'parameter_invalid_integer')
    }
    return Number(raw)
  },
}

export const timestampOrNow: Kind<number | 'now'> = {
  parse: (raw, path) => (raw === 'now' ? 'now' : timestamp.parse(raw, path)),
}

/** A decimal in text, at most twelve places. It stays text here; rules/decimal.ts makes it exact. */
export const decimal: Kind<string> = {
  parse(raw, path) {
    if (typeof raw !== 'string' || !/^-?\d{1,15}(\.\d{1,12})?$/.test(raw)) {
      throw invalid(`Invalid decimal: ${show(raw)}; must contain at most 12 decimal places`, path)
    }
    return raw
  },
}

export const bool: Kind<boolean> = {
  parse(raw, path) {
    if (raw === 'true') return true
    if (raw === 'false') return false
    throw invalid(`Invalid boolean: ${show(raw)}`, path)
  },
}

export function oneOf<const T extends readonly string[]>(values: T): Kind<T[number]> {
  return {
    parse(raw, path) {
      if (typeof raw === 'string' && values.includes(raw)) return raw
      throw invalid(`Invalid ${path}: must be one of ${choice(values)}`, path)
    },
  }
}

/** `a`, `a or b`, `a, b, or c`: as recorded. */
function choice(values: readonly string[]): string {
  if (values.length < 3) return values.join(' or ')
  return `${values.slice(0, -1).join(', ')}, or ${values.at(-1)}`
}

/** The same where Stripe has other values, too, that are not played: those are refused by name. */
export function playedOf<const T extends readonly string[]>(
  played: T,
  others: readonly string[],
): Kind<T[number]> {
  const known = oneOf([...played, ...others])
  return {
    parse(raw, path) {
      const value = known.parse(raw, path)
      if (!played.includes(value)) throw gap(`${path}=${value}`, path)
      return value
    },
  }
}

export function list<T>(item: Kind<T>, maxLength = 250): Kind<T[]> {
  return {
    parse(raw, path) {
      // `expand[]=x` and `expand[0]=x` are both lists; a sparse or keyed object is read in its order.
      const items = Array.isArray(raw) ? raw : typeof raw === 'object' ? Object.values(raw) : undefined
      if (items === undefined) throw invalid('Invalid array', path)
      if (items.length > maxLength) {
        throw invalid(`Array ${path} exceeded maximum ${maxLength} allowed elements.`, path)
      }
      return items.map((value, i) => item.parse(value, `${path}[${i}]`))
    },
  }
}

/** An object whose names are values themselves, such as amounts by currency. */
export function mapOf<T>(key: Kind<string>, value: Kind<T>): Kind<Record<string, T>> {
  return {
    parse(raw, path) {
      if (typeof raw !== 'object' || Array.isArray(raw)) throw invalid('Invalid object', path)
      const entries = Object.entries(raw).map(([name, inner]) => {
        const full = join(path, name)
        return [key.parse(name, full), value.parse(inner, full)] as const
      })
      return Object.fromEntries(entries)
    },
  }
}

/** The first kind that takes the value; the last one's refusal is the answer. */
export function either<A, B>(first: Kind<A>, second: Kind<B>): Kind<A | B> {
  return {
    parse(raw, path) {
      try {
        return first.parse(raw, path)
      } catch (error) {
        if (!(error instanceof StripeError)) throw error
        return second.parse(raw, path)
      }
    },
  }
}

/** Keys of the caller's choice with texts. */
export const textMap: Kind<Record<string, string>> = {
  parse(raw, path) {
    if (typeof raw !== 'object' || Array.isArray(raw)) throw invalid('Invalid object', path)
    for (const [key, value] of Object.entries(raw)) {
      if (typeof value !== 'string') throw invalid('Invalid string', join(path, key))
    }
    return raw as Record<string, string>
  },
}

/** In code points: 500 emoji fit into a value. */
const lengthOf = (given: string) => Array.from(given).length

/** Stripe's sentence, which is quoted in many places; `metadata` whole is at fault. */
function tooLong(part: 'key' | 'value', most: number, given: string): StripeError {
  return invalid(
    `Metadata ${part}s can have up to ${most} characters, but you passed in a ${part} that is ${lengthOf(given)} characters. Invalid ${part}: ${given}`,
    'metadata',
  )
}

/** Metadata as sent: a map whose empty values remove a key, or null (sent empty) to remove all. */
export type MetadataParam = Record<string, string> | null

export const metadata: Kind<MetadataParam> = clearable({
  parse(raw, path) {
    if (typeof raw !== 'object' || Array.isArray(raw)) throw invalid('Invalid object', path)
    for (const [key, value] of Object.entries(raw)) {
      const full = join(path, key)
      if (typeof value !== 'string') throw invalid('Metadata values must be strings', full)
      if (/[[\]]/.test(key)) throw invalid('Metadata keys cannot contain square brackets', full)
      if (lengthOf(key) > 40) throw tooLong('key', 40, key)
      if (lengthOf(value) > 500) throw tooLong('value', 500, value)
    }
    return raw as Record<string, string>
  },
})

/** `created=<n>` or `created[gt|gte|lt|lte]=<n>`. */
export interface Range {
  gt?: number | undefined
  gte?: number | undefined
  lt?: number | undefined
  lte?: number | undefined
}

const rangeShape = shape({ gt: timestamp, gte: timestamp, lt: timestamp, lte: timestamp })

export const range: Kind<Range> = {
  parse(raw, path) {
    if (typeof raw !== 'string') return rangeShape.parse(raw, path)
    const at = timestamp.parse(raw, path)
    return { gte: at, lte: at }
  },
}

/** A parameter that Stripe knows and the simulator does not act on: refused by name when it is sent. */
const unsupported: Kind<never> = {
  parse(_raw, path): never {
    throw gap(`the parameter ${path}`, path)
  },
}

/** Several {@link unsupported} parameters by name, to be spread into a shape. */
export function gaps<const N extends readonly string[]>(...names: N): { [K in N[number]]: Kind<never> } {
  return Object.fromEntries(names.map((name) => [name, unsupported])) as { [K in N[number]]: Kind<never> }
}

function unknownParameter(full: string, name: string, known: readonly string[]): StripeError {
  const near = known.find((candidate) => candidate.includes(name) || name.includes(candidate))
  const hint = near === undefined ? '' : `. Did you mean ${near}?`
  return invalid(`Received unknown parameter: ${full}${hint}`, full, 'parameter_unknown')
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}[${name}]`
}

function show(raw: Raw): string {
  return typeof raw === 'string' ? raw : JSON.stringify(raw)
}
