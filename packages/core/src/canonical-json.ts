import { assert } from './assert.ts'

/** What a document that is signed by a digest may be made of: no fractions, nothing undefined. */
export type Canonical =
  | null
  | boolean
  | number
  | string
  | readonly Canonical[]
  | { readonly [name: string]: Canonical }

/**
 * The one text of a value, by RFC 8785 (JSON Canonicalization Scheme): no white space, names of an
 * object in the order of their UTF-16 code units, text as JSON.stringify writes it. Equal values give
 * equal text in every language. Numbers are whole and safe, so that no two libraries can differ about
 * how to write them.
 */
export function canonicalJson(value: Canonical): string {
  if (typeof value === 'number') assert(Number.isSafeInteger(value), `not a whole number: ${value}`)
  if (typeof value === 'string') assert(value.isWellFormed(), 'text with half a character')
  if (typeof value !== 'object' || value === null) {
    assert(value !== undefined, 'nothing is not JSON')
    return JSON.stringify(value)
  }
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  // Without a comparison, sort goes by code units, which is what the scheme asks for.
  const members = Object.keys(value)
    .sort()
    .map((name) => {
      const member = value[name]
      assert(member !== undefined, `nothing is not JSON: ${name}`)
      return `${JSON.stringify(name)}:${canonicalJson(member)}`
    })
  return `{${members.join(',')}}`
}

// Array.isArray does not narrow a readonly array away from an object.
const isList = (value: object): value is readonly Canonical[] => Array.isArray(value)
