import type { Json } from '../../../rows.ts'
import { change } from '../../change.ts'

type Period = { readonly current_period_start: number; readonly current_period_end: number }

/** All items had one period. Of items that differ, the one that ends first is told. */
function periodOf(items: Json): Period | undefined {
  const [first, ...others] = items.data as Period[]
  return others.reduce((next, item) => {
    return next !== undefined && next.current_period_end <= item.current_period_end ? next : item
  }, first)
}

type WithItems = { readonly items: Json; readonly created: number }

export const subscriptionPeriods = change({
  since: '2025-03-31.basil',
  what: 'The current period is told of each subscription item, no longer of the subscription.',
  source:
    'https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end',
  show: {
    subscription: {
      give: {
        current_period_start: ({ items, created }: WithItems) =>
          periodOf(items)?.current_period_start ?? created,
        current_period_end: ({ items, created }: WithItems) => periodOf(items)?.current_period_end ?? created,
      },
    },
    subscription_item: { drop: ['current_period_start', 'current_period_end'] },
  },
})
