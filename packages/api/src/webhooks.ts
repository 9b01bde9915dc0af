import { z } from 'zod'
import { defineRoute } from './define-route.ts'

export const receiveStripeEvent = defineRoute({
  id: 'receiveStripeEvent',
  method: 'POST',
  path: '/webhooks/stripe',
  callers: 'public',
  summary: "Stripe's events",
  description: 'Signed by Stripe (`Stripe-Signature`). Stored once, answered at once, processed afterwards.',
  tags: ['Webhooks'],
  rawBody: true,
  answers: { 200: z.strictObject({ received: z.literal(true) }).meta({ id: 'EventReceipt' }) },
  problems: ['webhook_signature_invalid'],
  idempotent: false,
  bodyLimit: 1024 * 1024,
})
