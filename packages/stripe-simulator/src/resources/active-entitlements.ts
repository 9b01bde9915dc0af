import type { Expansions } from '../http/expand.ts'
import { page, paging } from '../http/list.ts'
import { get, nothing } from '../http/route.ts'
import { required, shape, text } from '../http/schema.ts'
import { find, liveCustomer } from './lookup.ts'

const URL = '/v1/entitlements/active_entitlements'

/**
 * What a customer may use now. Only read: `billing/entitlements.ts` grants and takes.
 * https://docs.stripe.com/api/entitlements/active-entitlement
 */
export const activeEntitlementRoutes = [
  get(`${URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.activeEntitlements, 'active entitlement', path())),
  ),
  get(URL, shape({ ...paging, customer: required(text()) }), ({ world, params }) => {
    const customer = liveCustomer(world, params.customer, 'customer')
    return page(world.activeEntitlements, params, {
      noun: 'active entitlement',
      url: URL,
      where: { index: 'customer', key: customer.id },
      render: (row) => world.render(row),
    })
  }),
]

export const activeEntitlementExpansions: Expansions = {
  'entitlements.active_entitlement': {
    feature: (world, entitlement) => world.render(world.features.must(entitlement.feature as string)),
  },
}
