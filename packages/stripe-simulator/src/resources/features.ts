import { invalid } from '../errors.ts'
import { page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { bool, metadata, required, shape, text } from '../http/schema.ts'
import type { FeatureRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { find } from './lookup.ts'

const URL = '/v1/entitlements/features'

/** What a product can include. Features are archived, not deleted. https://docs.stripe.com/api/entitlements/feature */
export const featureRoutes = [
  post(
    URL,
    shape({ lookup_key: required(text(80)), name: required(text(80)), metadata }),
    ({ world, params }) => {
      // A key is free again when its feature is archived. https://docs.stripe.com/billing/entitlements
      if (world.features.by('lookup_key', params.lookup_key).some((feature) => feature.active)) {
        throw invalid(
          `A feature with the lookup key \`${params.lookup_key}\` already exists.`,
          'lookup_key',
          'resource_already_exists',
        )
      }
      return world.render(
        world.features.insert({
          id: world.ids.next('feat_test'),
          object: 'entitlements.feature',
          active: true,
          livemode: false,
          lookup_key: params.lookup_key,
          metadata: mergeMetadata({}, params.metadata),
          name: params.name,
          own: {},
        }),
      )
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(find(world.features, 'feature', path()))),
  post(`${URL}/:id`, shape({ active: bool, name: text(80), metadata }), ({ world, params, path }) => {
    const feature = find(world.features, 'feature', path())
    const { metadata: labels, ...changes } = params
    if (changes.active === true && !feature.active) {
      throw invalid('An archived feature cannot be made active again.', 'active')
    }
    return world.render(
      world.features.patch(feature.id, {
        ...defined(changes),
        metadata: mergeMetadata(feature.metadata, labels),
      } as Partial<FeatureRow>),
    )
  }),
  // Archived features come only when they are asked for.
  get(URL, shape({ ...paging, archived: bool, lookup_key: text(80) }), ({ world, params }) =>
    page(world.features, params, {
      noun: 'feature',
      url: URL,
      where: params.lookup_key === undefined ? null : { index: 'lookup_key', key: params.lookup_key },
      matches: (row) => row.active !== (params.archived ?? false),
      render: (row) => world.render(row),
    }),
  ),
]
