import { createHash } from 'node:crypto'

/** A second of `seconds`, from 0 on: always the same for an id, and evenly among all ids. */
export function spread(id: string, seconds: number): number {
  return createHash('sha256').update(id).digest().readUInt32BE() % seconds
}
