import type Stripe from 'stripe'
import { gap } from '../../../errors.ts'
import { get, post } from '../../../http/route.ts'
import { type Raw, shape } from '../../../http/schema.ts'
import type { Shown } from '../../../shown.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

const anything = { ...shape({}), parse: (raw: Raw) => raw as Record<never, never> }

function refuse(): never {
  throw gap('usage records; what a meter counts is billed in every version')
}

const ITEM = '/v1/subscription_items/:id'

function aggregateUsage(owner: string) {
  return (given: Given) => given.miss(owner === '' ? 'aggregate_usage' : `${owner}[aggregate_usage]`)
}

const plain = { give: { aggregate_usage: (): string | null => null } }

export const usageRecords = change({
  since: '2025-03-31.basil',
  what: 'Usage is counted by meters; usage records and what their prices aggregated are gone.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-legacy-usage-based-billing',
  former: [
    { route: post(`${ITEM}/usage_records`, anything, refuse) },
    { route: get(`${ITEM}/usage_record_summaries`, anything, refuse) },
  ],
  show: {
    plan: plain,
    price: {
      give: {
        recurring: ({ recurring }: Pick<Shown<Stripe.Price>, 'recurring'>) =>
          recurring === null ? null : { ...recurring, aggregate_usage: null as string | null },
      },
    },
  },
  accept: {
    'POST /v1/prices': aggregateUsage('recurring'),
    'POST /v1/plans': aggregateUsage(''),
  },
})
