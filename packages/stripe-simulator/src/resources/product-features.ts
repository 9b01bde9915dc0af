import type Stripe from 'stripe'
import { invalid, missing } from '../errors.ts'
import { page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { required, shape, text } from '../http/schema.ts'
import type { ProductFeatureRow } from '../rows.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { find, liveProduct } from './lookup.ts'

const URL = '/v1/products'

/** Which features a product includes. https://docs.stripe.com/api/product-feature */
export const productFeatureRoutes = [
  post(`${URL}/:id/features`, shape({ entitlement_feature: required(text()) }), ({ world, params, path }) => {
    const product = liveProduct(world, path())
    const feature = find(world.features, 'feature', params.entitlement_feature, 'entitlement_feature')
    if (!feature.active) {
      throw invalid('An archived feature cannot be attached to a product.', 'entitlement_feature')
    }
    const attached = world.productFeatures.by('product', product.id)
    if (attached.some((row) => row.own.feature === feature.id)) {
      throw invalid(
        'The feature is already attached to this product.',
        'entitlement_feature',
        'resource_already_exists',
      )
    }
    return world.render(
      world.productFeatures.insert({
        id: world.ids.next('prodft'),
        object: 'product_feature',
        livemode: false,
        own: { product: product.id, feature: feature.id },
      }),
    )
  }),
  get(`${URL}/:id/features/:feature`, nothing, ({ world, path }) =>
    world.render(featureOf(world, path(), path('feature'))),
  ),
  get(`${URL}/:id/features`, shape(paging), ({ world, params, path }) => {
    const product = liveProduct(world, path())
    return page(world.productFeatures, params, {
      noun: 'product feature',
      url: `${URL}/${product.id}/features`,
      where: { index: 'product', key: product.id },
      render: (row) => world.render(row),
    })
  }),
  del(`${URL}/:id/features/:feature`, nothing, ({ world, path }) => {
    const { id } = featureOf(world, path(), path('feature'))
    world.productFeatures.delete(id)
    return { id, object: 'product_feature', deleted: true }
  }),
]

function featureOf(world: World, productId: string, id: string): ProductFeatureRow {
  const product = liveProduct(world, productId)
  const attached = find(world.productFeatures, 'product feature', id)
  if (attached.own.product !== product.id) throw missing('product feature', id)
  return attached
}

/** With the feature whole, as it is now. */
export function renderProductFeature(
  world: World,
  { own, ...attached }: ProductFeatureRow,
): Shown<Stripe.ProductFeature> {
  return { ...attached, entitlement_feature: world.render(world.features.must(own.feature)) }
}
