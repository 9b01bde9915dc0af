import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { SubscriptionStatus } from '@lockstep/core/subscription'
import type { Collection } from '@lockstep/core/subscription-history'
import type Stripe from 'stripe'
import type { StoodItem } from '../../provider/stripe/scheduled-changes.ts'
import { toSubscription } from '../../provider/stripe/to-subscription.ts'
import { readPlanChange } from '../../store/plan-changes.ts'
import { readSubscription, type Subscription } from '../../store/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import type { ChangeInput } from './input.ts'
import { readStanding, type Standing } from './standing.ts'

/** What a change was decided by, of how its subscription stood: what it tells the provider is made of that. */
export interface Stood {
  readonly status: SubscriptionStatus
  readonly cancelAt: Instant | null
  readonly collection: Collection
  readonly periodEnd: Instant
  /** Id, price and quantity of each item at the provider. */
  readonly items: readonly StoodItem[]
}

const names: Readonly<Record<keyof Stood, string>> = {
  status: 'its status',
  cancelAt: 'its planned end',
  collection: 'whether its invoices are collected',
  periodEnd: 'its period',
  items: 'what it pays for',
}

export function stoodAs(
  { status, cancelAt, collection }: Pick<Subscription, 'status' | 'cancelAt' | 'collection'>,
  { items, period }: Pick<Standing, 'items' | 'period'>,
): Stood {
  return {
    ...{ status, cancelAt, collection, periodEnd: period.end },
    items: items.map(({ providerId, price, quantity }) => [providerId, price, quantity]),
  }
}

/**
 * Why what waited is not to be made any more: somebody changed the subscription at the provider meanwhile, or a new period
 * began there. Told all the same, it would put back the number of seats that they changed, be billed for what they ended,
 * or cost something else than was agreed to.
 */
export async function changedMeanwhile(deps: LookDeps, input: ChangeInput): Promise<Problem | undefined> {
  const {
    changeId,
    subscription: { id, providerId },
    stood,
  } = input
  // A change that was recorded before this was says nothing.
  if (stood === undefined) return undefined
  const standing = await readStanding(deps, providerId, undefined)
  const [subscription, change] = await Promise.all([
    readSubscription(deps.db, id),
    readPlanChange(deps.db, changeId),
  ])
  if (!subscription || !change) throw new Error(`${id} or ${changeId} is not there.`)
  // It is what was wished, whoever made it so.
  if (change.state === 'effective') return undefined
  return unlessSo(input, stood, stoodAs(subscription, standing))
}

/** The same of what was fetched by the one who asks. */
export function isOtherThan(input: ChangeInput, fetched: Stripe.Subscription): Problem | undefined {
  const { status, cancelAt, collection, items, currentPeriod: period } = toSubscription(fetched)
  const { stood } = input
  // One in a status that we do not know yet is left to wait.
  if (stood === undefined || status === undefined) return undefined
  return unlessSo(input, stood, stoodAs({ status, cancelAt, collection }, { items, period }))
}

function unlessSo({ changeId, subscription: { id } }: ChangeInput, stood: Stood, now: Stood) {
  const moved = (Object.keys(names) as (keyof Stood)[]).filter(
    (key) => !isDeepStrictEqual(now[key], stood[key]),
  )
  if (moved.length === 0) return undefined
  const what = moved.map((key) => names[key]).join(', ')
  const detail = `${id} is not as it was when ${changeId} was asked for (${what}). Ask for it again.`
  return new Problem('subscription_not_changeable', detail)
}
