import { invalid } from '../errors.ts'
import type { MetadataParam } from '../http/schema.ts'

/**
 * Given keys are set, keys given empty are removed, others stay; metadata given empty removes all.
 * https://docs.stripe.com/api/metadata
 */
export function mergeMetadata(
  before: Record<string, string>,
  given: MetadataParam | undefined,
): Record<string, string> {
  if (given === undefined) return before
  if (given === null) return {}
  const merged = { ...before }
  for (const [key, value] of Object.entries(given)) {
    if (value === '') delete merged[key]
    else merged[key] = value
  }
  const keys = Object.keys(merged).length
  if (keys > 50) throw invalid(`Metadata can have up to 50 keys, but you've set ${keys}`, 'metadata')
  return merged
}
