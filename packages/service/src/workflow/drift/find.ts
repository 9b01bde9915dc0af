import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { readStripe } from '../../provider/stripe/call.ts'
import { listedDispute, listedDisputes } from '../../provider/stripe/disputes.ts'
import { fetchCustomer, fetchInvoice, fetchSubscription } from '../../provider/stripe/fetch.ts'
import { ownReference } from '../../provider/stripe/field.ts'
import {
  listed,
  listedOf,
  listedOnClock,
  listedPrices,
  pendingItemsOf,
} from '../../provider/stripe/listing.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { isAbsent, isMissing } from '../../provider/stripe/problems.ts'
import { openInvoiceLinks, saveReport, underWay, usageDrift } from '../../store/drift.ts'
import { clockIds, customersOnClocks, type LinkedId, linkedIds } from '../../store/mapped-ids.ts'
import type { LookDeps } from '../look.ts'
import { compareBilled } from './billed.ts'
import { compareCustomers } from './customers.ts'
import { compareDisputes } from './disputes.ts'
import type { Compared, Drift, DriftReport } from './drift.ts'
import { compareHistory } from './history.ts'
import { compareInvoiceItems } from './invoice-items.ts'
import { compareInvoices } from './invoices.ts'
import { compareCustomersOfLinked } from './lost-links.ts'
import { comparePendingItem, comparePendingItems } from './pending-items.ts'
import { comparePlannedChanges } from './planned-changes.ts'
import { comparePrices } from './prices.ts'
import { compareGone, compareProducts } from './products.ts'
import { compareSubscriptions } from './subscriptions.ts'

type Compare = (deps: LookDeps, objects: readonly never[]) => Promise<Compared>

/** Everything that is held against the provider's lists, in an order in which a link is known before what needs it. */
const nouns = {
  product: compareProducts as Compare,
  price: comparePrices as Compare,
  customer: compareCustomers as Compare,
  subscription: compareSubscriptions as Compare,
  invoice: compareInvoices as Compare,
  dispute: compareDisputes as Compare,
}
type Noun = keyof typeof nouns
/** Those that a list may leave out: what stands on a test clock is listed by the clock, or by its customers. */
const types = ['customer', 'subscription', 'invoice'] as const

const MOST_USAGE = 1000

/**
 * Holds everything here against everything there. What differs is looked at a second time, both sides anew, so that
 * nothing is reported that only moved while it was read; what waits in the inbox or is being done is no drift.
 * Changes nothing but the record of what was found.
 */
export async function findDrift(deps: LookDeps): Promise<DriftReport> {
  const { db, clock, provider } = deps
  const seen = new Set<string>()
  /** What of ours an object says it is, whatever it is linked to. */
  const named = new Map<string, string>()
  const found: Drift[] = []
  const billed: Drift[] = []
  let [looked, waiting] = [0, 0]

  async function take(type: Noun, pages: AsyncGenerator<readonly unknown[]>): Promise<void> {
    for await (const listedPage of pages as AsyncGenerator<readonly Stripe.Customer[]>) {
      // What stands on a test clock may be in the list of all as well.
      const page = listedPage.filter(({ id }) => !seen.has(id))
      looked += page.length
      for (const object of page) {
        seen.add(object.id)
        const { customer, subscription } = ownReference(object.metadata)
        const entity = type === 'customer' ? customer : type === 'subscription' ? subscription : null
        if (entity !== null && isOwn(provider, object)) named.set(entity, object.id)
      }
      const compared = await nouns[type](deps, page as never)
      waiting += compared.underWay
      found.push(...compared.drifts)
      if (type === 'invoice') billed.push(...(await compareBilled(deps, page as never)))
    }
  }

  const clocks = await clockIds(db)
  /** Only those that are there: of any other one Stripe lists nothing, it refuses. */
  const onClocks = async () =>
    (await customersOnClocks(db, provider)).filter((customer) => seen.has(customer))
  await take('product', listed(deps, 'product', null))
  await take('price', listedPrices(deps))
  for (const type of types) {
    await take(type, listed(deps, type, null))
    if (type === 'invoice')
      for (const customer of await onClocks()) await take(type, listedOf(deps, type, customer))
    else for (const clock of clocks) await take(type, listedOnClock(deps, type, clock)).catch(passIfGone)
  }
  await take('dispute', listedDisputes(deps))
  for (const type of ['product', 'price'] as const)
    for await (const page of linkedIds(db, provider, type))
      found.push(
        ...(await compareGone(
          deps,
          type,
          page.filter(({ providerId }) => !seen.has(providerId)),
        )),
      )
  for (const type of ['customer', 'subscription'] as const) {
    for await (const page of linkedIds(db, provider, type)) {
      for (const link of page.filter(({ providerId }) => !seen.has(providerId)))
        found.push(...(await missingThere(deps, type, link, named)))
    }
  }
  for (const link of await openInvoiceLinks(db))
    if (!seen.has(link.providerId)) found.push(...(await missingThere(deps, 'invoice', link, named)))
  const pending = await pendingItemsOf(deps, await onClocks())
  found.push(...(await compareInvoiceItems(deps, pending)))
  found.push(...(await comparePendingItems(deps, pending.values())))
  found.push(...(await comparePlannedChanges(deps)))

  const confirmed = await confirm(deps, found, named)
  for (const { entityId, providerId } of await compareCustomersOfLinked(deps))
    if (entityId !== null && providerId !== null)
      confirmed.drifts.push(...(await compareCustomersOfLinked(deps, { entityId, providerId })))
  const usage = await usageDrift(db, MOST_USAGE)
  const history = await compareHistory(deps, billed)
  const drifts = [...confirmed.drifts, ...history, ...usage.map(usageToDrift)]
  const report = { looked, underWay: waiting + confirmed.underWay, drifts }
  await saveReport(db, { checkedAt: clock.now(), ...report })
  return report
}

