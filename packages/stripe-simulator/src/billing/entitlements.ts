import type { ActiveEntitlementRow, CustomerRow, EventRow } from '../rows.ts'
import type { World } from '../world.ts'

/**
 * The statuses in which a subscription grants what its products include. "As long as a customer maintains an
 * active subscription for a feature, they retain an active entitlement" (https://docs.stripe.com/billing/entitlements);
 * a pause takes it away and tells so: https://docs.stripe.com/billing/subscriptions/pause
 */
const GRANTING = new Set(['trialing', 'active', 'past_due'])

/**
 * Brings the entitlements of every customer whose subscriptions changed in step with them. A feature that is
 * attached to a product later reaches a customer with the next change of a subscription: its renewal at the latest.
 */
export function followEntitlements(world: World, events: readonly EventRow[]): void {
  if (world.productFeatures.size === 0 && world.activeEntitlements.size === 0) return
  const customers = new Set(
    events
      .filter((event) => event.type.startsWith('customer.subscription.'))
      .map((event) => event.data.object.customer as string),
  )
  for (const id of customers) follow(world, world.customers.must(id))
}

function follow(world: World, customer: CustomerRow): void {
  const before = world.activeEntitlements.by('customer', customer.id)
  const granted = grantedFeatures(world, customer.id)
  const lost = before.filter((entitlement) => !granted.has(entitlement.feature))
  const kept = new Set(before.map((entitlement) => entitlement.feature))
  const gained = [...granted].filter((feature) => !kept.has(feature))
  if (lost.length === 0 && gained.length === 0) return
  for (const entitlement of lost) world.activeEntitlements.delete(entitlement.id)
  for (const feature of gained) grant(world, customer, feature)
  announce(world, customer, before)
}

/** The features of all products that the customer's live subscriptions bill. */
function grantedFeatures(world: World, customer: string): Set<string> {
  const features = world.subscriptions
    .by('customer', customer)
    .filter((subscription) => GRANTING.has(subscription.status))
    .flatMap((subscription) => world.subscriptionItems.by('subscription', subscription.id))
    .map((item) => world.prices.must(item.own.price).product)
    .flatMap((product) => world.productFeatures.by('product', product))
    .map((attached) => attached.own.feature)
  return new Set(features)
}

function grant(world: World, customer: CustomerRow, feature: string): void {
  world.activeEntitlements.insert({
    id: world.ids.next('ent_test'),
    object: 'entitlements.active_entitlement',
    feature,
    livemode: false,
    lookup_key: world.features.must(feature).lookup_key,
    own: { clock: customer.own.clock, customer: customer.id },
  })
}

/** The summary is an event and nothing else: it cannot be fetched, so it carries the whole list. */
function announce(world: World, customer: CustomerRow, before: readonly ActiveEntitlementRow[]): void {
  const shown = (rows: readonly ActiveEntitlementRow[]) => rows.map((row) => world.render(row))
  world.emitSnapshot(
    'entitlements.active_entitlement_summary.updated',
    {
      object: 'entitlements.active_entitlement_summary',
      customer: customer.id,
      entitlements: {
        object: 'list',
        data: shown(world.activeEntitlements.by('customer', customer.id)),
        has_more: false,
        url: `/v1/customer/${customer.id}/entitlements`,
      },
      livemode: false,
    },
    customer.own.clock,
    { entitlements: { data: shown(before) } },
  )
}
