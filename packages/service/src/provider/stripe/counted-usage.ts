import { Problem } from '@lockstep/core/problem'
import Stripe from 'stripe'
import type { CountedLine, MeteredItem } from '../../store/provider-usage.ts'
import { type CallDeps, readStripe } from './call.ts'
import { withAllLines } from './fetch.ts'
import { exactQuantityOf, idOf, present } from './field.ts'

/**
 * What Stripe's own meters have counted for a subscription so far and its next invoice bills, with the tiers as Stripe rates them:
 * its own preview of that invoice. Stripe takes meter events in asynchronously, so the newest may be missing.
 * https://docs.stripe.com/api/invoices/create_preview,
 * https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api
 *
 * @returns every line of the metered items; none where Stripe makes no further invoice
 */
export async function previewCounted(
  deps: Pick<CallDeps, 'provider'>,
  subscription: string,
  items: readonly MeteredItem[],
): Promise<CountedLine[]> {
  try {
    const { lines } = await readStripe(deps, async (stripe) =>
      withAllLines(stripe, await stripe.invoices.createPreview({ subscription })),
    )
    return countedOn(lines.data, items)
  } catch (error) {
    if (error instanceof Problem && isNothingUpcoming(error.cause)) return []
    throw error
  }
}

/** Of the lines of an invoice, or of a preview, those that bill what the meters counted. */
export function countedOn(
  lines: readonly Stripe.InvoiceLineItem[],
  items: readonly MeteredItem[],
): CountedLine[] {
  return lines.flatMap((line): CountedLine[] => {
    const details = line.parent?.subscription_item_details
    // A proration, or what a change of the price billed at once, is an invoice item and known as that.
    if (!details || details.invoice_item !== null || details.proration) return []
    const price = line.pricing?.price_details
    const known = items.some(
      (one) => one.item === details.subscription_item && price && one.price === idOf(price.price),
    )
    if (!known || !price) return []
    return [
      {
        item: present(details.subscription_item ?? undefined, 'lines.parent.subscription_item'),
        price: idOf(price.price),
        product: idOf(price.product),
        amount: `${present(line.amount, 'lines.amount')}`,
        currency: line.currency,
        description: line.description ?? '',
        periodStart: line.period.start,
        periodEnd: line.period.end,
        quantity: exactQuantityOf(line),
        isDiscountable: line.discountable,
      },
    ]
  })
}

function isNothingUpcoming(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'invoice_upcoming_none'
}
