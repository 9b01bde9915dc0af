import { invalid } from '../errors.ts'
import type { SubscriptionRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'

/**
 * What may go with `payment_behavior=pending_if_incomplete`: what prorates or makes an invoice.
 * https://docs.stripe.com/billing/subscriptions/pending-updates-reference ; `cancel_at_period_end` since endive.
 */
export const ALONE = [
  'add_invoice_items',
  'billing_cycle_anchor',
  'cancel_at_period_end',
  'discounts',
  'items',
  'metadata',
  'off_session',
  'payment_behavior',
  'proration_behavior',
  'proration_date',
  'trial_end',
  'trial_from_plan',
]

/** Of the routes of single items. */
export const OF_ITEMS = ['items', 'proration_behavior', 'proration_date']

const OF_AN_ITEM = ['deleted', 'discounts', 'id', 'price', 'quantity']

export function checkPendable(
  subscription: SubscriptionRow,
  params: { items?: readonly object[] | undefined },
  allowed: readonly string[],
): void {
  if (subscription.collection_method !== 'charge_automatically') {
    throw invalid(
      'Pending updates are only for subscriptions with `collection_method=charge_automatically`.',
      'payment_behavior',
    )
  }
  refuseOthers(params, allowed, (name) => name)
  for (const [i, item] of (params.items ?? []).entries()) {
    refuseOthers(item, OF_AN_ITEM, (name) => `items[${i}][${name}]`)
  }
}

function refuseOthers(given: object, allowed: readonly string[], param: (name: string) => string): void {
  const other = Object.keys(defined(given)).find((name) => !allowed.includes(name))
  if (other === undefined) return
  throw invalid(
    `When \`payment_behavior\` is \`pending_if_incomplete\`, you cannot pass \`${param(other)}\`. You can only pass: ${allowed.join(', ')}.`,
    param(other),
  )
}
