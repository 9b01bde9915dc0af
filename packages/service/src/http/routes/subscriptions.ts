import * as api from '@lockstep/api/subscriptions'
import { accessOf, graceEndOf } from '@lockstep/core/access'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import { pageOf } from '../../store/page.ts'
import { listSubscriptions, readSubscription, type Subscription } from '../../store/subscriptions.ts'
import { runningDiscounts } from '../expand-discounts.ts'
import { expandMappings } from '../expand-mappings.ts'
import { readInstantIfGiven } from '../read-instant.ts'
import { type App, route } from '../route.ts'

/** Running agreements, as the provider last said they are. */
export function subscriptionRoutes(
  app: App,
  { db, clock }: { readonly db: Db; readonly clock: Clock },
): void {
  route(
    app,
    api.listSubscriptions,
  )(async ({ query }) => {
    const filter = {
      ...query,
      trialEndsBefore: readInstantIfGiven(query.trialEndsBefore),
      modifiedAfter: readInstantIfGiven(query.modifiedAfter),
      now: clock.now(),
    }
    const page = await pageOf(query.limit, (limit) => listSubscriptions(db, { ...filter, limit }))
    const data = await shown(page.data, query)
    return { status: 200, body: { ...page, data } }
  })

  route(
    app,
    api.readSubscription,
  )(async ({ params, query }) => {
    const found = await readSubscription(db, params.id)
    if (!found) throw new Problem('subscription_not_found', `There is no subscription ${params.id}.`)
    const [body = subscriptionToApi(found, clock.now())] = await shown([found], query)
    return { status: 200, body }
  })

  /** Each with what the query asks for beside it. */
  async function shown(rows: readonly Subscription[], { expand }: Expansion) {
    const now = clock.now()
    const subscriptions = rows.map((row) => subscriptionToApi(row, now))
    if (expand === 'mappings')
      return expandMappings(db, { expand }, 'subscription', subscriptions, ({ id }) => id)
    if (expand === undefined) return subscriptions
    // All of a page are one statement: it is grouped.
    const discounts = await Promise.all(rows.map((row) => runningDiscounts(db, row, now)))
    return subscriptions.map((one, i) => ({ ...one, discounts: discounts[i] ?? null }))
  }
}

interface Expansion {
  readonly expand?: 'mappings' | 'discounts' | undefined
}

/** `now` is the wall's: a customer on a test clock has a time of its own. */
export function subscriptionToApi(subscription: Subscription, now: Instant) {
  const { id, externalId, slot, planVersion, status, currency, quantity, cancelAtPeriodEnd, providerId } =
    subscription
  const { trialStart, trialEnd, frozenAt, graceDays } = subscription
  const grace = { days: graceDays }
  return {
    id,
    customer: subscription.customerId,
    externalId,
    slot,
    plan: subscription.planKey,
    planVersion,
    status,
    access: accessOf(subscription, grace, frozenAt ?? now),
    pastDueSince: maybe(subscription.pastDueSince),
    graceEndsAt: maybe(graceEndOf(subscription, grace)),
    currency,
    quantity,
    addons: subscription.addons,
    billingCycleAnchor: formatInstant(subscription.billingCycleAnchor),
    currentPeriod: {
      start: formatInstant(subscription.currentPeriodStart),
      end: formatInstant(subscription.currentPeriodEnd),
    },
    trial:
      trialStart === null || trialEnd === null
        ? null
        : { start: formatInstant(trialStart), end: formatInstant(trialEnd) },
    cancelAt: maybe(subscription.cancelAt),
    cancelAtPeriodEnd,
    canceledAt: maybe(subscription.canceledAt),
    endedAt: maybe(subscription.endedAt),
    startedAt: formatInstant(subscription.startedAt),
    modifiedAt: maybe(subscription.modifiedAt),
    collection: subscription.collection,
    collectionResumesAt: maybe(subscription.collectionResumesAt),
    scheduledChange: scheduledChange(subscription),
    unreadSchedule: subscription.unreadSchedule,
    providerId,
    createdAt: formatInstant(subscription.createdAt),
  }
}

function scheduledChange(subscription: Subscription) {
  const { scheduledId: id, scheduledPlan: plan, scheduledVersion: planVersion } = subscription
  const { scheduledQuantity: quantity, scheduledAddons: addons, scheduledAt: at } = subscription
  if (id === null || plan === null || planVersion === null || quantity === null || at === null) return null
  return { id, plan, planVersion, quantity, addons: addons ?? [], takesEffectAt: formatInstant(at) }
}

const maybe = (at: Instant | null) => (at === null ? null : formatInstant(at))
