import { readUsage } from '@lockstep/api/usage'
import { formatInstant } from '@lockstep/core/instant'
import { type Meter, measure } from '@lockstep/core/meter'
import type { Period } from '@lockstep/core/period'
import { Problem } from '@lockstep/core/problem'
import { formatQuantity } from '@lockstep/core/quantity'
import { isLive } from '@lockstep/core/subscription'
import type { Db } from '../../postgres/connect.ts'
import { readCustomer } from '../../store/customers.ts'
import { lastPeriodInvoice } from '../../store/invoices.ts'
import { METER_COLUMNS, meterOf } from '../../store/meters.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { cutsAmong } from '../../store/usage.ts'
import { type MeasuredUsage, usageOverTime } from '../../store/usage-over-time.ts'
import { readInstantIfGiven } from '../read-instant.ts'
import { type App, route } from '../route.ts'
import { groupsAsked } from './asked-groups.ts'
import { invalidQuery as invalid } from './invalid-query.ts'

/** What a customer used, over time. */
export function usageRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    readUsage,
  )(async ({ query }) => {
    const customer = await readCustomer(db, query.customer)
    if (!customer) throw new Problem('customer_not_found', `There is no customer ${query.customer}.`)
    const meters = await metersByKey(db)
    if (query.meter !== undefined && !meters.has(query.meter)) {
      throw new Problem('meter_not_found', `There is no meter ${query.meter}.`)
    }
    const period = await periodOf(db, customer.id, query)
    const { groupBy, meter: meterKey } = query
    checkLength(period, groupBy)
    const groups = groupsAsked(query, meters.get(meterKey ?? ''))
    const asked = { customerId: customer.id, period, meterKey, groupBy, groups }
    const measured = await usageOverTime(db, asked)
    if (measured.length > MOST_STRETCHES) throw tooLong('by', 'figures')
    return {
      status: 200,
      body: {
        customer: customer.id,
        period: { start: formatInstant(period.start), end: formatInstant(period.end) },
        data: measured.flatMap((usage) => {
          const meter = meters.get(usage.meterKey)
          return meter ? [usageToApi(usage, meter, groups?.groupBy)] : []
        }),
      },
    }
  })
}

function usageToApi(
  { totals, stretch: { start, end }, values = [] }: MeasuredUsage,
  meter: Meter,
  by: readonly string[] = [],
) {
  return {
    meter: meter.key,
    unitLabel: meter.unitLabel,
    start: formatInstant(start),
    end: formatInstant(end),
    quantity: formatQuantity(measure(meter, totals)),
    events: Number(totals.count),
    ...(by.length > 0 && {
      dimensions: Object.fromEntries(by.map((name, i) => [name, values[i] ?? null])),
    }),
  }
}

const SECONDS = { hour: 3600, day: 86_400 }

/** A level is there in every hour, so an answer is as long as what is asked. */
const MOST_STRETCHES = 10_000

function checkLength({ start, end }: Period, groupBy: 'hour' | 'day' | 'none'): void {
  if (groupBy === 'none' || (end - start) / SECONDS[groupBy] <= MOST_STRETCHES) return
  throw tooLong('groupBy', `${groupBy}s of a meter`)
}

const tooLong = (name: string, what: string) =>
  invalid(name, 'too_long', `An answer has at most ${MOST_STRETCHES} ${what}.`)

/** Archived meters too: what was used is still to be seen. */
async function metersByKey(db: Db): Promise<Map<string, Meter>> {
  const rows = await db.selectFrom('meter').select(METER_COLUMNS).execute()
  return new Map(rows.map((row) => [row.key, meterOf(row)]))
}

interface Asked {
  readonly start?: string | undefined
  readonly end?: string | undefined
}

/** Widened to whole buckets: an edge stays where usage is cut, and otherwise goes to its hour. */
async function periodOf(db: Db, customerId: string, asked: Asked): Promise<Period> {
  const running =
    asked.start === undefined || asked.end === undefined ? await runningPeriod(db, customerId) : undefined
  const start = readInstantIfGiven(asked.start) ?? running?.start
  const end = readInstantIfGiven(asked.end) ?? running?.end
  if (start === undefined || end === undefined) {
    throw invalid('start', 'required', 'The customer has no running subscription: say start and end.')
  }
  if (start >= end) throw invalid('end', 'invalid', 'The end is not after the start.')
  const cuts = new Set(await cutsAmong(db, customerId, [start, end]))
  return {
    start: cuts.has(start) ? start : Math.floor(start / SECONDS.hour) * SECONDS.hour,
    end: cuts.has(end) ? end : Math.ceil(end / SECONDS.hour) * SECONDS.hour,
  }
}

async function runningPeriod(db: Db, customerId: string): Promise<Period | undefined> {
  const subscriptions = await db
    .selectFrom('subscription')
    .select(['id', 'status', 'planVersionId', 'currentPeriodStart', 'currentPeriodEnd'])
    .where('customerId', '=', customerId)
    .orderBy('startedAt', 'desc')
    .execute()
  const running = subscriptions.find(({ status }) => isLive(status))
  if (!running) return undefined
  const { plan } = await loadPlanVersion(db, running.planVersionId)
  // Where usage is billed more often than the fees, what runs is its own period.
  const last = plan.usageInterval === null ? undefined : await lastPeriodInvoice(db, running.id)
  return last
    ? { start: last.periodStart, end: last.periodEnd }
    : { start: running.currentPeriodStart, end: running.currentPeriodEnd }
}
