import * as api from '@lockstep/api/usage-retention'
import { formatInstant, parseInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { formatMonth } from '@lockstep/core/usage-retention'
import type { ServiceParts } from '../../service-parts.ts'
import { pageOf } from '../../store/page.ts'
import { type ExpiredMonthShown, listExpiredMonths } from '../../store/usage-retention.ts'
import { expireUsage, type MonthPlan, planExpiry } from '../../usage/retention.ts'
import { type App, route } from '../route.ts'

type RetentionParts = Pick<ServiceParts, 'db' | 'pool' | 'clock'> & {
  readonly config: Pick<ServiceParts['config'], 'usageRetentionMonths'>
}

/** Which raw events of usage are no longer kept, and which need not be. */
export function usageRetentionRoutes(app: App, { config, ...parts }: RetentionParts): void {
  const keepMonths = config.usageRetentionMonths
  const deps = { ...parts, keepMonths }

  route(
    app,
    api.listUsageExpiries,
  )(async ({ query }) => {
    const after = query.after === undefined ? undefined : monthOf(query.after)
    const page = await pageOf(query.limit, async (limit) => {
      const months = await listExpiredMonths(parts.db, { limit, after })
      return months.map((month) => ({ ...month, id: formatMonth(month.month) }))
    })
    return { status: 200, body: { ...page, data: page.data.map(expiredToApi) } }
  })

  route(
    app,
    api.expireUsage,
  )(async ({ body: { dryRun }, caller }) => {
    const months = await (dryRun ? planExpiry(deps) : expireUsage(deps, caller.id))
    return { status: 200, body: { dryRun, keepMonths, months: months.map(planToApi) } }
  })
}

const planToApi = ({ month, verdict, events, holds }: MonthPlan) => ({
  month: formatMonth(month),
  verdict,
  events: events === null ? null : Number(events),
  holds: [...holds],
})

function expiredToApi(row: ExpiredMonthShown) {
  const { month, state, keptMonths, decidedBy, decidedAt, expiredAt, events, lateEvents } = row
  return {
    ...{ month: formatMonth(month), state, keptMonths, decidedBy, decidedAt: formatInstant(decidedAt) },
    expiredAt: expiredAt === null ? null : formatInstant(expiredAt),
    events: events === null ? null : Number(events),
    lateEvents: lateEvents === null ? null : Number(lateEvents),
  }
}

function monthOf(cursor: string) {
  const month = parseInstant(`${cursor}-01T00:00:00Z`)
  if (month === undefined) throw new Problem('invalid_request', '`after` is not a cursor of this list.')
  return month
}
