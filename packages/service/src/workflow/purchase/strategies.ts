import { course } from './course.ts'
import { eventTicket } from './event-ticket.ts'
import { membership } from './membership.ts'
import type { PurchaseStrategy } from './strategy.ts'

/** Every way to buy a plan: the index of this folder. */
export const purchaseStrategies: readonly PurchaseStrategy[] = [membership, eventTicket, course]

export function findStrategy(
  strategies: readonly PurchaseStrategy[],
  type: string,
): PurchaseStrategy | undefined {
  return strategies.find((strategy) => strategy.type === type)
}
