import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { changedFields, type HeldUpdate, replaceItems, type SubscriptionState } from './pending-update.ts'

/** Everything is as it was before, with what the change would make of it put aside until the draft is paid. */
export function hold(
  world: World,
  before: SubscriptionState,
  after: SubscriptionState,
  draft: InvoiceRow,
  why: HeldUpdate['why'],
): void {
  const { row } = before
  const held = { why, invoice: draft.id, fields: changedFields(row, after.row), items: after.items }
  world.subscriptions.patch(row.id, { ...row, latest_invoice: draft.id, own: { ...row.own, held } })
  const { own } = world.invoices.must(draft.id)
  world.invoices.patch(draft.id, { own: { ...own, isHeld: true } })
  replaceItems(world, row.id, before.items)
}

/** Shows what is held as `pending_update`, until it expires. */
export function showHeld(
  world: World,
  id: string,
  expiresAt: number,
  items: readonly object[] | null,
  fromPlan: boolean | null,
): void {
  const { own } = world.subscriptions.must(id)
  const fields = own.held?.fields ?? {}
  world.alarm('subscription.pending_update', id, own.clock, expiresAt)
  world.subscriptions.patch(id, {
    pending_update: {
      billing_cycle_anchor: fields.billing_cycle_anchor ?? null,
      cancel_at_period_end: fields.cancel_at_period_end ?? null,
      discount: null,
      discounts: fields.discounts ?? null,
      expires_at: expiresAt,
      metadata: fields.metadata ?? null,
      subscription_items: items,
      trial_end: fields.trial_end ?? null,
      trial_from_plan: fromPlan,
    } as unknown as SubscriptionRow['pending_update'],
  })
}
