import { feeTerms } from './fee-terms.ts'
import type { Plan } from './plan.ts'

/**
 * `planned`: whoever is on the one version is to go on to the other; nothing is done about it by itself. `superseded`:
 * a newer price came before that, and they are to go on to that one.
 */
export const planRollStates = ['planned', 'superseded'] as const
export type PlanRollState = (typeof planRollStates)[number]

type Version = Pick<Plan, 'prices' | 'currency' | 'interval' | 'intervalCount'>

/**
 * Whether a new version of a plan is another price for who is on an older one: it is paid as often, in the same
 * currency, and costs something else. A price of another rhythm is one more to choose from, and nobody is rolled to it.
 */
export function isNewPriceFor(old: Version, next: Version): boolean {
  const isPaidAlike =
    old.currency === next.currency &&
    old.interval === next.interval &&
    old.intervalCount === next.intervalCount
  return isPaidAlike && feesOf(old) !== feesOf(next)
}

function feesOf({ prices }: Version): string {
  const fees = prices.filter(({ kind }) => kind === 'recurring').map((price) => feeTerms(price) ?? '')
  return fees.sort().join('\n')
}
