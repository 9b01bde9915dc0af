import type { Instant } from '@lockstep/core/instant'
import { discountsTakenOff } from '@lockstep/core/standing-discount'
import { isLive } from '@lockstep/core/subscription'
import type { Db } from '../postgres/connect.ts'
import { discountTerms } from '../store/standing-discounts.ts'
import type { Subscription } from '../store/subscriptions.ts'
import { discountToApi } from './routes/discount-to-api.ts'

/**
 * What is taken off a subscription by itself, in its customer's own time, in the order in which it is; null as long as
 * the terms of one of them are not known. Of what is over nothing is taken off.
 */
export async function runningDiscounts(db: Db, subscription: Subscription, now: Instant) {
  const { id, status, frozenAt } = subscription
  if (!isLive(status)) return []
  const standing = await discountTerms(db, id)
  if (standing === null) return null
  const taken = discountsTakenOff(standing, frozenAt ?? now)
  return taken.map(({ terms, scope }) => ({ ...discountToApi(terms), source: scope }))
}
