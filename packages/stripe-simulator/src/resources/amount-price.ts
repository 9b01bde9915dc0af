import type { PriceRow } from '../rows.ts'
import { wholeAmount } from '../rules/pricing.ts'
import { amountKey } from '../store/tables.ts'
import type { World } from '../world.ts'
import { insertProduct } from './make-product.ts'

/** What is billed for one unit, and what the item is called. */
interface OfAmount {
  /** Of one unit, in the minor unit, as decimal text; a credit is below zero. */
  readonly unit: string
  readonly currency: string
  readonly description: string | null | undefined
  /** The product of the price that the item has had so far, whose amount changes. */
  readonly product: string | undefined
  readonly taxBehavior: PriceRow['tax_behavior'] | undefined
}

/** A product must be called something, also where the item has no description. */
const NAMELESS = 'Invoice item'

/**
 * The price of an invoice item that was given by its amount: inactive, on no list, of a product that is called as
 * the item was when it was made. The same amount under the same name is the same price, whoever is billed; another
 * amount is another price of the same product, and nobody is told of either. As recorded:
 * github.com/Kiln-AI/stripe_world, cassette 13 (2026-08-26.dahlia), and github.com/zulip/zulip, stripe_fixtures,
 * `InvoiceItem.create` of January 2024, when an item showed its whole price.
 */
export function amountPrice(world: World, of: OfAmount): PriceRow {
  const terms = {
    product: of.product ?? productCalled(world, of.description ?? NAMELESS),
    currency: of.currency,
    tax_behavior: of.taxBehavior ?? 'unspecified',
    unit_amount_decimal: of.unit,
  }
  const [known] = world.prices.by('amount', amountKey(terms))
  return known ?? insertPrice(world, terms)
}

function productCalled(world: World, name: string): string {
  const [known] = world.products.by('itemsNamed', name)
  return (known ?? insertProduct(world, { name, active: false }, { inline: true, itemsNamed: name })).id
}

function insertPrice(
  world: World,
  terms: Pick<PriceRow, 'product' | 'currency' | 'tax_behavior'> & { readonly unit_amount_decimal: string },
): PriceRow {
  return world.prices.insert({
    id: world.ids.next('price'),
    object: 'price',
    active: false,
    billing_scheme: 'per_unit',
    created: world.now(null),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    recurring: null,
    tiers_mode: null,
    transform_quantity: null,
    type: 'one_time',
    unit_amount: wholeAmount(terms.unit_amount_decimal),
    ...terms,
    own: { inline: true, tiers: undefined, ofAmount: true },
  })
}
