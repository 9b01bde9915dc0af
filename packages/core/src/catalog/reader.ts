import { child } from '../pointer.ts'
import type { Fault } from '../problem.ts'

const MAX_TEXT_LENGTH = 250

/**
 * Reads one object that a person wrote, field by field, and gathers what is wrong with it. A wrong
 * field is answered with something harmless of its type, so that reading goes on to the next fault;
 * where there are faults, nothing that was read is used.
 */
export class Reader {
  readonly pointer: string
  readonly faults: Fault[]
  readonly #fields: Record<string, unknown>
  readonly #known = new Set<string>()

  constructor(value: unknown, pointer: string, faults: Fault[]) {
    this.pointer = pointer
    this.faults = faults
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    this.#fields = isObject ? (value as Record<string, unknown>) : {}
    if (!isObject) this.refuse(null, 'invalid', 'This is an object with named fields.')
  }

  /** Null points at the object itself. */
  refuse(field: string | null, code: string, detail: string): void {
    const pointer = field === null ? this.pointer : child(this.pointer, field)
    this.faults.push({ pointer, code, detail })
  }

  names(): string[] {
    return Object.keys(this.#fields)
  }

  has(field: string): boolean {
    return this.raw(field) !== undefined
  }

  raw(field: string): unknown {
    this.#known.add(field)
    return Object.hasOwn(this.#fields, field) ? this.#fields[field] : undefined
  }

  object(field: string): Reader {
    return new Reader(this.raw(field), child(this.pointer, field), this.faults)
  }

  list(field: string): Reader[] {
    const value = this.raw(field)
    if (Array.isArray(value)) {
      return value.map((item, i) => new Reader(item, child(this.pointer, field, i), this.faults))
    }
    this.refuse(field, 'invalid', 'This is a list.')
    return []
  }

  text(field: string, maxLength = MAX_TEXT_LENGTH): string {
    const value = this.raw(field)
    if (value === undefined) this.refuse(field, 'required', `The ${field} is missing.`)
    else if (typeof value !== 'string') this.refuse(field, 'invalid', `The ${field} is text, in quotes.`)
    else if (value.trim() === '') this.refuse(field, 'invalid', `The ${field} is empty.`)
    else if (value.length > maxLength) {
      this.refuse(field, 'too_long', `The ${field} has at most ${maxLength} characters.`)
    } else if (/\p{Cc}/u.test(value) || !value.isWellFormed()) {
      this.refuse(field, 'invalid', `The ${field} has characters that are not text.`)
    } else return value
    return ''
  }

  optionalText(field: string, maxLength?: number): string | null {
    return this.has(field) ? this.text(field, maxLength) : null
  }

  /** One of a few words; `otherwise` is what an absent field means, if it may be absent. */
  oneOf<const T extends string>(field: string, choices: readonly [T, ...T[]], otherwise?: NoInfer<T>): T {
    const value = this.raw(field)
    if (value === undefined && otherwise !== undefined) return otherwise
    const choice = choices.find((word) => word === value)
    if (choice !== undefined) return choice
    const detail = `The ${field} is one of ${choices.join(', ')}.`
    this.refuse(field, value === undefined ? 'required' : 'invalid', detail)
    return choices[0]
  }

  integer(field: string, { min, max, otherwise }: { min: number; max: number; otherwise: number }): number {
    const value = this.raw(field) ?? otherwise
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    this.refuse(field, 'invalid', `The ${field} is a whole number from ${min} to ${max}.`)
    return otherwise
  }

  /** A word that stands elsewhere in the catalogue. */
  reference(field: string, noun: string, existing: ReadonlySet<string>, otherwise?: string): string {
    if (otherwise !== undefined && !this.has(field)) return otherwise
    const key = this.text(field)
    if (key !== '' && !existing.has(key)) this.refuse(field, 'unknown', `There is no ${noun} ${key}.`)
    return key
  }

  /** Called last: whatever nobody asked for is a misspelling. */
  end(): void {
    for (const field of Object.keys(this.#fields)) {
      if (!this.#known.has(field)) this.refuse(field, 'unknown_field', 'There is no such field.')
    }
  }
}

/** A part of the catalogue whose fields are keys: the readers of its entries, by valid key. */
export function entries(parent: Reader, field: string): [key: string, entry: Reader][] {
  const section = parent.object(field)
  return section.names().flatMap((key) => {
    const entry = section.object(key)
    if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(key)) return [[key, entry]]
    const detail = 'A key is up to 63 lower-case letters, digits, - and _, and begins with a letter or digit.'
    section.refuse(key, 'key_invalid', detail)
    return []
  })
}
