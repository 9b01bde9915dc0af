import { type Handlers, records } from '../handler.ts'

export const entitlementHandlers: Handlers = {
  'entitlements.active_entitlement_summary.updated': records(
    'What a customer may use is said by the plan here, not by features at Stripe.',
  ),
}
