/** What is kept equal on both sides, each in its own direction. */
export const syncedEntities = ['customer', 'plan', 'price', 'subscription', 'invoice'] as const

export type SyncedEntity = (typeof syncedEntities)[number]

export const directions = ['inbound', 'outbound', 'both', 'off'] as const

/**
 * Who may make one. `inbound`: what is made at the provider is made here. `outbound`: what is made here is made
 * there. Whatever is linked is followed in any case: a direction says nothing about that.
 */
export type Direction = (typeof directions)[number]

export type Directions = Readonly<Record<SyncedEntity, Direction>>

/**
 * Everything is sold here, and what somebody else makes at the provider is none of ours. Its invoices are kept all
 * the same: one is frozen when the provider finalizes it.
 */
export const defaultDirections: Directions = {
  customer: 'outbound',
  plan: 'outbound',
  price: 'outbound',
  subscription: 'outbound',
  invoice: 'both',
}

export const flowsIn = (direction: Direction): boolean => direction === 'inbound' || direction === 'both'

export const flowsOut = (direction: Direction): boolean => direction === 'outbound' || direction === 'both'

/** What becomes of a subscription whose customer or plan is not linked: made here as well, or put before a person. */
export const missingPolicies = ['create', 'park'] as const

export type MissingPolicy = (typeof missingPolicies)[number]

export interface SyncPolicy {
  readonly directions: Directions
  readonly missingCustomer: MissingPolicy
  readonly missingPlan: MissingPolicy
}

export const defaultSyncPolicy: SyncPolicy = {
  directions: defaultDirections,
  missingCustomer: 'park',
  missingPlan: 'park',
}

/** What cannot be meant together, a sentence for each. Empty: the policy holds. */
export function syncPolicyFaults({ directions, missingCustomer, missingPlan }: SyncPolicy): string[] {
  const { customer, plan, price, subscription, invoice } = directions
  const faults: string[] = []
  const refuse = (isWrong: boolean, why: string) => void (isWrong && faults.push(why))

  const sold = flowsOut(subscription)
  refuse(
    sold && !flowsOut(customer),
    `subscription is ${subscription}, but customer is ${customer}: who registers here has to be made there.`,
  )
  refuse(
    sold && !flowsOut(price),
    `subscription is ${subscription}, but price is ${price}: what is sold here needs its prices there.`,
  )
  refuse(
    flowsOut(price) && plan === 'off',
    `price is ${price}, but plan is off: a price there belongs to the product of a plan.`,
  )
  refuse(
    flowsIn(price) && !flowsIn(plan),
    `price is ${price}, but plan is ${plan}: a price that comes in is a version of a plan that came in.`,
  )
  refuse(
    invoice === 'outbound',
    'invoice is outbound: an invoice is frozen when the provider finalizes it, so it is heard of in any case. Say both.',
  )
  refuse(
    invoice === 'off' && subscription !== 'off',
    `invoice is off, but subscription is ${subscription}: whose invoices nobody hears of, nobody can bill.`,
  )
  refuse(
    missingCustomer === 'create' && !flowsIn(customer),
    `A missing customer is to be created, but customer is ${customer}: none comes in.`,
  )
  refuse(
    missingPlan === 'create' && !flowsIn(plan),
    `A missing plan is to be created, but plan is ${plan}: none comes in.`,
  )
  return faults
}
