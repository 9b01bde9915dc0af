import { change } from '../../change.ts'

export const billingMode = change({
  since: '2025-06-30.basil',
  what: 'Subscriptions have a billing mode; all were what is now called classic.',
  source: 'https://docs.stripe.com/changelog/basil/2025-06-30/billing-mode',
  operations: ['POST /v1/subscriptions/:id/migrate'],
  show: {
    subscription: { drop: ['billing_mode'] },
    subscription_schedule: { drop: ['billing_mode'] },
  },
  parameters: {
    'POST /v1/subscriptions': ['billing_mode'],
    'POST /v1/subscription_schedules': ['billing_mode'],
    'POST /v1/checkout/sessions': ['subscription_data[billing_mode]'],
    'POST /v1/invoices/create_preview': [
      'schedule_details[billing_mode]',
      'subscription_details[billing_mode]',
    ],
  },
})
