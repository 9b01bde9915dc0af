import type Stripe from 'stripe'
import type { ProductRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'

type ProductGiven = { name: string; id?: string | undefined } & Partial<Record<string, unknown>>

export function createProduct(world: World, given: ProductGiven): ProductRow {
  const product = insertProduct(world, given, { inline: false })
  world.emit('product.created', product)
  return product
}

export function insertProduct(world: World, given: ProductGiven, own: ProductRow['own']): ProductRow {
  const now = world.now(null)
  const { metadata: labels, ...rest } = given
  const code = (rest.tax_code as string | undefined) ?? null
  return world.products.insert({
    object: 'product',
    active: true,
    created: now,
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: code,
    tax_details: taxDetails(code),
    type: 'service',
    unit_label: null,
    updated: now,
    url: null,
    ...defined(rest),
    id: given.id ?? world.ids.next('prod'),
    name: given.name,
    metadata: mergeMetadata({}, labels as Record<string, string> | undefined),
    own,
  })
}

/** The tax code once more: github.com/Kiln-AI/stripe_world, cassette 07 (2026-08-26.dahlia), step 3. */
export function taxDetails(code: string | null): ProductRow['tax_details'] {
  return code === null ? null : { performance_location: null, tax_code: code }
}

export function renderProduct(_world: World, { own: _own, ...product }: ProductRow): Shown<Stripe.Product> {
  return product
}
