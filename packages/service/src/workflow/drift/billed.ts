import { addonsInWords } from '@lockstep/core/addon'
import {
  type BilledTerms,
  type ContradictedStretch,
  contradicted,
  type SoldTerms,
} from '@lockstep/core/billed-history'
import { type DriftValue, type FieldDifference, fieldDifferences } from '@lockstep/core/drift'
import { formatInstant } from '@lockstep/core/instant'
import { numbersInWords } from '@lockstep/core/item-numbers'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import type { Db, Trx } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import { fetchInvoice } from '../../provider/stripe/fetch.ts'
import {
  type ObservedInvoice,
  type ObservedInvoiceLine,
  toInvoice,
} from '../../provider/stripe/to-invoice.ts'
import { linkedSubscriptions } from '../../store/drift.ts'
import { feeOfTerms, type Past, pastsOf, rewriteTerms } from '../../store/kept-history.ts'
import { linkedPrices } from '../../store/linked-prices.ts'
import { loadPlanVersions } from '../../store/plans.ts'
import type { PricedItem } from '../../store/plans-of-items.ts'
import { readObjects } from '../../store/provider-objects.ts'
import { lockSubscription } from '../../store/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import { termsSeen } from '../observe/terms-seen.ts'
import type { Drift } from './drift.ts'

/** A stretch of a history that is not what an invoice billed. */
interface Contradiction extends ContradictedStretch {
  readonly subscriptionId: string
  readonly past: Past
  readonly invoice: ObservedInvoice
  readonly billed: BilledTerms
}

/**
 * Stretches of histories that are not what the provider billed at that time: a fee ahead of its period says which prices stood there when
 * that began, and how many of each. It is read from the lists that are read anyway, and asks the provider for nothing: of an invoice of
 * which a list shows only some lines, the picture that is kept of it has all of them.
 */
export async function compareBilled(deps: LookDeps, listed: readonly Stripe.Invoice[]): Promise<Drift[]> {
  const invoices = await withLines(deps, listed.filter(isFinal))
  const found = await contradictions(deps, invoices)
  // Looked at twice, like everything: a history may go on while it is read.
  const again = found.length === 0 ? found : await contradictions(deps, invoices)
  const inWords = await wordsOf(
    deps.db,
    again.flatMap(({ past, billed }) => [billed, ...past.stretches]),
  )
  return again.map((one) => toDrift(one, inWords))
}

/** Writes such a stretch again as its contract and the invoice say, where these are one. Anything else it leaves alone. */
export async function restoreBilled(
  deps: LookDeps,
  { entityId, providerId }: { readonly entityId: string; readonly providerId: string },
): Promise<void> {
  const invoice = toInvoice(await fetchInvoice(deps, providerId))
  const billedBy = await newReader(deps, [invoice])
  const billed = await billedBy(invoice, (await pastsOf(deps.db, [entityId])).get(entityId))
  await transaction(deps.db, async (trx) => {
    await lockSubscription(trx, entityId)
    const past = (await pastsOf(trx, [entityId])).get(entityId)
    for (const terms of past ? billed : []) {
      const found = past && contradicted(terms, past.stretches, past.agreed)
      if (!found?.isMendable) continue
      await rewriteTerms(trx, { subscriptionId: entityId, ordinal: found.ordinal }, terms)
      deps.log.warn(
        { subscriptionId: entityId, ordinal: found.ordinal, invoice: providerId, contract: found.contractId },
        'A stretch of a history was written again as it was billed.',
      )
      return
    }
    throw new Problem('invalid_request', `${providerId} says nothing else of ${entityId} any more.`)
  })
}

const isFinal = ({ status }: Stripe.Invoice) =>
  status === 'open' || status === 'paid' || status === 'uncollectible' || status === 'void'

/** With all of their lines; one of which nothing says them all is left out. */
async function withLines({ db }: LookDeps, invoices: readonly Stripe.Invoice[]): Promise<ObservedInvoice[]> {
  const cut = invoices.filter(({ lines }) => lines.has_more)
  const pictures = await readObjects(
    db,
    cut.map(({ id }) => ({ type: 'invoice', id })),
  )
  return invoices.flatMap((invoice) => {
    if (!invoice.lines.has_more) return [toInvoice(invoice)]
    const raw = pictures.get(`invoice ${invoice.id}`)?.raw as Partial<Stripe.Invoice> | undefined
    return raw?.lines && !raw.lines.has_more ? [toInvoice({ ...invoice, lines: raw.lines })] : []
  })
}

async function contradictions(
  deps: LookDeps,
  invoices: readonly ObservedInvoice[],
): Promise<Contradiction[]> {
  const linked = await linkedSubscriptions(
    deps.db,
    deps.provider,
    invoices.flatMap(({ subscription }) => subscription ?? []),
  )
  const ids = new Map(linked.map(({ id, providerId }) => [providerId, id]))
  const pasts = await pastsOf(deps.db, [...new Set(ids.values())])
  const billedBy = await newReader(deps, invoices)
  const found: Contradiction[] = []
  for (const invoice of invoices) {
    const subscriptionId = ids.get(invoice.subscription ?? '')
    const past = subscriptionId === undefined ? undefined : pasts.get(subscriptionId)
    if (subscriptionId === undefined || !past) continue
    for (const billed of await billedBy(invoice, past)) {
      const stretch = contradicted(billed, past.stretches, past.agreed)
      if (stretch) found.push({ ...stretch, subscriptionId, past, invoice, billed })
    }
  }
  return found
}

