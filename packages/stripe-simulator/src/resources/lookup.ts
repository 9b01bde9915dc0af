import { missing, nowhere } from '../errors.ts'
import type { CustomerRow, ProductRow } from '../rows.ts'
import type { Table } from '../store/table.ts'
import type { World } from '../world.ts'

/** The row that a request names: in the path (404) unless `param` says where in the body (400). */
export function find<R extends { readonly id: string }, I extends string>(
  table: Table<R, I>,
  noun: string,
  id: string,
  param?: string,
): R {
  const row = table.get(id)
  if (row === undefined) throw missing(noun, id, param)
  return row
}

/** The same of a path where Stripe calls the id by another name than `id`, as recorded. */
export function findAs<R extends { readonly id: string }, I extends string>(
  param: string,
  table: Table<R, I>,
  noun: string,
  id: string,
): R {
  const row = table.get(id)
  if (row === undefined) throw nowhere(noun, id, param)
  return row
}

/** A customer that still exists. Deleted ones stay readable and are otherwise gone. */
export function liveCustomer(world: World, id: string, param?: string): CustomerRow {
  const customer = find(world.customers, 'customer', id, param)
  if (customer.own.deleted) throw missing('customer', id, param)
  return customer
}

export function liveProduct(world: World, id: string, param?: string): ProductRow {
  const product = find(world.products, 'product', id, param)
  if (product.own.deleted === true) throw missing('product', id, param)
  return product
}
