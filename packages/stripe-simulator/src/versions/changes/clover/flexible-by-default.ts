import type Stripe from 'stripe'
import type { Shown } from '../../../shown.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

type WithMode = { readonly billing_mode: Shown<Stripe.Subscription>['billing_mode'] }

/** Who says nothing about the mode means classic in older versions. */
function classic(owner: string) {
  const path = owner === '' ? 'billing_mode' : `${owner}[billing_mode]`
  return (given: Given) => {
    if (given.get(path) === undefined) given.set(`${path}[type]`, 'classic')
  }
}

const onlyType = { give: { billing_mode: ({ billing_mode: { type } }: WithMode) => ({ type }) } }

export const flexibleByDefault = change({
  since: '2025-09-30.clover',
  what: 'New subscriptions are billed in the flexible mode unless they ask for the classic one.',
  source: 'https://docs.stripe.com/changelog/clover/2025-09-30/billing-mode-default-flexible',
  show: { subscription: onlyType, subscription_schedule: onlyType },
  parameters: {
    'POST /v1/subscriptions': ['billing_mode[flexible]'],
    'POST /v1/subscriptions/:id/migrate': ['billing_mode[flexible]'],
    'POST /v1/subscription_schedules': ['billing_mode[flexible]'],
  },
  accept: {
    'POST /v1/subscriptions': classic(''),
    'POST /v1/subscription_schedules': (given) => {
      // A schedule that takes a subscription over keeps the mode of it.
      if (given.get('from_subscription') === undefined) classic('')(given)
    },
    'POST /v1/checkout/sessions': (given) => {
      if (given.get('mode') === 'subscription') classic('subscription_data')(given)
    },
    'POST /v1/invoices/create_preview': (given) => {
      // A preview of what exists is billed in its own mode.
      if (given.get('subscription') !== undefined || given.get('schedule') !== undefined) return
      if (given.get('schedule_details[phases]') !== undefined) classic('schedule_details')(given)
      if (given.get('subscription_details[items]') !== undefined) classic('subscription_details')(given)
    },
  },
})
