import { isFrozen, isWorthSending } from '@lockstep/core/invoice'
import { roomForLate } from '@lockstep/core/late-room'
import type { LineToBill } from './rate.ts'

/**
 * Of a subscription's lines, oldest period first, those of final periods that find no room on its next invoice: what
 * came late of the oldest goes first, and the last lines wait. `elsewhere`: how many lines of the customer's other
 * subscriptions are pending at the provider, which takes so many of a customer.
 */
export function findNoRoom(lines: readonly LineToBill[], elsewhere: number): ReadonlySet<LineToBill> {
  const late = lateLines(lines)
  const ofOpen = lines.filter(({ origin, left }) => isWorthSending(left) && !isFrozen(origin.status))
  const open = Map.groupBy(ofOpen, ({ origin }) => origin.id)
  const waiting = ofOpen.filter(({ origin }) => origin.providerInvoiceId === null)
  const room = roomForLate(
    [...open.values()].map((some) => some.length),
    waiting.length + elsewhere,
  )
  return new Set(late.slice(room))
}

/** What is left of final periods. */
export function lateLines(lines: readonly LineToBill[]): LineToBill[] {
  return lines.filter(({ origin, left }) => isWorthSending(left) && isFrozen(origin.status))
}
