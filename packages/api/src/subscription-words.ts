import { subscriptionStatuses } from '@lockstep/core/subscription'
import { collections } from '@lockstep/core/subscription-history'
import { z } from 'zod'

export const subscriptionStatus = z
  .enum(subscriptionStatuses)
  .meta({ id: 'SubscriptionStatus', description: "Stripe's statuses by Stripe's names." })

export const access = z
  .enum(['full', 'grace', 'inactive', 'ended'])
  .meta({ description: 'What the customer may use now, derived from the status and the catalogue’s grace.' })

export const collection = z.enum(collections).meta({
  description:
    'What happens to its invoices: charged, or made and, while collection is paused, kept as drafts, written off, ' +
    'or voided. Service goes on either way.',
})
