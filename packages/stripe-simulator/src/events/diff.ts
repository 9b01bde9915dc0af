import type { Json } from '../rows.ts'

/**
 * `previous_attributes`: what fields were before, for those that changed. Objects are compared key by
 * key, a changed array is listed whole, and a key that did not exist was null.
 */
export function diff(before: Json, after: Json): Json {
  const previous: Json = {}
  for (const key of Object.keys(after)) {
    const was = before[key]
    const is = after[key]
    if (was === is) continue
    if (isPlain(was) && isPlain(is)) {
      const inner = diff(was, is)
      if (Object.keys(inner).length > 0) previous[key] = inner
    } else if (!sameValue(was, is)) {
      previous[key] = was ?? null
    }
  }
  for (const key of Object.keys(before)) {
    if (!(key in after)) previous[key] = before[key]
  }
  return previous
}

function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => sameValue((a as Json)[key], (b as Json)[key]))
}
