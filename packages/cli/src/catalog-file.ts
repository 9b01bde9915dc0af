import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { CatalogDocument } from '@lockstep/api/catalog'
import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import type { Catalog } from '@lockstep/core/catalog'
import { Problem } from '@lockstep/core/problem'
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
  if (path.endsWith('.json')) return documentIn(file, await readFile(path, 'utf8'))
  const { default: catalog } = await runModule(file, path)
  if (!Array.isArray(catalog?.plans) || !Array.isArray(catalog.products)) {
    throw new UsageError(
      `The default export of ${file} is no catalogue.`,
      "Write `import { defineCatalog } from '@lockstep/core/catalog'` and `export default defineCatalog({ … })`.",
    )
  }
  return catalogDocumentOf(catalog as Catalog)
}

function documentIn(file: string, text: string): CatalogDocument {
  try {
    return JSON.parse(text) as CatalogDocument
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${messageOf(error)}`, 'Correct the file; nothing was changed.')
  }
}

/** What is wrong with the catalogue itself is a Problem and is told by its places; the rest is the module's. */
async function runModule(file: string, path: string): Promise<{ default?: Partial<Catalog> }> {
  try {
    return (await import(pathToFileURL(path).href)) as { default?: Partial<Catalog> }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`, remedyOf(error))
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function remedyOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND'
    ? 'A module finds @lockstep/core from its own folder: put the file inside this repository, or where the package is installed.'
    : 'Correct the file; nothing was changed.'
}

function merge(a: CatalogDocument, b: CatalogDocument): CatalogDocument {
  const seller = agreed('sellers', a.seller, b.seller)
  const signUp = agreed('plans for sign-ups', a.signUp, b.signUp)
  const planChanges = agreed('rules for plan changes', a.planChanges, b.planChanges)
  const grace = agreed('times of grace', a.grace, b.grace)
  return {
    currency: a.currency,
    products: joined('a product', a.products, b.products),
    meters: joined('a meter', a.meters ?? {}, b.meters ?? {}),
    features: joined('a feature', a.features ?? {}, b.features ?? {}),
    coupons: joined('a coupon', a.coupons ?? {}, inCurrency(b.coupons ?? {}, b)),
    plans: joined('a plan', a.plans, inCurrency(b.plans, b)),
    addons: joined('an add-on', a.addons ?? {}, inCurrency(b.addons ?? {}, b)),
    ...(seller && { seller }),
    ...(signUp && { signUp }),
    ...(planChanges && { planChanges }),
    ...(grace && { grace }),
  } satisfies Record<Exclude<keyof CatalogDocument, 'seller' | 'signUp' | 'planChanges' | 'grace'>, unknown>
}

/** What named no currency meant its own catalogue's, not the one that it is joined to. */
function inCurrency<T extends { currency?: string | undefined }>(
  entries: Record<string, T>,
  { currency }: CatalogDocument,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(entries).map(([key, entry]) => [key, { ...entry, currency: entry.currency ?? currency }]),
  )
}

/** What a catalogue has one of: named in one file, or alike in both. */
function agreed<T>(what: string, a: T | undefined, b: T | undefined): T | undefined {
  if (a !== undefined && b !== undefined && !isDeepStrictEqual(a, b))
    throw new UsageError(`Two catalogues name different ${what}.`, 'Name them in one of the files.')
  return a ?? b
}

function joined<T>(noun: string, a: Record<string, T>, b: Record<string, T>): Record<string, T> {
  const clashes = Object.keys(b).filter((key) => key in a)
  if (clashes.length === 0) return { ...a, ...b }
  throw new UsageError(`Two catalogues name ${noun} alike: ${clashes.join(', ')}`, 'Rename one of them.')
}
