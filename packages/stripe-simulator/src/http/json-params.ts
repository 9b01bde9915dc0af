import { invalid } from '../errors.ts'
import type { Raw } from './schema.ts'

/**
 * Reads the JSON of v2 as the schema reads forms: numbers and booleans become their texts, and null, which unsets,
 * becomes the empty text. https://docs.stripe.com/api-v2-overview
 */
export function parseJson(text: string): { [key: string]: Raw } {
  const raw = text === '' ? {} : rawOf(JSON.parse(text))
  if (typeof raw === 'string' || Array.isArray(raw)) throw invalid('The request body must be a JSON object.')
  return raw
}

function rawOf(value: unknown): Raw {
  if (value === null) return ''
  if (Array.isArray(value)) return value.map(rawOf)
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rawOf(inner)]))
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
