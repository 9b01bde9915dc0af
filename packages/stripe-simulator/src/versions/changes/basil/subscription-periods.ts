import type { Json } from '../../../rows.ts'
import { change } from '../../change.ts'

type Period = { readonly current_period_start: number; readonly current_period_end: number }

/**
 * All items had one period. Of items that differ, the latest start and the earliest end are told.
 * https://docs.stripe.com/billing/subscriptions/mixed-interval#billing-periods-for-mixed-interval-subscriptions
 */
function edge(items: Json, of: (periods: readonly Period[]) => number, otherwise: number): number {
  const periods = items.data as Period[]
  return periods.length === 0 ? otherwise : of(periods)
}

const latestStart = (periods: readonly Period[]) =>
  Math.max(...periods.map((item) => item.current_period_start))
const earliestEnd = (periods: readonly Period[]) =>
  Math.min(...periods.map((item) => item.current_period_end))

type WithItems = { readonly items: Json; readonly created: number }

export const subscriptionPeriods = change({
  since: '2025-03-31.basil',
  what: 'The current period is told of each subscription item, no longer of the subscription.',
  source:
    'https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end',
  show: {
    subscription: {
      give: {
        current_period_start: ({ items, created }: WithItems) => edge(items, latestStart, created),
        current_period_end: ({ items, created }: WithItems) => edge(items, earliestEnd, created),
      },
    },
    subscription_item: { drop: ['current_period_start', 'current_period_end'] },
  },
})
