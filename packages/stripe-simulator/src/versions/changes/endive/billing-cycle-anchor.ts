import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

/** A bare word becomes the object that later versions take; anything else is left for the route to refuse. */
function anchor(path: string) {
  return (given: Given) => given.move(path, `${path}[type]`)
}

/** A preview of a new subscription took a bare moment, too. */
function previewedAnchor(given: Given): void {
  const path = 'subscription_details[billing_cycle_anchor]'
  const word = given.get(path)
  if (typeof word !== 'string' || !/^\d+$/.test(word)) {
    anchor(path)(given)
    return
  }
  given.move(path, `${path}[timestamp]`)
  given.set(`${path}[type]`, 'timestamp')
}

export const billingCycleAnchor = change({
  since: '2026-09-30.endive',
  what: 'The billing cycle anchor of a change is an object with a type; it was a bare `now`, `unchanged` or moment.',
  source: 'https://docs.stripe.com/changelog/endive/2026-09-30/polymorphic-billing-cycle-anchor',
  parameters: {
    'POST /v1/subscriptions/:id': ['billing_cycle_anchor[type]'],
    'POST /v1/subscriptions/:id/resume': ['billing_cycle_anchor[type]'],
    'POST /v1/invoices/create_preview': ['subscription_details[billing_cycle_anchor][type]'],
  },
  accept: {
    'POST /v1/subscriptions/:id': anchor('billing_cycle_anchor'),
    'POST /v1/subscriptions/:id/resume': anchor('billing_cycle_anchor'),
    'POST /v1/invoices/create_preview': previewedAnchor,
  },
})
