import { updateSubscription } from '../billing/update.ts'
import { invalid } from '../errors.ts'
import { post } from '../http/route.ts'
import { gaps, oneOf, required, shape, text } from '../http/schema.ts'
import type { Json, PortalRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { itemChange } from './change-params.ts'
import { find, liveCustomer } from './lookup.ts'
import { attachMethod, useMethod } from './payment-methods.ts'

const URL = '/v1/billing_portal/sessions'

/** An address for one customer, with a page behind it. https://docs.stripe.com/api/customer_portal/sessions */
export const portalRoutes = [
  post(
    URL,
    shape({
      customer: required(text()),
      return_url: text(),
      flow_data: shape({
        type: required(oneOf(['payment_method_update', 'subscription_cancel'] as const)),
        subscription_cancel: shape({ subscription: required(text()), ...gaps('retention') }),
        ...gaps(
          'after_completion',
          'subscription_update',
          'subscription_update_confirm',
          'subscription_pause',
        ),
      }),
      ...gaps('after_expiration', 'configuration', 'customer_account', 'locale', 'on_behalf_of'),
    }),
    ({ world, params }) => {
      const customer = liveCustomer(world, params.customer, 'customer')
      const flow = params.flow_data
      if (flow?.type === 'subscription_cancel') {
        const id = flow.subscription_cancel?.subscription
        if (id === undefined) {
          const param = 'flow_data[subscription_cancel]'
          throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
        }
        ofCustomer(world, customer.id, id, 'flow_data[subscription_cancel][subscription]')
      }
      const id = world.ids.next('bps')
      const session = world.portals.insert({
        id,
        object: 'billing_portal.session',
        after_expiration: null,
        configuration: 'bpc_1SimulatorDefault',
        created: world.now(customer.own.clock),
        customer: customer.id,
        customer_account: null,
        flow:
          flow === undefined
            ? null
            : {
                after_completion: { hosted_confirmation: null, redirect: null, type: 'portal_homepage' },
                customer_update: null,
                subscription_cancel:
                  flow.subscription_cancel === undefined
                    ? null
                    : { retention: null, subscription: flow.subscription_cancel.subscription },
                subscription_pause: null,
                subscription_update: null,
                subscription_update_confirm: null,
                type: flow.type,
              },
        livemode: false,
        locale: null,
        on_behalf_of: null,
        return_url: params.return_url ?? null,
        url: `${world.baseUrl}/_simulator/portal/${id}`,
        own: { clock: customer.own.clock },
      })
      world.emit('billing_portal.session.created', session)
      return world.render(session)
    },
  ),
]

/** What a customer can do on the page: end a plan with its period, keep it after all, change the card. */
export interface PortalDeed {
  readonly action: 'cancel' | 'keep' | 'method'
  readonly subscription?: string | undefined
  readonly card?: string | undefined
}

export function actInPortal(world: World, id: string, deed: PortalDeed): Json {
  const session = portalOf(world, id)
  if (deed.action === 'method') {
    const customer = world.customers.must(session.customer)
    const method = attachMethod(world, useMethod(world, deed.card ?? 'pm_card_visa', 'card').id, customer.id)
    const settings = { ...customer.invoice_settings, default_payment_method: method.id }
    const next = world.customers.patch(customer.id, { invoice_settings: settings })
    world.emit('customer.updated', next)
    return world.render(next)
  }
  const subscription = ofCustomer(world, session.customer, deed.subscription ?? '', 'subscription')
  const params = { cancel_at_period_end: deed.action === 'cancel' }
  updateSubscription(world, subscription.id, itemChange(world, subscription, params, ''))
  return world.render(world.subscriptions.must(subscription.id))
}

function portalOf(world: World, id: string): PortalRow {
  return find(world.portals, 'billing_portal.session', id)
}

function ofCustomer(world: World, customer: string, id: string, param: string): SubscriptionRow {
  const subscription = find(world.subscriptions, 'subscription', id, param)
  if (subscription.customer !== customer) {
    throw invalid('The subscription does not belong to the customer.', param)
  }
  return subscription
}
