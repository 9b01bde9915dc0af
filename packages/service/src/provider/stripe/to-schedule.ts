import type { Instant } from '@lockstep/core/instant'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import type Stripe from 'stripe'
import { idOf } from './field.ts'
import { rhythmOf } from './to-price.ts'

/** What a phase sells, by Stripe's ids. */
export interface PhaseItem {
  readonly price: string
  readonly product: string
  readonly rhythm: PriceRhythm
  readonly quantity: number | null
}

export interface ObservedSchedule {
  /** The subscription that it changes; null of one that has not made it yet, or is over. */
  readonly subscription: string | null
  /** It may still change something. */
  readonly isRunning: boolean
  /** What was to come by then has come: the phase that runs began, or the last one ended. Null: nothing has. */
  readonly reached: Instant | null
  /** What comes when the phase that runs is over, in order. */
  readonly coming: readonly ComingPhase[]
}

export interface ComingPhase {
  readonly start: Instant
  /** Null: it has a price that is deleted, of which nobody says what it was. */
  readonly items: readonly PhaseItem[] | null
}

/** https://docs.stripe.com/api/subscription_schedules/object#subscription_schedule_object-status */
const running: readonly string[] = ['active', 'not_started'] satisfies Stripe.SubscriptionSchedule.Status[]

/** Stripe's schedule as far as it is followed. The prices of its phases come expanded. */
export function toSchedule(schedule: Stripe.SubscriptionSchedule): ObservedSchedule {
  const isRunning = running.includes(schedule.status)
  const { current_phase: current, subscription, released_subscription: released } = schedule
  const { released_at: releasedAt, completed_at: completedAt, canceled_at: canceledAt } = schedule
  const coming =
    isRunning && current ? schedule.phases.filter(({ start_date: start }) => start >= current.end_date) : []
  return {
    subscription: subscription === null ? released : idOf(subscription),
    isRunning,
    reached: current?.start_date ?? releasedAt ?? completedAt ?? canceledAt,
    coming: coming.map(({ start_date: start, items }) => ({ start, items: toItems(items) })),
  }
}

function toItems(items: readonly Stripe.SubscriptionSchedule.Phase.Item[]): PhaseItem[] | null {
  const read: PhaseItem[] = []
  for (const { price, quantity } of items) {
    if (typeof price === 'string') throw new Error(`Price ${price} came without what it is.`)
    if (price.deleted) return null
    const { id, product } = price
    read.push({ price: id, product: idOf(product), rhythm: rhythmOf(price), quantity: quantity ?? null })
  }
  return read
}
