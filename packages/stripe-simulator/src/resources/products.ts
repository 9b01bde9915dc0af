import { invalid } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { bool, clearable, gaps, list, metadata, range, required, shape, text } from '../http/schema.ts'
import type { ProductRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { deletedShown } from './expanded.ts'
import { liveProduct } from './lookup.ts'
import { createPrice } from './make-price.ts'
import { createProduct } from './make-product.ts'
import { priceFields } from './price-fields.ts'
import { namedPrice } from './prices.ts'

const URL = '/v1/products'

const editable = {
  active: bool,
  metadata,
  images: list(text()),
  marketing_features: list(shape({ name: required(text()) }), 15),
  shippable: bool,
  statement_descriptor: text(22),
  unit_label: text(),
  url: text(),
  ...gaps('package_dimensions', 'tax_details'),
}

const { product: _product, product_data: _data, ...defaultPrice } = priceFields

export const productRoutes = [
  post(
    URL,
    shape({
      ...editable,
      name: required(text()),
      id: text(),
      description: text(40_000),
      tax_code: text(),
      default_price_data: shape(defaultPrice),
      ...gaps('type'),
    }),
    ({ world, params }) => {
      const { default_price_data: priceData, ...given } = params
      const known = world.products.get(given.id)
      if (known?.own.deleted === true) forget(world, known.id)
      else if (known !== undefined) throw invalid('Product already exists.', 'id', 'resource_already_exists')
      const product = createProduct(world, given)
      if (priceData === undefined) return world.render(product)
      const price = createPrice(world, { ...priceData, product: product.id }, false)
      return world.render(world.products.patch(product.id, { default_price: price.id }))
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(liveProduct(world, path()))),
  post(
    `${URL}/:id`,
    shape({
      ...editable,
      name: text(),
      description: clearable(text(40_000)),
      unit_label: clearable(text()),
      url: clearable(text()),
      tax_code: clearable(text()),
      default_price: clearable(text()),
    }),
    ({ world, params, path }) => {
      const product = liveProduct(world, path())
      if (params.default_price != null) namedPrice(world, params.default_price, 'default_price')
      const { metadata: given, ...changes } = params
      const next = world.products.patch(product.id, {
        ...defined(changes),
        metadata: mergeMetadata(product.metadata, given),
        updated: world.now(null),
      } as Partial<ProductRow>)
      world.emit('product.updated', next)
      return world.render(next)
    },
  ),
  get(
    URL,
    shape({ ...paging, active: bool, ids: list(text()), created: range, shippable: bool, url: text() }),
    ({ world, params }) =>
      page(world.products, params, {
        noun: 'product',
        url: URL,
        where: null,
        matches: (row) =>
          !row.own.inline &&
          row.own.deleted !== true &&
          (params.active === undefined || row.active === params.active) &&
          (params.ids === undefined || params.ids.includes(row.id)) &&
          (params.shippable === undefined || row.shippable === params.shippable) &&
          (params.url === undefined || row.url === params.url) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const product = liveProduct(world, path())
    if (world.prices.by('product', product.id).some((price) => price.own.deleted !== true)) {
      throw invalid('This product cannot be deleted because it has one or more user-created prices.')
    }
    world.products.patch(product.id, { own: { ...product.own, deleted: true } })
    world.emit('product.deleted', product)
    return deletedShown(product)
  }),
]

/** An id that is used again is another product's: nothing of the deleted one is left. */
function forget(world: World, id: string): void {
  for (const attached of world.productFeatures.by('product', id)) world.productFeatures.delete(attached.id)
  world.products.delete(id)
}