type Billed = (invoice: ObservedInvoice, past: Past | undefined) => Promise<BilledTerms[]>

/** What invoices say of what stood there at which moment. Most say the same of many subscriptions: what that is for is read once. */
async function newReader({ db, provider }: LookDeps, invoices: readonly ObservedInvoice[]): Promise<Billed> {
  const named = invoices.flatMap(({ lines }) => lines.filter(isFeeAhead).flatMap(({ price }) => price ?? []))
  const linked = await linkedPrices(db, provider, [...new Set(named)])
  const prices = new Map(linked.map((one) => [one.providerId, one]))
  const known = new Map<string, Promise<Pick<BilledTerms, keyof SoldTerms | 'fee'> | undefined>>()

  async function read(items: readonly PricedItem[], standing: string) {
    const terms = await termsSeen(db, provider, items, standing)
    return terms && { ...terms, fee: await feeOfTerms(db, terms) }
  }

  return async ({ lines, currency }, past) => {
    const all: BilledTerms[] = []
    for (const its of together(lines.filter(isFeeAhead))) {
      const [{ period, isProration }] = its
      const items = itemsOf(its).flatMap((item): PricedItem[] => {
        const price = prices.get(item.price)
        if (!price) return []
        const { interval, intervalCount } = price
        return [{ ...item, rhythm: { currency, interval, intervalCount } }]
      })
      const standing =
        past?.stretches.findLast(({ startsAt }) => startsAt <= period.start) ?? past?.stretches[0]
      // What no plan here is billed by says nothing of one.
      if (items.length === 0 || !standing) continue
      const name = JSON.stringify([items, standing.planVersionId])
      const reading = known.get(name) ?? read(items, standing.planVersionId)
      known.set(name, reading)
      const terms = await reading
      if (terms) all.push({ ...terms, period, isWhole: !isProration })
    }
    return all
  }
}

/** A fee, or the part of one that a change makes due: of what is given back, the change before says what stood there. */
const isFeeAhead = ({ price, amount, isProration, subscriptionItem }: ObservedInvoiceLine): boolean =>
  price !== null && (isProration ? amount.minor > 0n : subscriptionItem !== null)

/** Lines of one stretch of time. */
function together(fees: readonly ObservedInvoiceLine[]): [ObservedInvoiceLine, ...ObservedInvoiceLine[]][] {
  const groups = new Map<string, [ObservedInvoiceLine, ...ObservedInvoiceLine[]]>()
  for (const line of fees) {
    const name = `${line.period.start} ${line.period.end} ${line.isProration}`
    const group = groups.get(name)
    if (group) group.push(line)
    else groups.set(name, [line])
  }
  return [...groups.values()]
}

/** Of tiers each has a line of its own: together they say how many there are. */
function itemsOf(lines: readonly ObservedInvoiceLine[]) {
  const items = new Map<string, { price: string; product: string; quantity: number }>()
  for (const { price, product, quantity } of lines) {
    if (price === null || product === null) continue
    const item = items.get(price) ?? { price, product, quantity: 0 }
    items.set(price, { ...item, quantity: item.quantity + (quantity ?? 0) })
  }
  return [...items.values()]
}

function toDrift(one: Contradiction, inWords: InWords): Drift {
  const { subscriptionId, past, invoice, billed, ordinal, contractId, isMendable } = one
  const kept = past.stretches.find((stretch) => stretch.ordinal === ordinal)
  const differences = kept ? differencesOf(kept, billed, inWords) : []
  const known = { entity: 'history', kind: 'differs', entityId: subscriptionId, differences } as const
  const there = `${invoice.number ?? invoice.providerId} billed something else from ${formatInstant(billed.period.start)} on than stretch ${ordinal} of its history says`
  if (isMendable)
    return {
      ...{ ...known, providerId: invoice.providerId, cause: 'changedHere', repair: 'look' },
      reason: `${there}, and so was agreed on in ${contractId}: the row was written by other hands.`,
    }
  const why =
    contractId === null
      ? 'no contract says what was billed'
      : `${contractId} says what was billed, but is not as long as the stretch`
  return {
    ...{ ...known, providerId: invoice.providerId, cause: 'unexplained', repair: null },
    reason: `${there}; ${why}.`,
  }
}

function differencesOf(
  kept: Past['stretches'][number],
  billed: BilledTerms,
  inWords: InWords,
): FieldDifference[] {
  const here = { ...inWords(kept), fee: `${kept.fee}` }
  const there = { ...inWords(billed), fee: `${billed.fee}` }
  return fieldDifferences(here, there).map(({ field, ...values }) => ({
    ...{ field: `${field} of stretch ${kept.ordinal}`, ...values },
  }))
}

type InWords = (terms: SoldTerms) => Readonly<Record<string, DriftValue>>

/** How terms are shown, with what their plans are called: asked for once for all. */
async function wordsOf(db: Db | Trx, all: readonly SoldTerms[]): Promise<InWords> {
  const ids = [...new Set(all.map(({ planVersionId }) => planVersionId))]
  const versions = new Map((await loadPlanVersions(db, ids)).map((version) => [version.id, version]))
  return ({ planVersionId, quantity, addons, itemNumbers }) => {
    const version = versions.get(planVersionId)
    return {
      plan: `${version?.plan.key} ${version?.version}`,
      ...{ quantity, addons: addonsInWords(addons), itemNumbers: numbersInWords(itemNumbers) },
    }
  }
}
