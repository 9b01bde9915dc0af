import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { CatalogDocument } from '@lockstep/api/catalog'
import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import type { Catalog } from '@lockstep/core/catalog'
import { UsageError } from './usage-error.ts'

/** Several files are one catalogue together; what two of them name must not be named alike. */
export async function readCatalogFiles(files: readonly string[]): Promise<CatalogDocument> {
  const documents = await Promise.all(files.map(readCatalogFile))
  const [first, ...others] = documents
  if (!first) throw new UsageError('There is no catalogue to read.', 'Give the path of a catalogue.')
  return others.reduce(merge, first)
}

/** Reads a catalogue, whether it is a module or JSON. A module is run: it may be as clever as it likes. */
async function readCatalogFile(file: string): Promise<CatalogDocument> {
  const path = resolve(file)
  if (!existsSync(path))
    throw new UsageError(`There is no such file: ${file}`, 'Give the path of a catalogue.')
  if (path.endsWith('.json')) return JSON.parse(await readFile(path, 'utf8')) as CatalogDocument
  const { default: catalog } = (await import(pathToFileURL(path).href)) as { default?: Partial<Catalog> }
  if (!Array.isArray(catalog?.plans) || !Array.isArray(catalog.products)) {
    throw new UsageError(
      `The default export of ${file} is no catalogue.`,
      'Write `export default defineCatalog({ … })`.',
    )
  }
  return catalogDocumentOf(catalog as Catalog)
}

function merge(a: CatalogDocument, b: CatalogDocument): CatalogDocument {
  const seller = oneSeller(a.seller, b.seller)
  return {
    currency: a.currency,
    ...(seller && { seller }),
    products: joined('product', a.products, b.products),
    meters: joined('meter', a.meters ?? {}, b.meters ?? {}),
    features: joined('feature', a.features ?? {}, b.features ?? {}),
    plans: joined('plan', a.plans, b.plans),
  }
}

function oneSeller(a: CatalogDocument['seller'], b: CatalogDocument['seller']) {
  if (a && b && !isDeepStrictEqual(a, b)) {
    throw new UsageError('Two catalogues name different sellers.', 'Name the seller in one of them.')
  }
  return a ?? b
}

function joined<T>(noun: string, a: Record<string, T>, b: Record<string, T>): Record<string, T> {
  const clashes = Object.keys(b).filter((key) => key in a)
  if (clashes.length === 0) return { ...a, ...b }
  throw new UsageError(`Two catalogues name a ${noun} alike: ${clashes.join(', ')}`, 'Rename one of them.')
}
