import * as api from '@lockstep/api/addons'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { type AddonVersion, addonsNamed, readNewestAddons } from '../../store/addons.ts'
import { pageOf } from '../../store/page.ts'
import { readNewestPlan } from '../../store/plans.ts'
import { expandMappings } from '../expand-mappings.ts'
import { type App, route } from '../route.ts'
import { grantToApi } from './grant-to-api.ts'
import { sees } from './plans.ts'
import { priceToApi } from './price-to-api.ts'

/** What is sold beside plans, the newest version of each. */
export function addonRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listAddons,
  )(async ({ query: { plan: key, ...query }, caller }) => {
    const found = key === undefined ? undefined : await readNewestPlan(db, key)
    // With a plan that is not for sale to whoever asks, nothing goes.
    const isSeen = found && !found.isArchived && sees(caller, found.plan.audience)
    if (!sees(caller, query.audience) || (key !== undefined && !isSeen))
      return { status: 200, body: { data: [], hasMore: false, nextCursor: null } }
    const audience = caller.kind === 'user' ? 'public' : query.audience
    const filter = { ...query, plan: found?.plan, audience }
    const page = await pageOf(query.limit, async (limit) =>
      (await readNewestAddons(db, { ...filter, limit })).map((version) => ({
        id: version.addon.key,
        version,
      })),
    )
    const addons = page.data.map(({ version }) => addonToApi(version))
    const data = await expandMappings(db, query, 'addon', addons, ({ key }) => key)
    return { status: 200, body: { ...page, data } }
  })

  route(
    app,
    api.readAddon,
  )(async ({ params: { key }, query, caller }) => {
    const version = (await addonsNamed(db, [key])).get(key)
    if (!version || version.isArchived || !sees(caller, version.addon.audience))
      throw new Problem('addon_not_found', `There is no add-on ${key}.`)
    const addon = addonToApi(version)
    const [body = addon] = await expandMappings(db, query, 'addon', [addon], ({ key }) => key)
    return { status: 200, body }
  })
}

function addonToApi({ version, addon, createdAt }: AddonVersion) {
  return {
    ...addon,
    version,
    plans: addon.plans && [...addon.plans],
    prices: addon.prices.map(priceToApi),
    grants: addon.grants.map(grantToApi),
    createdAt: formatInstant(createdAt),
  }
}
