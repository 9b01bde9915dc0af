import type { ImportedType, ListedPage } from '../../provider/stripe/account-listing.ts'
import { readPage } from '../../provider/stripe/account-listing.ts'
import type { Belonging } from '../../provider/stripe/belongings.ts'
import { advanceCursor, openCursor, recordLeft, recordRefusal, restartCursor } from '../../store/imports.ts'
import { nextObservation } from '../../store/provider-objects.ts'
import { shownDiscounts } from '../admit/shown-discounts.ts'
import type { LookDeps } from '../look.ts'
import type { Observed } from '../observe.ts'
import { takePage } from './take-page.ts'

const observedAs: Readonly<Record<ImportedType, Observed['type']>> = {
  product: 'product',
  price: 'price',
  coupon: 'coupon',
  'promotion code': 'promotion_code',
  customer: 'customer',
  subscription: 'subscription',
  'open invoice': 'invoice',
  'draft invoice': 'invoice',
  'pending item': 'invoiceitem',
}

export interface ToRead {
  readonly importId: string
  readonly type: ImportedType
  readonly dryRun: boolean
}

/**
 * Reads all objects of a kind, page by page, and remembers behind each page where the next one begins: killed, it
 * reads one page a second time, and what was taken up from it is known by then.
 */
export async function readAll(deps: LookDeps, toRead: ToRead): Promise<void> {
  // Versions of a plan are made in the order of its prices, and lists begin with the newest: all of them first.
  const pages = toRead.type === 'price' ? wholeList(deps, toRead) : pageByPage(deps, toRead)
  const shown = shownDiscounts(deps.db)
  for await (const { objects, discounts, belongings, observation, lastId, cursor, isLast } of pages) {
    const { importId, type, dryRun } = toRead
    shown.show(discounts)
    const counts = await takePage(deps, {
      shown,
      type: observedAs[type],
      ...{ objects, belongings, observation, dryRun },
      inOrder: type === 'price',
      refuse: (providerId, { code, detail }) =>
        recordRefusal(deps.db, { importId, type, providerId, code, detail }),
      leave: (left) =>
        recordLeft(
          deps.db,
          [...left].map(([providerId, reason]) => ({ importId, type, providerId, reason })),
        ),
    })
    const endedAt = isLast ? deps.clock.now() : null
    await advanceCursor(deps.db, { importId, type, lastId: cursor }, { ...counts, lastId, endedAt })
  }
}

interface Page {
  readonly objects: ListedPage['objects']
  readonly discounts: ListedPage['discounts']
  readonly belongings: ListedPage['belongings']
  readonly observation: bigint
  /** Where it was asked for from, and where the next one begins. */
  readonly cursor: string | null
  readonly lastId: string | null
  readonly isLast: boolean
}

async function* pageByPage(deps: LookDeps, { importId, type, dryRun }: ToRead): AsyncGenerator<Page> {
  const { db, clock } = deps
  for (;;) {
    const { lastId: cursor, endedAt } = await openCursor(db, importId, type, clock.now())
    if (endedAt !== null) return
    const observation = await nextObservation(db)
    const page = await readPage(deps, type, cursor, { withBelongings: dryRun })
    if (!page) {
      await restartCursor(db, { importId, type, lastId: cursor })
      continue
    }
    const { objects, discounts, belongings, hasMore } = page
    const lastId = objects.at(-1)?.id ?? null
    const isLast = !hasMore || lastId === null
    yield { objects, discounts, belongings, observation, cursor, lastId, isLast }
    if (isLast) return
  }
}

async function* wholeList(deps: LookDeps, { importId, type, dryRun }: ToRead): AsyncGenerator<Page> {
  const { db, clock } = deps
  if ((await openCursor(db, importId, type, clock.now())).endedAt !== null) return
  const observation = await nextObservation(db)
  const all: { readonly id: string }[] = []
  const belongings = new Map<string, Belonging>()
  for (let isWhole = false; !isWhole; ) {
    const after = all.at(-1)?.id ?? null
    const page: ListedPage | undefined = await readPage(deps, type, after, { withBelongings: dryRun })
    for (const [id, belonging] of page?.belongings ?? []) belongings.set(id, belonging)
    if (page) all.push(...page.objects)
    else all.length = 0
    isWhole = page !== undefined && (!page.hasMore || page.objects.length === 0)
  }
  const objects = all.reverse()
  yield { objects, discounts: [], belongings, observation, cursor: null, lastId: null, isLast: true }
}
