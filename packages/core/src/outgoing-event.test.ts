import { describe, expect, test } from 'vitest'
import {
  creditNoteEvents,
  invoiceEvents,
  outgoingEventTypes,
  refundEvents,
  type SubscriptionStanding,
  subscriptionEvents,
} from './outgoing-event.ts'

const running: SubscriptionStanding = {
  status: 'active',
  collection: 'charging',
  planVersionId: 'plan_version_1',
  quantity: 1,
  addons: [{ addon: 'backup', version: 1, quantity: 1 }],
  currentPeriodEnd: '2026-02-10T00:00:00+00:00',
  trialEnd: null,
  cancelAt: null,
  cancelAtPeriodEnd: false,
}
const as = (change: Partial<SubscriptionStanding>): SubscriptionStanding => ({ ...running, ...change })

describe('a change of a subscription is called', () => {
  test.each<[string, SubscriptionStanding | null, SubscriptionStanding, string[]]>([
    ['first seen running', null, running, ['started']],
    ['first seen in its trial', null, as({ status: 'trialing' }), ['started']],
    ['waiting for its first payment', null, as({ status: 'incomplete' }), []],
    ['paid for the first time', as({ status: 'incomplete' }), running, ['started']],
    ['never paid', as({ status: 'incomplete' }), as({ status: 'incomplete_expired' }), ['canceled']],
    ['found over', null, as({ status: 'canceled' }), []],
    ['another plan', running, as({ planVersionId: 'plan_version_2' }), ['changed']],
    ['another number', running, as({ quantity: 2 }), ['changed']],
    ['an add-on off', running, as({ addons: [] }), ['changed']],
    [
      'more of an add-on',
      running,
      as({ addons: [{ addon: 'backup', version: 1, quantity: 2 }] }),
      ['changed'],
    ],
    ['the next period', running, as({ currentPeriodEnd: '2026-03-10T00:00:00+00:00' }), ['changed']],
    ['its end planned', running, as({ cancelAtPeriodEnd: true }), ['changed']],
    ['its trial over', as({ status: 'trialing' }), running, ['changed']],
    ['overdue', running, as({ status: 'past_due' }), ['past_due']],
    [
      'overdue in its next period',
      running,
      as({ status: 'past_due', currentPeriodEnd: 'later' }),
      ['past_due', 'changed'],
    ],
    ['paid again', as({ status: 'past_due' }), running, ['changed']],
    ['given up collecting', as({ status: 'past_due' }), as({ status: 'unpaid' }), ['unpaid']],
    ['paused at the end of its trial', as({ status: 'trialing' }), as({ status: 'paused' }), ['paused']],
    ['resumed', as({ status: 'paused' }), running, ['resumed']],
    ['not collected for now', running, as({ collection: 'void' }), ['paused']],
    [
      'not collected in another way',
      as({ collection: 'void' }),
      as({ collection: 'keepAsDraft' }),
      ['changed'],
    ],
    ['collected again', as({ collection: 'void' }), running, ['resumed']],
    ['over', running, as({ status: 'canceled', cancelAtPeriodEnd: true }), ['canceled']],
    ['as it was', running, running, []],
  ])('%s', (_, before, after, expected) => {
    expect(subscriptionEvents(before, after)).toEqual(expected.map((name) => `subscription.${name}`))
  })
})

test('an invoice that is seen late is finalized before it is paid', () => {
  expect(invoiceEvents('closing', 'paid')).toEqual(['invoice.finalized', 'invoice.paid'])
  expect(invoiceEvents('draft', 'open')).toEqual(['invoice.finalized'])
  expect(invoiceEvents('open', 'paid')).toEqual(['invoice.paid'])
  expect(invoiceEvents('open', 'void')).toEqual(['invoice.voided'])
  expect(invoiceEvents('uncollectible', 'paid')).toEqual(['invoice.paid'])
  expect(invoiceEvents('current', 'closing')).toEqual([])
})

test('money back is told of when the provider has it, and not while it is on its way there', () => {
  expect(refundEvents(null, 'making')).toEqual([])
  expect(refundEvents('making', 'refused')).toEqual([])
  expect(refundEvents('making', 'pending')).toEqual(['refund.created'])
  expect(refundEvents('pending', 'succeeded')).toEqual(['refund.updated'])
  expect(refundEvents('succeeded', 'failed')).toEqual(['refund.failed'])
  expect(refundEvents(null, 'failed')).toEqual(['refund.created', 'refund.failed'])
  expect(creditNoteEvents('making', 'issued')).toEqual(['credit_note.created'])
  expect(creditNoteEvents('issued', 'void')).toEqual(['credit_note.voided'])
  expect(creditNoteEvents(null, 'void')).toEqual(['credit_note.created', 'credit_note.voided'])
})

test('an event is named by its noun and what happened, in lower case', () => {
  for (const type of outgoingEventTypes) expect(type).toMatch(/^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/)
})
