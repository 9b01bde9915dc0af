import { defineCatalog } from '@lockstep/core/catalog'
import type { SyncPolicy } from '@lockstep/core/direction'
import { type BillingWorld, newBillingWorld } from './billing-world.ts'

/** Metering beside Stripe: customers, plans and subscriptions are made there, usage is sent here. */
const beside: SyncPolicy = {
  directions: {
    customer: 'inbound',
    plan: 'inbound',
    price: 'inbound',
    subscription: 'inbound',
    invoice: 'both',
  },
  missingCustomer: 'create',
  missingPlan: 'create',
}

/** A world where all that is sold is made at Stripe. */
export const newInboundWorld = (): Promise<BillingWorld> =>
  newBillingWorld({
    catalog: defineCatalog({ currency: 'usd', products: {}, plans: {} }),
    sync: beside,
  })
