import * as api from '@lockstep/api/sync-status'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { add, type Currency, money } from '@lockstep/core/money'
import { needsAttention } from '@lockstep/core/sync-health'
import { nextRound, SPREAD_SECONDS, type SyncJobs } from '../../jobs/sync-invoices.ts'
import { fromStripeUnits } from '../../provider/stripe/amount.ts'
import {
  type BilledTotals,
  billedTotals,
  failuresByCode,
  type SyncFailure,
  standingTotals,
  syncFailures,
  syncFigures,
} from '../../store/sync-health.ts'
import { lastRound, type SyncRound } from '../../store/sync-rounds.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'

/** A month of billing, with the days that it may be late. */
const BILLED_DAYS = 35
const SECONDS_PER_DAY = 86_400

/** Whether the provider says what the invoices say: for whoever operates. */
export function syncStatusRoutes(app: App, deps: Pick<SyncJobs, 'db' | 'clock' | 'boss' | 'config'>): void {
  const { db, clock, config } = deps
  route(
    app,
    api.readSyncStatus,
  )(async ({ query }) => {
    const now = clock.now()
    const [figures, round, codes, failures, billed, standing] = await Promise.all([
      syncFigures(db),
      lastRound(db),
      failuresByCode(db),
      syncFailures(db, query.limit),
      billedTotals(db, { now, seconds: BILLED_DAYS * SECONDS_PER_DAY }),
      standingTotals(db),
    ])
    const { open, stale, failing, oldestTold, lastSuccess } = figures
    const currencies = [...new Set([...billed, ...standing].map(({ currency }) => currency))].sort()
    const status: 'failing' | 'behind' | 'inStep' = failing > 0 ? 'failing' : stale > 0 ? 'behind' : 'inStep'
    return {
      status: 200,
      body: {
        ...{ status, open, stale },
        lagSeconds: oldestTold === null ? 0 : Math.max(0, now - oldestTold),
        lastSuccess: maybe(lastSuccess),
        schedule: {
          ...{ cron: config.syncCron, spreadSeconds: SPREAD_SECONDS },
          nextRun: formatInstant(nextRound(deps, now)),
          lastRun: round ? roundToApi(round) : null,
        },
        failing: codes.map((one) => ({ ...one, needsAttention: needsAttention(one.code) })),
        failures: failures.map(failureToApi),
        totals: currencies.map((currency) =>
          totalsToApi(
            currency,
            standing.find((one) => one.currency === currency)?.standing ?? 0n,
            billed.find((one) => one.currency === currency),
          ),
        ),
      },
    }
  })
}

function failureToApi({ id, customerId, externalId, subscriptionId, syncProblem, syncedAt }: SyncFailure) {
  return {
    ...{ invoice: id, customer: customerId, externalId, subscription: subscriptionId },
    problem: { code: syncProblem.code, title: syncProblem.title, detail: syncProblem.detail },
    needsAttention: needsAttention(syncProblem.code),
    syncedAt: maybe(syncedAt),
  }
}

const roundToApi = ({ beganAt, due, told, failed }: SyncRound) => ({
  ...{ at: formatInstant(beganAt), due, told, failed },
})

function totalsToApi(currency: Currency, standing: bigint, totals: BilledTotals | undefined) {
  const billed = money(totals?.billed ?? 0n, currency)
  const sent = add(fromStripeUnits(totals?.sent ?? 0n, currency), money(totals?.others ?? 0n, currency))
  return {
    currency,
    standing: moneyToApi(money(standing, currency)),
    sent: moneyToApi(sent),
    billed: moneyToApi(billed),
    equal: sent.minor === billed.minor,
  }
}

const maybe = (at: Instant | null) => (at === null ? null : formatInstant(at))
