import { readSubscriptionHistory } from '@lockstep/api/subscription-history'
import { accessByStatus } from '@lockstep/core/access'
import { formatInstant } from '@lockstep/core/instant'
import { money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { listHistory, type Stretch } from '../../store/subscription-history.ts'
import { readSubscription } from '../../store/subscriptions.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'

/** How a subscription stood at any time, and who or what made it so. */
export function subscriptionHistoryRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    readSubscriptionHistory,
  )(async ({ params, query: { limit, after } }) => {
    const subscription = await readSubscription(db, params.id)
    if (!subscription) throw new Problem('subscription_not_found', `There is no subscription ${params.id}.`)
    const rows = await listHistory(db, params.id, {
      limit: limit + 1,
      before: after === undefined ? undefined : Number(after),
    })
    const data = rows.slice(0, limit)
    const hasMore = rows.length > limit
    const last = data.at(-1)
    const nextCursor = hasMore && last ? `${last.ordinal}` : null
    return { status: 200, body: { data: data.map(stretchToApi), hasMore, nextCursor } }
  })
}

function stretchToApi(row: Stretch) {
  const { subscriptionId, startsAt, endsAt, status, planKey, planVersion, quantity, collection } = row
  const { cancelAtPeriodEnd, cause, actor, reason } = row
  return {
    subscription: subscriptionId,
    startsAt: formatInstant(startsAt),
    endsAt: Number.isFinite(endsAt) ? formatInstant(endsAt) : null,
    status,
    access: accessByStatus[status],
    plan: planKey,
    planVersion,
    quantity,
    addons: row.addons,
    fee: moneyToApi(money(row.fee, row.currency)),
    collection,
    cancelAt: row.cancelAt === null ? null : formatInstant(row.cancelAt),
    cancelAtPeriodEnd,
    cause,
    actor,
    reason,
    recordedAt: formatInstant(row.recordedAt),
  }
}
