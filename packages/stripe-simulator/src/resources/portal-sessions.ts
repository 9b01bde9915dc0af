import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { post } from '../http/route.ts'
import { gaps, oneOf, required, shape, text } from '../http/schema.ts'
import type { PortalRow } from '../rows.ts'
import { portalLocales } from '../rules/page-words.ts'
import type { World } from '../world.ts'
import { find, liveCustomer } from './lookup.ts'
import { configurationOf } from './portal-configurations.ts'
import { flowOf, flowParam } from './portal-flow.ts'

const URL = '/v1/billing_portal/sessions'

/** An address for one customer, with a page behind it. https://docs.stripe.com/api/customer_portal/sessions */
export const portalRoutes = [
  post(
    URL,
    shape({
      customer: required(text()),
      configuration: text(),
      return_url: text(),
      flow_data: flowParam,
      locale: oneOf(portalLocales),
      ...gaps('after_expiration', 'customer_account', 'on_behalf_of'),
    }),
    ({ world, params }) => {
      const customer = liveCustomer(world, params.customer, 'customer')
      const configuration = configurationOf(world, params.configuration, 'configuration')
      if (!configuration.active) {
        throw invalid('The configuration is not active and cannot be used.', 'configuration')
      }
      const id = world.ids.next('bps')
      const session = world.portals.insert({
        id,
        object: 'billing_portal.session',
        after_expiration: null,
        configuration: configuration.id,
        created: world.now(customer.own.clock),
        customer: customer.id,
        customer_account: null,
        flow:
          params.flow_data === undefined ? null : flowOf(world, params.flow_data, customer.id, configuration),
        livemode: false,
        locale: params.locale ?? null,
        on_behalf_of: null,
        return_url: params.return_url ?? configuration.default_return_url,
        url: `${world.baseUrl}/_simulator/portal/${id}`,
        own: { clock: customer.own.clock },
      })
      world.emit('billing_portal.session.created', session)
      return world.render(session)
    },
  ),
]

export function portalOf(world: World, id: string): PortalRow {
  return find(world.portals, 'billing_portal.session', id)
}

export const portalExpansions: Expansions = {
  'billing_portal.session': {
    configuration: (world, row) => world.render(world.portalConfigurations.must(row.configuration as string)),
  },
}
