import type { Change } from '../billing/update.ts'
import { changeSubscription } from '../billing/update-if-paid.ts'
import { notFound, StripeError } from '../errors.ts'
import { pageOf, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { bool, required, shape, text, timestamp } from '../http/schema.ts'
import type { Json } from '../rows.ts'
import type { World } from '../world.ts'
import { type ChangeParams, itemChange } from './change-params.ts'
import { find } from './lookup.ts'
import { checkPendable, OF_ITEMS } from './pendable.ts'
import { followSubscription } from './schedule-phases.ts'
import { endedAlready } from './subscription-changes.ts'
import { itemFields, sharedFields } from './subscription-fields.ts'

const URL = '/v1/subscription_items'

const prorated = {
  proration_behavior: sharedFields.proration_behavior,
  proration_date: timestamp,
  payment_behavior: sharedFields.payment_behavior,
}

/** Whether the customer is not there while a change is paid, as creating an item does not say. */
const unattended = { off_session: bool }

/** Items by themselves: each of these is an update of the subscription with one entry. */
export const subscriptionItemRoutes = [
  post(URL, shape({ ...itemFields, ...prorated, subscription: required(text()) }), ({ world, params }) => {
    const { subscription, payment_behavior: payment, proration_behavior, proration_date, ...entry } = params
    const before = new Set(world.subscriptionItems.by('subscription', subscription).map((item) => item.id))
    const added = { items: [entry], proration_behavior, proration_date }
    change(world, subscription, added, { paymentBehavior: payment }, 'subscription')
    const made = world.subscriptionItems.by('subscription', subscription).find((item) => !before.has(item.id))
    return world.render(world.subscriptionItems.must(made?.id))
  }),
  get(`${URL}/:id`, nothing, ({ world, path }) => {
    const id = path()
    const item = world.subscriptionItems.get(id)
    // In words of its own, without a code: as recorded.
    if (item === undefined) throw notFound(`Invalid subscription_item id: ${id}`)
    return world.render(item)
  }),
  post(`${URL}/:id`, shape({ ...itemFields, ...prorated, ...unattended }), ({ world, params, path }) => {
    const item = find(world.subscriptionItems, 'subscription item', path())
    const {
      payment_behavior: payment,
      proration_behavior,
      proration_date,
      off_session: unattended,
      ...entry
    } = params
    const items = [{ ...entry, id: item.id }]
    const how = { paymentBehavior: payment, offSession: unattended }
    change(world, item.subscription, { items, proration_behavior, proration_date }, how)
    return world.render(world.subscriptionItems.must(item.id))
  }),
  get(URL, shape({ ...paging, subscription: required(text()) }), ({ world, params }) => {
    const subscription = find(world.subscriptions, 'subscription', params.subscription, 'subscription')
    const items = world.subscriptionItems.by('subscription', subscription.id)
    return pageOf(items, params, {
      noun: 'subscription item',
      url: URL,
      render: (item) => world.render(item),
    })
  }),
  del(
    `${URL}/:id`,
    shape({ ...prorated, ...unattended, clear_usage: bool }),
    ({ world, params, path }): Json => {
      const item = find(world.subscriptionItems, 'subscription item', path())
      const { proration_behavior, proration_date, payment_behavior: payment, off_session } = params
      const items = [{ id: item.id, deleted: true }]
      const how = { paymentBehavior: payment, offSession: off_session }
      change(world, item.subscription, { items, proration_behavior, proration_date }, how)
      return { id: item.id, object: 'subscription_item', deleted: true }
    },
  ),
]

function change(
  world: World,
  id: string,
  params: ChangeParams,
  how: { readonly paymentBehavior: string | undefined; readonly offSession?: boolean | undefined },
  param?: string,
): void {
  const subscription = find(world.subscriptions, 'subscription', id, param)
  if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') {
    throw endedAlready()
  }
  const asked = ownNames(() => itemChange(world, subscription, params, ''))
  if (how.paymentBehavior === 'pending_if_incomplete') checkPendable(subscription, params, OF_ITEMS)
  changeSubscription(world, id, {
    ...asked,
    paymentBehavior: how.paymentBehavior ?? asked.paymentBehavior,
    offSession: how.offSession ?? asked.offSession,
  })
  followSubscription(world, subscription.schedule, id)
}

/** An item by itself is no entry of a list: what is refused of it is named as it was sent. */
function ownNames(make: () => Change): Change {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof StripeError)) throw error
    const named = (text: string) => text.replace(/items\[0\]\[(\w+)\]/g, '$1')
    const { param } = error.body
    error.body.message = named(error.body.message)
    if (param !== undefined) error.body.param = named(param)
    throw error
  }
}
