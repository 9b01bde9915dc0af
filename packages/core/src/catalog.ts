import type { CatalogInput } from './catalog-input.ts'
import type { Meter } from './meter.ts'
import type { Plan } from './plan.ts'

/** What is sold: shown on invoices, taxed by its code. */
export interface Product {
  readonly key: string
  readonly name: string
  readonly description: string | null
  readonly unitLabel: string | null
  readonly taxCode: string | null
}

export interface Catalog {
  readonly products: readonly Product[]
  readonly meters: readonly Meter[]
  readonly plans: readonly Plan[]
}

/**
 * Reads a catalogue that a person wrote. All mistakes at once, as a Problem `catalog_invalid` whose
 * pointers show where: `#/plans/cloud-host/prices/compute/meter`.
 */
export function defineCatalog<const P extends string, const M extends string, const L extends string>(
  _input: CatalogInput<P, M, L>,
): Catalog {
  throw new Error('being written')
}

export interface CatalogChange {
  readonly kind: 'product' | 'meter' | 'plan'
  readonly action: 'create' | 'update' | 'newVersion' | 'archive' | 'unchanged'
  readonly key: string
  /** What changed, in words: `prices/fee/amount: 9.00 → 10.00`. */
  readonly details: readonly string[]
}

/** What has to be done to the stored catalogue to make it the wanted one. */
export function catalogDiff(_current: Catalog, _wanted: Catalog): CatalogChange[] {
  throw new Error('being written')
}
