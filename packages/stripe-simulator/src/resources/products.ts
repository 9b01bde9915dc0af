import { invalid } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import {
  bool,
  clearable,
  gaps,
  list,
  metadata,
  oneOf,
  playedOf,
  range,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { ProductRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { deletedShown } from './expanded.ts'
import { liveProduct } from './lookup.ts'
import { createPrice } from './make-price.ts'
import { createProduct, taxDetails } from './make-product.ts'
import { priceFields } from './price-fields.ts'
import { namedPrice } from './prices.ts'
import {
  images,
  marketingFeatures,
  packageDimensions,
  statementDescriptor,
  trimmed,
  unitLabel,
  webAddress,
} from './product-params.ts'

const URL = '/v1/products'

const editable = {
  active: bool,
  metadata,
  shippable: bool,
  statement_descriptor: clearable(statementDescriptor),
  ...gaps('tax_details'),
}

const pageUrl = webAddress(800)

/** What is said of a price that comes with its product: less than of one that is made for itself. */
const defaultPrice = shape({
  currency: priceFields.currency,
  currency_options: priceFields.currency_options,
  custom_unit_amount: priceFields.custom_unit_amount,
  metadata,
  recurring: shape({
    interval: priceFields.recurring.fields.interval,
    interval_count: priceFields.recurring.fields.interval_count,
  }),
  tax_behavior: priceFields.tax_behavior,
  unit_amount: priceFields.unit_amount,
  unit_amount_decimal: priceFields.unit_amount_decimal,
})

export const productRoutes = [
  post(
    URL,
    shape({
      ...editable,
      name: required(trimmed()),
      id: text(),
      description: text(40_000),
      images,
      marketing_features: marketingFeatures,
      package_dimensions: packageDimensions,
      tax_code: text(),
      unit_label: unitLabel,
      url: pageUrl,
      default_price_data: defaultPrice,
      type: playedOf(['service'] as const, ['good']),
    }),
    ({ world, params }) => {
      const { default_price_data: priceData, ...given } = params
      const known = world.products.get(given.id)
      if (known?.own.deleted === true) forget(world, known.id)
      else if (known !== undefined) throw invalid('Product already exists.', 'id', 'resource_already_exists')
      if (priceData === undefined) return world.render(createProduct(world, given))
      // The product is told of first, its price on it already: github.com/Kiln-AI/stripe_world, probe_catalog_events.
      const price = world.ids.next('price')
      const product = createProduct(world, { ...given, default_price: price })
      createPrice(world, { ...priceData, product: product.id }, false, price)
      return world.render(product)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(liveProduct(world, path()))),
  post(
    `${URL}/:id`,
    shape({
      ...editable,
      name: trimmed(),
      description: clearable(text(40_000)),
      images: clearable(images),
      marketing_features: clearable(marketingFeatures),
      package_dimensions: clearable(packageDimensions),
      unit_label: clearable(unitLabel),
      url: clearable(pageUrl),
      tax_code: clearable(text()),
      default_price: clearable(text()),
    }),
    ({ world, params, path }) => {
      const product = liveProduct(world, path())
      if (params.default_price != null) checkDefault(world, params.default_price, product)
      const { metadata: given, images: pictures, marketing_features: features, ...changes } = params
      const next = world.products.patch(product.id, {
        ...defined(changes),
        ...(pictures === undefined ? {} : { images: pictures ?? [] }),
        ...(features === undefined ? {} : { marketing_features: features ?? [] }),
        ...(changes.tax_code === undefined ? {} : { tax_details: taxDetails(changes.tax_code) }),
        metadata: mergeMetadata(product.metadata, given),
        updated: world.now(null),
      } as Partial<ProductRow>)
      world.emit('product.updated', next)
      return world.render(next)
    },
  ),
  get(
    URL,
    shape({
      ...paging,
      active: bool,
      ids: list(text()),
      created: range,
      shippable: bool,
      type: oneOf(['good', 'service'] as const),
      url: text(),
    }),
    ({ world, params }) => {
      for (const cursor of ['starting_after', 'ending_before'] as const) {
        if (params.ids === undefined || params[cursor] === undefined) continue
        throw invalid(`You may only specify one of these parameters: ids, ${cursor}.`, 'ids')
      }
      return page(world.products, params, {
        noun: 'product',
        url: URL,
        where: null,
        matches: (row) =>
          !row.own.inline &&
          row.own.deleted !== true &&
          (params.active === undefined || row.active === params.active) &&
          (params.ids === undefined || params.ids.includes(row.id)) &&
          (params.shippable === undefined || row.shippable === params.shippable) &&
          (params.type === undefined || row.type === params.type) &&
          (params.url === undefined || row.url === params.url) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      })
    },
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const product = liveProduct(world, path())
    if (world.prices.by('product', product.id).some((price) => price.own.deleted !== true)) {
      throw invalid('This product cannot be deleted because it has one or more user-created prices.')
    }
    const gone = world.products.patch(product.id, { active: false, own: { ...product.own, deleted: true } })
    world.emit('product.deleted', gone)
    return deletedShown(product)
  }),
]

function checkDefault(world: World, id: string, product: ProductRow): void {
  const price = namedPrice(world, id, 'default_price')
  if (price.product === product.id) return
  throw invalid(`The price \`${id}\` does not belong to this product.`, 'default_price')
}

/** An id that is used again is another product's: nothing of the deleted one is left. */
function forget(world: World, id: string): void {
  for (const attached of world.productFeatures.by('product', id)) world.productFeatures.delete(attached.id)
  world.products.delete(id)
}
