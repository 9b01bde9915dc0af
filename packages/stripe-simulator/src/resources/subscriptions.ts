import type Stripe from 'stripe'
import type { Expansions } from '../http/expand.ts'
import { countedPage, inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { bool, gaps, oneOf, range, required, shape, text } from '../http/schema.ts'
import type { SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { expanded, expandedCustomer, expandedDiscounts } from './expanded.ts'
import { find } from './lookup.ts'
import { renderPlan } from './plan-view.ts'
import { expandedTaxIds } from './printed-fields.ts'
import { expandedSource } from './sources.ts'
import { create, createFields } from './start-subscription.ts'
import { SUBSCRIPTIONS_URL } from './subscription-fields.ts'
import { renderRates } from './tax-rates.ts'

export const subscriptionRoutes = [
  post(SUBSCRIPTIONS_URL, shape(createFields), ({ world, params }) => world.render(create(world, params))),
  get(`${SUBSCRIPTIONS_URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.subscriptions, 'subscription', path())),
  ),
  get(
    SUBSCRIPTIONS_URL,
    shape({
      ...paging,
      customer: text(),
      status: oneOf([
        'active',
        'all',
        'canceled',
        'ended',
        'incomplete',
        'incomplete_expired',
        'past_due',
        'paused',
        'trialing',
        'unpaid',
      ] as const),
      price: text(),
      test_clock: text(),
      created: range,
      collection_method: oneOf(['charge_automatically', 'send_invoice'] as const),
      current_period_start: range,
      current_period_end: range,
      plan: text(),
      automatic_tax: shape({ enabled: required(bool) }),
      ...gaps('customer_account'),
    }),
    ({ world, params }) => {
      if (params.customer !== undefined) find(world.customers, 'customer', params.customer, 'customer')
      // Without a customer or a clock, subscriptions on test clocks are left out.
      const clock = params.test_clock ?? (params.customer === undefined ? 'wall' : undefined)
      return page(world.subscriptions, params, {
        noun: 'subscription',
        url: SUBSCRIPTIONS_URL,
        where:
          params.customer !== undefined
            ? { index: 'customer', key: params.customer }
            : { index: 'clock', key: clock as string },
        matches: (row) =>
          (clock === undefined || (row.own.clock ?? 'wall') === clock) &&
          hasStatus(row, params.status) &&
          inRange(row.created, params.created) &&
          (params.automatic_tax === undefined ||
            row.automatic_tax.enabled === params.automatic_tax.enabled) &&
          (params.collection_method === undefined || row.collection_method === params.collection_method) &&
          world.subscriptionItems
            .by('subscription', row.id)
            .some(
              (item) =>
                (params.price === undefined || item.own.price === params.price) &&
                (params.plan === undefined || item.own.price === params.plan) &&
                inRange(item.current_period_start, params.current_period_start) &&
                inRange(item.current_period_end, params.current_period_end),
            ),
        render: (row) => world.render(row),
      })
    },
  ),
]

function hasStatus(row: SubscriptionRow, asked: string | undefined): boolean {
  if (asked === 'all') return true
  if (asked === 'ended') return row.status === 'canceled' || row.status === 'incomplete_expired'
  return asked === undefined ? row.status !== 'canceled' : row.status === asked
}

export const subscriptionExpansions: Expansions = {
  subscription: {
    customer: (world, row) => expandedCustomer(world, row.customer),
    latest_invoice: (world, row) => expanded(world, world.invoices.get(row.latest_invoice as string)),
    default_payment_method: (world, row) =>
      expanded(world, world.paymentMethods.get(row.default_payment_method as string)),
    default_source: (world, row) => expandedSource(world, row.default_source),
    pending_setup_intent: (world, row) =>
      expanded(world, world.setupIntents.get(row.pending_setup_intent as string)),
    test_clock: (world, row) => expanded(world, world.testClocks.get(row.test_clock as string)),
    discounts: (world, row) => expandedDiscounts(world, row.discounts),
    'invoice_settings.account_tax_ids': (world, settings) => expandedTaxIds(world, settings.account_tax_ids),
    schedule: (world, row) => expanded(world, world.schedules.get(row.schedule as string)),
  },
}

/** Of one item; of several neither is told. In no declaration, and answered all the same, as recorded in 2026-08-26.dahlia. */
type OfOneItem = {
  readonly plan: Shown<Stripe.Plan> | null
  readonly quantity: number | null
}

export function renderSubscription(
  world: World,
  row: SubscriptionRow,
): Shown<Stripe.Subscription> & OfOneItem {
  const items = world.subscriptionItems.by('subscription', row.id)
  const rates = renderRates(world, row.default_tax_rates)
  const shown = items.map((item) => world.render(item))
  return world.subscriptions.shown(row, [...shown, ...rates], () => {
    const list = countedPage(items, `/v1/subscription_items?subscription=${row.id}`, (item) =>
      world.render(item),
    )
    return { ...row, own: undefined, default_tax_rates: rates, items: list, ...ofOneItem(world, items) }
  })
}

function ofOneItem(world: World, [item, ...others]: readonly SubscriptionItemRow[]): OfOneItem {
  if (item === undefined || others.length > 0) return { plan: null, quantity: null }
  return { plan: renderPlan(world.prices.must(item.own.price)), quantity: item.quantity ?? null }
}
