import type { Grace } from '../access.ts'
import type { Reader } from './reader.ts'

const MAX_DAYS = 365

export function readGrace(reader: Reader): Grace {
  if (!reader.has('days')) reader.refuse('days', 'required', 'Say how many days.')
  const grace = { days: reader.integer('days', { min: 0, max: MAX_DAYS, otherwise: 0 }) }
  reader.end()
  return grace
}
