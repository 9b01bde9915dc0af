import { readSubscriptionStats } from '@lockstep/api/subscription-stats'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { subscriptionStatuses } from '@lockstep/core/subscription'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import {
  type AsOf,
  countSubscribers,
  countTrialsEnding,
  type Movements,
  type Revenue,
  readMovements,
  readStandings,
  readWeights,
  revenueOf,
  type Standing,
} from '../../store/subscription-stats.ts'
import { latestTestTime } from '../../store/test-clocks.ts'
import { moneyToApi } from '../money-to-api.ts'
import { readInstantIfGiven } from '../read-instant.ts'
import { type App, route } from '../route.ts'

const TRIAL_WARNING_SECONDS = 7 * 86_400

/** Figures about all subscriptions, as of any moment. */
export function subscriptionStatsRoutes(
  app: App,
  { db, clock }: { readonly db: Db; readonly clock: Clock },
): void {
  route(
    app,
    readSubscriptionStats,
  )(async ({ query }) => {
    const at: AsOf = readInstantIfGiven(query.at) ?? 'now'
    const since = readInstantIfGiven(query.since)
    if (since !== undefined && since > (at === 'now' ? clock.now() : at)) refuseBackwards()
    if (at !== 'now' && at > clock.now() && at > ((await latestTestTime(db)) ?? 0)) refuseFuture()
    const revenue = await readWeights(db)
    const [standings, subscribers, trialsEnding, movements] = await Promise.all([
      readStandings(db, revenue, at),
      countSubscribers(db, at),
      countTrialsEnding(db, at, clock.now(), TRIAL_WARNING_SECONDS),
      since === undefined ? null : readMovements(db, revenue, { since, at }),
    ])
    return {
      status: 200,
      body: {
        at: at === 'now' ? null : formatInstant(at),
        since: since === undefined ? null : formatInstant(since),
        subscribers: Number(subscribers),
        ...countsOf(standings),
        trialsEnding: Number(trialsEnding),
        plans: plansOf(standings, revenue),
        revenue: revenueToApi(standings, movements, revenue),
      },
    }
  })
}

function refuseBackwards(): never {
  const detail = 'Movements are told from an earlier moment to a later one.'
  throw new Problem('invalid_request', detail, {
    faults: [{ pointer: '#/since', code: 'not_before', detail }],
  })
}

function refuseFuture(): never {
  const detail = 'Nobody has come so far: leave it out for how everybody stands now.'
  throw new Problem('invalid_request', detail, {
    faults: [{ pointer: '#/at', code: 'in_the_future', detail }],
  })
}

function countsOf(standings: readonly Standing[]) {
  const sumOf = (rows: readonly Standing[]) => total(rows, ({ subscriptions }) => subscriptions)
  const byStatus = subscriptionStatuses
    .map((status) => ({ status, subscriptions: sumOf(standings.filter((row) => row.status === status)) }))
    .filter(({ subscriptions }) => subscriptions > 0)
  const failing = standings.filter(({ status }) => status === 'past_due' || status === 'unpaid')
  return {
    subscriptions: sumOf(standings),
    byStatus,
    failingCards: sumOf(failing),
    ending: total(standings, ({ ending }) => ending),
  }
}

function plansOf(standings: readonly Standing[], revenue: Revenue) {
  return distinct(standings, ({ plan }) => plan).map((plan) => {
    const rows = standings.filter((row) => row.plan === plan)
    const mrr = distinct(rows, ({ currency }) => currency).map((currency) =>
      moneyToApi(revenueOf(earned(rows, currency), revenue, currency)),
    )
    return { plan, subscriptions: total(rows, ({ subscriptions }) => subscriptions), mrr }
  })
}

function revenueToApi(
  standings: readonly Standing[],
  movements: readonly Movements[] | null,
  revenue: Revenue,
) {
  const known = [...standings, ...(movements ?? [])]
  return distinct<{ readonly currency: string }>(known, ({ currency }) => currency).map((currency) => {
    const amount = (weighted: bigint) => moneyToApi(revenueOf(weighted, revenue, currency))
    const moved = movements?.find((row) => row.currency === currency)
    return {
      currency,
      mrr: amount(earned(standings, currency)),
      movements: movements && {
        new: amount(moved?.new ?? 0n),
        reactivation: amount(moved?.reactivation ?? 0n),
        expansion: amount(moved?.expansion ?? 0n),
        contraction: amount(moved?.contraction ?? 0n),
        churn: amount(moved?.churn ?? 0n),
      },
    }
  })
}

function earned(rows: readonly Standing[], currency: string): bigint {
  return rows.reduce((sum, row) => (row.currency === currency ? sum + row.mrr : sum), 0n)
}

function total(rows: readonly Standing[], of: (row: Standing) => bigint): number {
  return Number(rows.reduce((sum, row) => sum + of(row), 0n))
}

function distinct<T>(rows: readonly T[], of: (row: T) => string): string[] {
  return [...new Set(rows.map(of))].sort()
}
