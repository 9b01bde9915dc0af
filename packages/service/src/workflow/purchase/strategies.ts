import { membership } from './membership.ts'
import type { PurchaseStrategy } from './strategy.ts'

/** Every way to buy a plan: the index of this folder. */
export const purchaseStrategies: readonly PurchaseStrategy[] = [membership]

/** Bought like this where neither request nor catalogue says otherwise. */
export const STANDARD_PURCHASE = membership.type

export function findStrategy(
  strategies: readonly PurchaseStrategy[],
  type: string,
): PurchaseStrategy | undefined {
  return strategies.find((strategy) => strategy.type === type)
}