/** Stripe deletes a test clock after thirty days, and its customers with it: each is looked for by itself. */
function passIfGone(error: unknown): void {
  if (!(error instanceof Problem && isAbsent(error.cause))) throw error
}

/** Looks once more, at both sides, at what differed. */
async function confirm(
  deps: LookDeps,
  found: readonly Drift[],
  named: ReadonlyMap<string, string>,
): Promise<Compared & { readonly drifts: Drift[] }> {
  const ids = found.flatMap(({ providerId }) => providerId ?? [])
  const busy = await underWay(deps.db, ids)
  const drifts: Drift[] = []
  let waiting = 0
  const again = new Set<string>()
  for (const drift of found) {
    const { entity, entityId, providerId, kind } = drift
    // Of one object several things may differ: all of them are seen at once.
    const name = `${entity} ${kind === 'missingThere'} ${entityId} ${providerId}`
    if (entity !== 'invoiceItem' && again.has(name)) continue
    again.add(name)
    if (providerId === null || entity === 'usage' || entity === 'history') drifts.push(drift)
    else if (busy.has(providerId)) waiting += 1
    else if (entity === 'invoiceItem' && entityId === null)
      drifts.push(...(await comparePendingItem(deps, providerId)))
    else if (entity === 'invoiceItem')
      drifts.push(...(await compareInvoiceItems(deps, new Map(), providerId)))
    else if (entity === 'plannedChange') drifts.push(...(await comparePlannedChanges(deps, providerId)))
    else if (kind === 'missingThere')
      drifts.push(...(await missingThere(deps, entity, { entityId: entityId ?? '', providerId }, named)))
    else {
      const object = await whole(deps, entity, providerId)
      const compared = object && (await nouns[entity](deps, [object] as never))
      drifts.push(...(compared?.drifts ?? []))
      waiting += compared?.underWay ?? 0
    }
  }
  return { drifts, underWay: waiting }
}

/** Linked here, and in none of the provider's lists. */
async function missingThere(
  deps: LookDeps,
  type: Noun,
  { entityId, providerId }: LinkedId,
  named: ReadonlyMap<string, string>,
): Promise<Drift[]> {
  const object = await whole(deps, type, providerId)
  if (object !== undefined) return [...(await nouns[type](deps, [object] as never)).drifts]
  if (type === 'product' || type === 'price') return compareGone(deps, type, [{ entityId, providerId }])
  const missing = { entity: type, kind: 'missingThere', entityId, providerId, differences: [] } as const
  const other = named.get(entityId)
  if (other !== undefined && other !== providerId) {
    const reason = `Our row is linked to it, and ${other} says that it is our row's.`
    return [{ ...missing, cause: 'unexplained', repair: null, reason }]
  }
  if (type === 'subscription') {
    const reason = 'The provider keeps ended subscriptions for good, and does not have this one.'
    return [{ ...missing, cause: 'unexplained', repair: null, reason }]
  }
  const reason = type === 'customer' ? 'The customer was deleted there.' : 'The draft was deleted there.'
  return [{ ...missing, cause: 'gone', repair: 'look', reason }]
}

/** One object with all its parts; undefined: the provider has it no more. */
async function whole(deps: LookDeps, type: Noun, id: string): Promise<object | undefined> {
  try {
    switch (type) {
      case 'customer': {
        const customer = await fetchCustomer(deps, id)
        return customer.deleted ? undefined : customer
      }
      case 'subscription':
        return await fetchSubscription(deps, id)
      case 'invoice':
        return await fetchInvoice(deps, id)
      case 'dispute':
        return await listedDispute(deps, id)
      case 'product': {
        const product = await readStripe(deps, (stripe) => stripe.products.retrieve(id))
        return 'deleted' in product && product.deleted ? undefined : product
      }
      case 'price':
        return await readStripe(deps, (stripe) => stripe.prices.retrieve(id, { expand: ['tiers'] }))
    }
  } catch (error) {
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  }
}

function usageToDrift({
  customerId,
  meterKey,
  named,
  events,
  rolledUp,
}: Awaited<ReturnType<typeof usageDrift>>[number]): Drift {
  return {
    entity: 'usage',
    kind: 'differs',
    entityId: `${customerId}/${meterKey}`,
    providerId: null,
    differences: [{ field: named === '' ? 'total' : `group ${named}`, here: rolledUp, there: events }],
    cause: 'unexplained',
    repair: null,
    reason: 'What is billed from is not what the events add up to.',
  }
}
