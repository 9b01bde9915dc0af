import { type Money, money } from '@lockstep/core/money'
import { leftToCredit, leftToGiveBack, mostRefundable } from '@lockstep/core/money-back'
import type { Period } from '@lockstep/core/period'
import type Stripe from 'stripe'
import { fromStripeAmount, toChargeable } from './amount.ts'
import { type CallDeps, readStripe } from './call.ts'
import { detailsOf, netOf } from './fee-lines.ts'
import { withAllLines } from './fetch.ts'
import { idOrNull } from './field.ts'
import { readSettlement } from './settlement.ts'

export interface UnusedLine {
  readonly description: string
  readonly period: Period
  /** With its tax and less its discounts; negative for what is given back. */
  readonly amount: Money
}

/** What an end now would give back for the rest of the period, and how much of it was paid. */
export interface UnusedTime {
  readonly lines: readonly UnusedLine[]
  /** The invoice that the time was paid with; null if nothing was. */
  readonly invoice: string | null
  /** As far as it can be credited, to the nearest that can be charged: not more than was billed and not taken back since. */
  readonly creditable: Money
  /** As far as it can be paid back, in the same steps: not more than was paid and not given back since. */
  readonly refundable: Money
}

/**
 * Stripe's own preview of an end now, to the second. Changes of the running period that were not
 * invoiced yet count in: what is given back is what is left of everything that was paid.
 * https://docs.stripe.com/api/invoices/create_preview
 */
export async function previewUnusedTime(
  deps: Pick<CallDeps, 'provider'>,
  subscription: string,
  currency: string,
): Promise<UnusedTime> {
  const nothing = money(0n, currency)
  const none = { lines: [], invoice: null, creditable: nothing, refundable: nothing }
  const preview = await readStripe(deps, async (stripe) => {
    const made = await stripe.invoices.createPreview({
      subscription,
      subscription_details: { cancel_now: true, proration_behavior: 'create_prorations' },
    })
    return withAllLines(stripe, made)
  })
  const prorations = preview.lines.data.filter((line) => detailsOf(line)?.proration === true)
  const lines = prorations.map((line) => ({
    description: line.description ?? '',
    period: { start: line.period.start, end: line.period.end },
    amount: fromStripeAmount(netOf(line), currency),
  }))
  const unused = -lines.reduce((sum, { amount }) => sum + amount.minor, 0n)
  const invoice = await paidInvoice(deps, subscription, prorations)
  if (unused <= 0n || invoice === null) return { ...none, lines }
  const settlement = await readSettlement(deps, invoice.id)
  const credit = least(toChargeable(money(unused, currency)), leftToCredit(settlement))
  return {
    lines,
    invoice: invoice.id,
    creditable: least(credit, leftToGiveBack(settlement)),
    refundable: least(credit, mostRefundable(settlement)),
  }
}

const least = (a: Money, b: Money): Money => (b.minor < a.minor ? b : a)

/** The invoice that is credited by Stripe's own word, or else the subscription's last one; null unless it is paid. */
async function paidInvoice(
  deps: Pick<CallDeps, 'provider'>,
  subscription: string,
  prorations: readonly Stripe.InvoiceLineItem[],
): Promise<Stripe.Invoice | null> {
  const [named] = prorations.flatMap(
    (line) => detailsOf(line)?.proration_details?.credited_items?.invoice ?? [],
  )
  const id =
    named ??
    (await readStripe(deps, async (stripe) => {
      const { latest_invoice: latest } = await stripe.subscriptions.retrieve(subscription)
      return idOrNull(latest, 'latest_invoice')
    }))
  if (id === null) return null
  const invoice = await readStripe(deps, (stripe) => stripe.invoices.retrieve(id))
  return invoice.status === 'paid' ? invoice : null
}
