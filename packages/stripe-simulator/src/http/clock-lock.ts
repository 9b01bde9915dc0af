import { StripeError } from '../errors.ts'
import type { World } from '../world.ts'
import type { Raw } from './schema.ts'

const OWNERS = [
  'id',
  'customer',
  'subscription',
  'invoice',
  'test_clock',
  'payment_intent',
  'charge',
  'from_subscription',
] as const

/**
 * While a test clock advances, its objects can be read but not written.
 * https://docs.stripe.com/billing/testing/test-clocks
 */
export function refuseWhileAdvancing(
  world: World,
  segments: Record<string, string>,
  given: Record<string, Raw>,
): void {
  if (world.testClocks.size === 0) return
  for (const owner of OWNERS) {
    for (const id of [segments[owner], given[owner]]) {
      if (typeof id !== 'string') continue
      const clock = id.startsWith('clock_') ? id : clockOf(world, id)
      if (clock !== null && world.testClocks.get(clock)?.status === 'advancing') {
        throw new StripeError(429, {
          type: 'invalid_request_error',
          code: 'lock_timeout',
          message: `Test clock advancement underway - cannot perform modifications: ${clock}`,
        })
      }
    }
  }
}

function clockOf(world: World, id: string): string | null {
  const row =
    world.customers.get(id) ??
    world.subscriptions.get(id) ??
    world.invoices.get(id) ??
    world.invoiceItems.get(id) ??
    world.subscriptionItems.get(id) ??
    world.paymentMethods.get(id) ??
    world.paymentIntents.get(id) ??
    world.setupIntents.get(id) ??
    world.charges.get(id) ??
    world.schedules.get(id) ??
    world.creditNotes.get(id) ??
    world.refunds.get(id)
  return row?.own.clock ?? null
}
