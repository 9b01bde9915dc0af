import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { type CallDeps, readStripe } from './call.ts'
import { withAllLines } from './fetch.ts'

/** What is on such invoices was not paid: not yet, or never will be. */
const unpaid = ['draft', 'open', 'uncollectible', 'void'] as const

/**
 * Until when time of a subscription was billed that is not over at `at` and that nobody paid for; null where there is
 * none. Asked of the provider and not of what we saw, because an event of a renewal may still be on its way.
 */
export async function timeBilledInVain(
  deps: Pick<CallDeps, 'provider'>,
  subscription: string,
  at: Instant,
): Promise<Instant | null> {
  const ends = await Promise.all(
    unpaid.map((status) =>
      readStripe(deps, async (stripe) => {
        let last = at
        for await (const invoice of stripe.invoices.list({ subscription, status, limit: 100 })) {
          if (isOfHeldChange(invoice)) continue
          const { lines } = await withAllLines(stripe, invoice)
          for (const line of lines.data) if (costs(line)) last = Math.max(last, line.period.end)
        }
        return last
      }),
    ),
  )
  const last = Math.max(...ends)
  return last > at ? last : null
}

/** A change that the bank did not let happen: voided, and what it billed was never had. */
function isOfHeldChange({ status, billing_reason: reason }: Stripe.Invoice): boolean {
  return status === 'void' && reason === 'subscription_update'
}

/** Discounts are beside the amount. https://docs.stripe.com/api/invoice-line-item/object */
function costs({ amount, discount_amounts: discounts }: Stripe.InvoiceLineItem): boolean {
  return (discounts ?? []).reduce((rest, discount) => rest - discount.amount, amount) > 0
}
