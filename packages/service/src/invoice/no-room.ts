import { isFrozen, isWorthSending } from '@lockstep/core/invoice'
import { roomForLate } from '@lockstep/core/late-room'
import type { LineToBill } from './rate.ts'

/**
 * Of a subscription's lines, oldest period first, those of final periods that find no room on its next invoice: what
 * came late of the oldest goes first, and the last lines wait.
 */
export function findNoRoom(lines: readonly LineToBill[]): ReadonlySet<LineToBill> {
  const left = lines.filter((line) => isWorthSending(line.left))
  const late = left.filter(({ origin }) => isFrozen(origin.status))
  const open = Map.groupBy(
    left.filter(({ origin }) => !isFrozen(origin.status)),
    ({ origin }) => origin.id,
  )
  return new Set(late.slice(roomForLate([...open.values()].map((some) => some.length))))
}
