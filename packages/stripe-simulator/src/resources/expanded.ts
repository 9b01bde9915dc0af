import type { Json } from '../rows.ts'
import type { World } from '../world.ts'

/** What a field that can be expanded shows in the place of its id: nothing where it names nothing. */
export function expanded(world: World, row: { readonly object: string } | undefined): Json | null {
  return row === undefined ? null : world.render(row)
}

/**
 * Of a customer, product or price that was deleted this much is left, wherever it is expanded: `DeletedCustomer`,
 * `DeletedProduct` and `DeletedPrice` in the client's declarations.
 * https://docs.stripe.com/api/customers/delete
 */
export function deletedShown(row: { readonly id: string; readonly object: string }): Json {
  return { id: row.id, object: row.object, deleted: true }
}

interface Deletable {
  readonly id: string
  readonly object: string
  readonly own: { readonly deleted?: boolean | undefined }
}

function expandedOrDeleted(world: World, row: Deletable | undefined): Json | null {
  return row?.own.deleted === true ? deletedShown(row) : expanded(world, row)
}

/** A customer by the id that a field holds. */
export function expandedCustomer(world: World, id: unknown): Json | null {
  return expandedOrDeleted(world, world.customers.get(id as string | null))
}

export function expandedProduct(world: World, id: unknown): Json | null {
  return expandedOrDeleted(world, world.products.get(id as string | null))
}

/** For a field that may name a price that was deleted as a plan. */
export function expandedPrice(world: World, id: unknown): Json | null {
  return expandedOrDeleted(world, world.prices.get(id as string | null))
}

/** Those of a list of ids. */
export function expandedDiscounts(world: World, ids: unknown): (Json | string)[] {
  return (ids as string[]).map((id) => discountOrId(world, id))
}

/** A discount that was made in a preview is there only in it: as it was there, as long as that is remembered. */
export function discountOrId(world: World, id: unknown): Json | string {
  const row = world.discounts.get(id as string)
  if (row !== undefined) return world.render(row)
  for (const discounts of world.previewedDiscounts.values()) {
    const shown = discounts.get(id as string)
    if (shown !== undefined) return shown
  }
  return id as string
}

/** A price that was made for an amount in a preview is there only in it: its lines go on naming it. */
export function priceOrId(world: World, id: string): Json | string {
  return expanded(world, world.prices.get(id)) ?? id
}
