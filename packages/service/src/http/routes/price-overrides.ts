import * as api from '@lockstep/api/price-overrides'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import { overridePrice, previewOverride } from '../../invoice/override-price.ts'
import type { Db } from '../../postgres/connect.ts'
import { pageOf } from '../../store/page.ts'
import { listOverrides, type PriceOverrideRecord, readOverrideRecord } from '../../store/price-overrides.ts'
import { readSubscription } from '../../store/subscriptions.ts'
import { customerTime } from '../../workflow/observe/customer-time.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'
import { priceToApi } from './price-to-api.ts'

/** Prices that one subscription has of its own: previewed, given, listed. */
export function priceOverrideRoutes(
  app: App,
  { db, clock }: { readonly db: Db; readonly clock: Clock },
): void {
  route(
    app,
    api.overridePrice,
  )(async ({ params, query, body, operation, caller }) => {
    const { customerId } = await existing(db, params.id)
    const { price, terms, from, reason, agent = null } = body
    const wanted = { subscriptionId: params.id, price, terms, firstPeriod: from }
    if (query.dryRun) {
      const { expectedAt, before, after, changes } = await previewOverride(db, wanted)
      return {
        status: 200,
        body: {
          ...{ subscription: params.id, price, from, startsAt: formatInstant(expectedAt) },
          ...{ before: moneyToApi(before), after: moneyToApi(after), changes: [...changes] },
        },
      }
    }
    // Named after the operation: a repetition after a crash finds it.
    const id = operation.replace(/^operation/, 'price_override')
    if ((await readOverrideRecord(db, id)) === undefined) {
      const madeAt = await customerTime(db, clock, customerId)
      await overridePrice(db, { ...wanted, id }, { reason, agent, madeBy: caller.id, madeAt })
    }
    const made = await readOverrideRecord(db, id)
    if (!made) throw new Error(`There is no override ${id}.`)
    return { status: 201, body: overrideToApi(made) }
  })

  route(
    app,
    api.listPriceOverrides,
  )(async ({ params, query }) => {
    const { id: subscription } = await existing(db, params.id)
    const page = await pageOf(query.limit, (limit) => listOverrides(db, { ...query, subscription, limit }))
    return { status: 200, body: { ...page, data: page.data.map(overrideToApi) } }
  })
}

async function existing(db: Db, id: string) {
  const subscription = await readSubscription(db, id)
  if (!subscription) throw new Problem('subscription_not_found', `There is no subscription ${id}.`)
  return subscription
}

function overrideToApi(override: PriceOverrideRecord) {
  const { id, subscriptionId, price, terms, reason, madeBy, agent } = override
  return {
    ...{ id, subscription: subscriptionId, price, reason, madeBy, agent },
    terms: terms === null ? null : priceToApi(terms),
    from: override.firstPeriod,
    startsAt: formatInstant(override.expectedAt),
    madeAt: formatInstant(override.madeAt),
  }
}
