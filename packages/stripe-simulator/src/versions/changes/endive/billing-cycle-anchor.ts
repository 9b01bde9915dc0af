import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

/** A bare word becomes the object that later versions take; anything else is left for the route to refuse. */
function anchor(path: string) {
  return (given: Given) => given.move(path, `${path}[type]`)
}

export const billingCycleAnchor = change({
  since: '2026-09-30.endive',
  what: 'The billing cycle anchor of a change is an object with a type; it was a bare `now` or `unchanged`.',
  source: 'https://github.com/stripe/stripe-node/blob/master/CHANGELOG.md#2300---2026-09-30',
  parameters: {
    'POST /v1/subscriptions/:id': ['billing_cycle_anchor[type]'],
    'POST /v1/subscriptions/:id/resume': ['billing_cycle_anchor[type]'],
    'POST /v1/invoices/create_preview': ['subscription_details[billing_cycle_anchor][type]'],
  },
  accept: {
    'POST /v1/subscriptions/:id': anchor('billing_cycle_anchor'),
    'POST /v1/subscriptions/:id/resume': anchor('billing_cycle_anchor'),
    'POST /v1/invoices/create_preview': anchor('subscription_details[billing_cycle_anchor]'),
  },
})
