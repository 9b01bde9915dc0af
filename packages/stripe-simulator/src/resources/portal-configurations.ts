import { gap, invalid } from '../errors.ts'
import { page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { bool, clearable, metadata, required, shape, text } from '../http/schema.ts'
import type { PortalConfigurationRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { find } from './lookup.ts'
import { defaultFeatures, featuresOf, featuresParam } from './portal-features.ts'

const URL = '/v1/billing_portal/configurations'

/** The one that a dashboard would have saved. */
const DEFAULT_ID = 'bpc_1SimulatorDefault'

const fields = {
  business_profile: shape({
    headline: clearable(text(60)),
    privacy_policy_url: clearable(text()),
    terms_of_service_url: clearable(text()),
  }),
  default_return_url: clearable(text()),
  login_page: shape({ enabled: required(bool) }),
  metadata,
  name: clearable(text(100)),
}

/** https://docs.stripe.com/api/customer_portal/configurations */
export const portalConfigurationRoutes = [
  post(URL, shape({ ...fields, features: required(featuresParam) }), ({ world, params }) => {
    const { features, metadata: labels, business_profile: business, login_page: login, ...given } = params
    refuseLogin(login?.enabled)
    const row = world.portalConfigurations.insert({
      ...blank(world.ids.next('bpc'), world.now(null)),
      ...defined(given),
      business_profile: { ...blankBusiness, ...defined(business ?? {}) },
      features: featuresOf(world, features),
      metadata: mergeMetadata({}, labels),
    })
    world.emit('billing_portal.configuration.created', row)
    return world.render(row)
  }),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(configurationOf(world, path()))),
  post(
    `${URL}/:id`,
    shape({ ...fields, active: bool, features: featuresParam }),
    ({ world, params, path }) => {
      const row = configurationOf(world, path())
      const { features, metadata: labels, business_profile: business, login_page: login, ...given } = params
      refuseLogin(login?.enabled)
      if (row.is_default && params.active === false) {
        throw invalid('The default configuration cannot be deactivated.', 'active')
      }
      const next = world.portalConfigurations.patch(row.id, {
        ...defined(given),
        business_profile: { ...row.business_profile, ...defined(business ?? {}) },
        features: featuresOf(world, features, row.features),
        metadata: mergeMetadata(row.metadata ?? {}, labels),
        updated: world.now(null),
      })
      world.emit('billing_portal.configuration.updated', next)
      return world.render(next)
    },
  ),
  get(URL, shape({ ...paging, active: bool, is_default: bool }), ({ world, params }) => {
    defaultConfiguration(world)
    return page(world.portalConfigurations, params, {
      noun: 'configuration',
      url: URL,
      where: null,
      matches: (row) =>
        (params.active === undefined || row.active === params.active) &&
        (params.is_default === undefined || row.is_default === params.is_default),
      render: (row) => world.render(row),
    })
  }),
]

/** The configuration that a session names, or the account's. */
export function configurationOf(
  world: World,
  id: string | undefined,
  param?: string,
): PortalConfigurationRow {
  if (id === undefined || id === DEFAULT_ID) return defaultConfiguration(world)
  return find(world.portalConfigurations, 'configuration', id, param)
}

function defaultConfiguration(world: World): PortalConfigurationRow {
  const present = world.portalConfigurations.get(DEFAULT_ID)
  if (present !== undefined) return present
  return world.portalConfigurations.insert({
    ...blank(DEFAULT_ID, world.now(null)),
    features: defaultFeatures,
    is_default: true,
  })
}

const blankBusiness = { headline: null, privacy_policy_url: null, terms_of_service_url: null }

function blank(id: string, now: number): PortalConfigurationRow {
  return {
    id,
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: blankBusiness,
    created: now,
    default_return_url: null,
    features: defaultFeatures,
    is_default: false,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: {},
    name: null,
    updated: now,
    own: {},
  }
}

/** Signing in by e-mail needs mail, which the simulator has not. */
function refuseLogin(enabled: boolean | undefined): void {
  if (enabled === true) throw gap('the login page of the portal', 'login_page[enabled]')
}
