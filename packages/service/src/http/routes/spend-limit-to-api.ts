import { formatInstant } from '@lockstep/core/instant'
import { formatMoney, money } from '@lockstep/core/money'
import { formatQuantity } from '@lockstep/core/quantity'
import { spentOf } from '@lockstep/core/spend-limit'
import type { CurrentSpending } from '../../invoice/spending.ts'
import type { ShownAlert } from '../../store/spend-alerts.ts'
import type { SpendLimitRecord } from '../../store/spend-limits.ts'

/** A limit with how far it is used, in each subscription whose period runs. */
export function spendLimitToApi(limit: SpendLimitRecord, current: readonly CurrentSpending[]) {
  const { id, owner, meter, currency, cap, alerts, alertPercents, madeBy, endedBy, endedAt } = limit
  const figure = figureOf(currency)
  return {
    ...{ id, owner, meter, currency, alertPercents: [...alertPercents], madeBy },
    customer: limit.customerId,
    cap: cap === null ? null : figure(cap),
    alerts: alerts.map(figure),
    madeAt: formatInstant(limit.madeAt),
    ended: endedBy === null || endedAt === null ? null : { by: endedBy, at: formatInstant(endedAt) },
    standing:
      endedAt === null
        ? current.flatMap(({ invoice, spending }) => {
            const spent = spentOf(limit, spending)
            if (spent === undefined || invoice.subscriptionId === null) return []
            const { periodStart, periodEnd, subscriptionId: subscription } = invoice
            const capReached = cap !== null && spent >= cap
            const period = { start: formatInstant(periodStart), end: formatInstant(periodEnd) }
            return [{ subscription, period, spent: figure(spent), capReached }]
          })
        : [],
  }
}

export function spendAlertToApi(alert: ShownAlert) {
  const { id, kind, owner, meter, currency, period } = alert
  const figure = figureOf(currency)
  return {
    ...{ id, kind, owner, meter, currency },
    customer: alert.customerId,
    subscription: alert.subscriptionId,
    invoice: alert.invoiceId,
    limit: alert.limitId,
    period: { start: formatInstant(period.start), end: formatInstant(period.end) },
    at: figure(alert.at),
    spent: figure(alert.spent),
    reachedAt: formatInstant(alert.reachedAt),
  }
}

/** An amount where there is a currency, a quantity elsewhere. */
const figureOf = (currency: string | null) => (value: bigint) =>
  currency === null ? formatQuantity(value) : formatMoney(money(value, currency))
