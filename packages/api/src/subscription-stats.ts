import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { key } from './ids.ts'
import { instant, instantInput } from './instant.ts'
import { currency, money } from './money.ts'
import { subscriptionStatus } from './subscription-words.ts'

const count = z.int().min(0)

const movements = z
  .strictObject({ new: money, reactivation: money, expansion: money, contraction: money, churn: money })
  .meta({
    id: 'RevenueMovements',
    description: 'Customer by customer between `since` and then; each part is positive or 0.',
  })

export const readSubscriptionStats = defineRoute({
  id: 'readSubscriptionStats',
  method: 'GET',
  path: '/v1/subscription-stats',
  callers: { key: 'subscriptions:read' },
  summary: 'How many subscribers, how they stand, and what they bring a month',
  description:
    'Counted from the history, so it can be asked of any moment. Monthly recurring revenue is the fees of ' +
    'subscriptions that are `active` or `past_due`, before discounts, tax and usage, each by its share of a month, ' +
    'exact until the last sum is rounded.',
  tags: ['Subscriptions'],
  query: z.strictObject({
    at: instantInput.optional().meta({
      description:
        'In each customer’s own time, and not in the future of all of them; as each of them stands now, unless given.',
    }),
    since: instantInput.optional().meta({ description: 'Before `at`: from when movements are told.' }),
  }),
  answers: {
    200: z
      .strictObject({
        at: instant.nullable().meta({ description: 'Null for now.' }),
        since: instant.nullable(),
        subscribers: count.meta({
          description: 'Customers with a live subscription; one with two counts once.',
        }),
        subscriptions: count.meta({ description: 'All that are not over.' }),
        byStatus: z.array(z.strictObject({ status: subscriptionStatus, subscriptions: count })),
        failingCards: count.meta({ description: '`past_due` and `unpaid`.' }),
        ending: count.meta({ description: 'Whose end is planned.' }),
        trialsEnding: count.meta({ description: 'On trial, for seven days more at most.' }),
        plans: z.array(z.strictObject({ plan: key, subscriptions: count, mrr: z.array(money) })),
        revenue: z.array(z.strictObject({ currency, mrr: money, movements: movements.nullable() })),
      })
      .meta({ id: 'SubscriptionStats' }),
  },
})
