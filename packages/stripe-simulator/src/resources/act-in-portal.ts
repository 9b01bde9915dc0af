import { cancelNow } from '../billing/cancel.ts'
import { itemsOf } from '../billing/periods.ts'
import { updateSubscription } from '../billing/update.ts'
import { invalid } from '../errors.ts'
import type { CustomerRow, Json, PortalConfigurationRow, PortalRow, SubscriptionRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { taxIdTypes } from '../rules/tax-id-types.ts'
import { whole } from '../rules/whole-address.ts'
import type { World } from '../world.ts'
import { type ChangeParams, itemChange } from './change-params.ts'
import { codeNamed } from './checkout-form.ts'
import { applyDiscounts, redeemer } from './discounts.ts'
import { checkedEmail } from './email-param.ts'
import { useMethod } from './make-method.ts'
import { attachMethod } from './payment-methods.ts'
import { configurationOf } from './portal-configurations.ts'
import { ofCustomer } from './portal-flow.ts'
import { changeLater, waits } from './portal-later.ts'
import { portalOf } from './portal-sessions.ts'
import { pause, resume } from './subscription-verbs.ts'
import { createTaxId } from './tax-ids.ts'

/**
 * What a customer can do on the page, as far as the configuration lets them: end a plan or keep it after
 * all or for the coupon that a flow offers, pause and resume it, change it, agree to the change that a flow proposes,
 * change the card or their own details.
 */
export interface PortalDeed {
  readonly action:
    | 'accept'
    | 'cancel'
    | 'confirm'
    | 'details'
    | 'keep'
    | 'method'
    | 'pause'
    | 'resume'
    | 'update'
  readonly subscription?: string | undefined
  /** Why the plan is canceled, one of the configuration's reasons. */
  readonly feedback?: string | undefined
  readonly comment?: string | undefined
  readonly price?: string | undefined
  readonly quantity?: number | undefined
  readonly card?: string | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
  readonly phone?: string | undefined
  readonly address?: Readonly<Record<string, string>> | undefined
  readonly shipping?:
    | { readonly name: string; readonly address: Readonly<Record<string, string>> }
    | undefined
  readonly taxId?: { readonly type: string; readonly value: string } | undefined
  /** A code that customers know, as `SPRING`. */
  readonly promotionCode?: string | undefined
}

export function actInPortal(world: World, id: string, deed: PortalDeed): Json {
  const session = portalOf(world, id)
  const { features } = configurationOf(world, session.configuration)
  switch (deed.action) {
    case 'method':
      return world.render(changeMethod(world, session, features, deed))
    case 'details':
      return world.render(changeDetails(world, session, features, deed))
    case 'cancel':
    case 'keep':
      return shown(world, cancel(world, owned(world, session, deed), features, deed))
    case 'pause':
    case 'resume':
      return shown(world, halt(world, owned(world, session, deed), features, deed))
    case 'update':
      return shown(world, update(world, owned(world, session, deed), features, deed))
    case 'accept':
      return shown(world, accept(world, session, features))
    case 'confirm':
      return shown(world, confirm(world, session, features))
    default:
      throw invalid(`The portal has no action ${String(deed.action)}.`, 'action')
  }
}

type Features = PortalConfigurationRow['features']

/** What the page is about: the one that was picked, else the one that its flow leads to, else the only one there is. */
function owned(world: World, { customer, flow }: PortalRow, deed: PortalDeed): SubscriptionRow {
  const led = flow?.subscription_update ?? flow?.subscription_cancel ?? flow?.subscription_pause
  const picked = deed.subscription ?? led?.subscription
  if (picked !== undefined) return ofCustomer(world, customer, picked, 'subscription')
  const [only, ...others] = world.subscriptions
    .by('customer', customer)
    .filter(({ status }) => status !== 'canceled' && status !== 'incomplete_expired')
  if (only !== undefined && others.length === 0) return only
  throw invalid('Missing required param: subscription.', 'subscription', 'parameter_missing')
}

function shown(world: World, id: string): Json {
  return world.render(world.subscriptions.must(id))
}

function needs(features: Features, name: keyof Features): void {
  if (features[name].enabled) return
  throw invalid(`The portal's configuration does not allow ${name}.`, 'action')
}

/** The new card is the customer's default from then on. */
function changeMethod(world: World, session: PortalRow, features: Features, deed: PortalDeed): CustomerRow {
  needs(features, 'payment_method_update')
  const customer = world.customers.must(session.customer)
  const method = attachMethod(world, useMethod(world, deed.card ?? 'pm_card_visa', 'card').id, customer.id)
  const settings = { ...customer.invoice_settings, default_payment_method: method.id }
  const next = world.customers.patch(customer.id, { invoice_settings: settings })
  world.emit('customer.updated', next)
  return next
}

function changeDetails(world: World, session: PortalRow, features: Features, deed: PortalDeed): CustomerRow {
  needs(features, 'customer_update')
  const given = defined({
    email: deed.email,
    name: deed.name,
    phone: deed.phone,
    address: deed.address === undefined ? undefined : whole(deed.address),
    shipping:
      deed.shipping === undefined
        ? undefined
        : { name: deed.shipping.name, address: whole(deed.shipping.address) },
  }) as Partial<CustomerRow>
  const changed = [...Object.keys(given), ...(deed.taxId === undefined ? [] : ['tax_id'])]
  for (const name of changed) {
    if (features.customer_update.allowed_updates.includes(name)) continue
    throw invalid(`The portal's configuration does not allow a change of ${name}.`, name)
  }
  if (deed.email !== undefined) checkedEmail(deed.email, 'email')
  const next = world.customers.patch(session.customer, given)
  world.emit('customer.updated', next)
  if (deed.taxId !== undefined) {
    if (!taxIdTypes.includes(deed.taxId.type)) throw invalid('Invalid tax ID type.', 'tax_id[type]')
    createTaxId(world, next, deed.taxId)
  }
  return world.customers.must(next.id)
}

/**
 * The coupon of the flow instead of an end: "you can attempt to deflect the cancellation by offering a retention
 * coupon". https://docs.stripe.com/customer-management/cancellation-page#deflect-cancellations
 */
function accept(world: World, session: PortalRow, features: Features): string {
  needs(features, 'subscription_cancel')
  const offer = session.flow?.subscription_cancel
  const coupon = offer?.retention?.coupon_offer?.coupon
  if (offer == null || coupon === undefined) throw invalid('This page offers no coupon.', 'action')
  const subscription = ofCustomer(world, session.customer, offer.subscription, 'subscription')
  discount(world, subscription, [{ coupon }])
  world.emit('customer.subscription.updated', world.subscriptions.must(subscription.id))
  return subscription.id
}

/** Takes the place of what was taken off before, as `discounts` of a subscription do. */
function discount(
  world: World,
  subscription: SubscriptionRow,
  given: Parameters<typeof applyDiscounts>[1],
  items: Parameters<typeof redeemer>[2] = priced(world, subscription),
): void {
  const discounts = applyDiscounts(world, given, redeemer(world, subscription, items))
  world.subscriptions.patch(subscription.id, { discounts })
}

function priced(world: World, { id }: SubscriptionRow) {
  return itemsOf(world, id).map(({ own, quantity }) => ({ price: own.price, quantity }))
}

/** Ends a plan with its period or at once, or takes that back while the period runs. */
function cancel(world: World, subscription: SubscriptionRow, features: Features, deed: PortalDeed): string {
  needs(features, 'subscription_cancel')
  const { mode, proration_behavior: prorates, cancellation_reason: reasons } = features.subscription_cancel
  if (deed.feedback !== undefined && !(reasons.enabled && reasons.options.includes(deed.feedback))) {
    throw invalid("The portal's configuration does not offer this reason.", 'feedback')
  }
  const details = defined({ feedback: deed.feedback, comment: deed.comment }) as Partial<
    NonNullable<SubscriptionRow['cancellation_details']>
  >
  if (deed.action === 'cancel' && mode === 'immediately') {
    const prorate = prorates === 'create_prorations'
    cancelNow(world, subscription.id, { prorate, invoiceNow: false, details })
    return subscription.id
  }
  const change = itemChange(world, subscription, endOf(subscription, deed.action === 'cancel'), '')
  const stated = change.fields.cancellation_details ?? subscription.cancellation_details
  updateSubscription(world, subscription.id, {
    ...change,
    fields: {
      ...change.fields,
      cancellation_details: stated === null ? null : { ...stated, ...details },
    },
  })
  return subscription.id
}

/**
 * Flexible billing plans the end by its date, that of the last period; classic by `cancel_at_period_end`.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare#cancellations-in-the-customer-portal
 */
function endOf({ billing_mode: mode }: SubscriptionRow, ends: boolean) {
  if (mode.type === 'classic') return { cancel_at_period_end: ends }
  return { cancel_at: ends ? ('max_period_end' as const) : null }
}

/** A pause of no set end; what is paid and not used is credited with it. */
function halt(world: World, subscription: SubscriptionRow, features: Features, deed: PortalDeed): string {
  needs(features, 'subscription_pause')
  if (deed.action === 'pause') pause(world, subscription, {})
  else resume(world, subscription, {})
  return subscription.id
}

/** Another price or quantity, out of what the configuration offers. */
function update(world: World, subscription: SubscriptionRow, features: Features, deed: PortalDeed): string {
  needs(features, 'subscription_update')
  const [item, ...others] = itemsOf(world, subscription.id)
  if (item === undefined || others.length > 0) {
    throw invalid('Subscriptions with several items cannot be updated in the portal.', 'subscription')
  }
  const { default_allowed_updates: allowed, products } = features.subscription_update
  const price = deed.price ?? item.own.price
  const offer = (products ?? []).find((product) => product.prices.includes(price))
  if (price !== item.own.price && (!allowed.includes('price') || offer === undefined)) {
    throw invalid("The portal's configuration does not offer this price.", 'price')
  }
  if (deed.quantity !== undefined && deed.quantity !== item.quantity) {
    const { enabled, minimum, maximum } = offer?.adjustable_quantity ?? {
      enabled: false,
      minimum: 1,
      maximum: null,
    }
    const inside = deed.quantity >= minimum && deed.quantity <= (maximum ?? deed.quantity)
    if (!allowed.includes('quantity') || !enabled || !inside) {
      throw invalid("The portal's configuration does not allow this quantity.", 'quantity')
    }
  }
  const wanted = { price, quantity: deed.quantity }
  if (deed.promotionCode !== undefined) {
    if (!allowed.includes('promotion_code')) {
      throw invalid("The portal's configuration takes no promotion codes.", 'promotion_code')
    }
    const code = codeNamed(world, deed.promotionCode)
    discount(
      world,
      subscription,
      [{ promotion_code: code }],
      [{ price, quantity: deed.quantity ?? item.quantity }],
    )
    const isSame = price === item.own.price && (deed.quantity ?? item.quantity) === item.quantity
    if (isSame) {
      world.emit('customer.subscription.updated', world.subscriptions.must(subscription.id))
      return subscription.id
    }
  }
  if (waits(world, subscription, item, wanted, features.subscription_update.schedule_at_period_end)) {
    changeLater(world, subscription, item, wanted)
    return subscription.id
  }
  return change(world, subscription, features, [{ id: item.id, ...wanted }])
}

/** The change that the flow proposes, which was held against the offers when the flow was made. */
function confirm(world: World, session: PortalRow, features: Features): string {
  const proposed = session.flow?.subscription_update_confirm
  if (proposed == null) throw invalid('This page proposes no change to confirm.', 'action')
  const subscription = ofCustomer(world, session.customer, proposed.subscription, 'subscription')
  const discounts = (proposed.discounts ?? []).map(({ coupon, promotion_code: code }) =>
    coupon === null ? { promotion_code: code ?? undefined } : { coupon },
  )
  if (discounts.length > 0) {
    const items = proposed.items.flatMap(({ price, quantity }) => (price === null ? [] : { price, quantity }))
    discount(world, subscription, discounts, items)
  }
  const items = proposed.items.map(({ id, price, quantity }) => ({
    id: id ?? undefined,
    price: price ?? undefined,
    quantity,
  }))
  return change(world, subscription, features, items)
}

/** A change that the card does not pay for is refused whole: the page shows why, and nothing has changed. */
function change(
  world: World,
  subscription: SubscriptionRow,
  { subscription_update: rules }: Features,
  items: NonNullable<ChangeParams['items']>,
): string {
  const params: ChangeParams = {
    items,
    proration_behavior: rules.proration_behavior as ChangeParams['proration_behavior'],
    ...(rules.billing_cycle_anchor === 'now' ? { billing_cycle_anchor: { type: 'now' as const } } : {}),
    ...(subscription.status === 'trialing' && rules.trial_update_behavior === 'end_trial'
      ? { trial_end: 'now' }
      : {}),
  }
  updateSubscription(world, subscription.id, {
    ...itemChange(world, subscription, params, ''),
    paymentBehavior: 'error_if_incomplete',
  })
  return subscription.id
}
