import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { readStripe } from '../../provider/stripe/call.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { lineReference } from '../../provider/stripe/to-invoice-item.ts'
import { type ObservedPendingItem, toPendingItem } from '../../provider/stripe/to-pending-item.ts'
import { type KnownPending, knownPending, linkedCustomers, linkedSubscriptions } from '../../store/drift.ts'
import { readObjects } from '../../store/provider-objects.ts'
import type { LookDeps } from '../look.ts'
import type { Drift } from './drift.ts'

/**
 * What stands there to be billed and is none of our lines, held against what is kept of it: it is a line of the current invoice
 * here. `listed`: everything that is pending there. What was billed or deleted as far as we know stays so.
 */
export async function comparePendingItems(
  deps: LookDeps,
  listed: Iterable<Stripe.InvoiceItem>,
): Promise<Drift[]> {
  const theirs = await ofOurs(deps, listed)
  const known = new Map((await knownPending(deps.db, [...theirs.keys()])).map((row) => [row.id, row]))
  const drifts: Drift[] = []
  for (const item of theirs.values())
    drifts.push(...(await compareOne(deps, item, known.get(item.providerId))))
  // Else it went onto an invoice meanwhile, and is seen with that.
  for (const { id } of known.values())
    if (!theirs.has(id) && (await retrieve(deps, id)) === undefined) drifts.push(gone(id))
  return drifts
}

/** The same of one alone, looked at once more. */
export async function comparePendingItem(deps: LookDeps, id: string): Promise<Drift[]> {
  const [row] = await knownPending(deps.db, [id], id)
  const item = await retrieve(deps, id)
  if (item === undefined) return row && row.state !== 'gone' ? [gone(id)] : []
  const [own] = (await ofOurs(deps, [item])).values()
  return own === undefined || own.invoice !== null ? [] : compareOne(deps, own, row)
}

/** Of customers and subscriptions of ours, without what we sent ourselves. */
async function ofOurs(
  { db, provider }: LookDeps,
  listed: Iterable<Stripe.InvoiceItem>,
): Promise<ReadonlyMap<string, ObservedPendingItem>> {
  const items = [...listed]
    .map(toPendingItem)
    .filter(({ metadata }) => lineReference(provider.instance, metadata) === null)
  const [customers, subscriptions] = await Promise.all([
    linkedCustomers(db, provider, [...new Set(items.map(({ customer }) => customer))]),
    linkedSubscriptions(db, provider, [...new Set(items.flatMap(({ subscription }) => subscription ?? []))]),
  ])
  const linked = new Set([...customers, ...subscriptions].map(({ providerId }) => providerId))
  const ours = items.filter(
    ({ customer, subscription }) =>
      linked.has(customer) && (subscription === null || linked.has(subscription)),
  )
  return new Map(ours.map((item) => [item.providerId, item]))
}

async function compareOne(
  { db }: LookDeps,
  { providerId, content: { amount } }: ObservedPendingItem,
  row: KnownPending | undefined,
): Promise<Drift[]> {
  const known = { entity: 'invoiceItem', entityId: null, providerId } as const
  const missed = { cause: 'missed', repair: 'look' } as const
  if (row === undefined) {
    const reason = 'It was put there to be billed, and nothing told us.'
    return [{ ...known, kind: 'missingHere', differences: [], ...missed, reason }]
  }
  if (row.state === 'gone') return []
  const here = row.state === 'absent' ? 'none of those that wait' : row.providerInvoiceId
  const differences = [
    ...(here === null ? [] : [{ field: 'invoice', here, there: null }]),
    ...(row.amount === amount ? [] : [{ field: 'amount', here: row.amount, there: amount }]),
  ]
  if (differences.length === 0) return []
  const [seen] = (await readObjects(db, [{ type: 'invoiceitem', id: providerId }])).values()
  const wasSeen = (seen?.raw as Partial<Stripe.InvoiceItem> | undefined)?.amount === Number(amount)
  const verdict =
    wasSeen && differences.every(({ field }) => field === 'amount')
      ? {
          ...({ cause: 'changedHere', repair: 'look' } as const),
          reason: 'It was seen as it is there; the row was written by other hands.',
        }
      : { ...missed, reason: 'It changed at the provider and nothing told us.' }
  return [{ ...known, kind: 'differs', differences, ...verdict }]
}

const gone = (providerId: string): Drift => ({
  ...{ entity: 'invoiceItem', kind: 'missingThere', entityId: null, providerId, differences: [] },
  ...{ cause: 'gone', repair: 'look', reason: 'It was deleted at the provider.' },
})

/** Undefined: it was deleted. */
async function retrieve(deps: LookDeps, id: string): Promise<Stripe.InvoiceItem | undefined> {
  try {
    const item: Stripe.InvoiceItem | Stripe.DeletedInvoiceItem = await readStripe(deps, (stripe) =>
      stripe.invoiceItems.retrieve(id),
    )
    return item.deleted ? undefined : item
  } catch (error) {
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  }
}
