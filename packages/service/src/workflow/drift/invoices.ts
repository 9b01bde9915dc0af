import { type DriftValue, fieldDifferences, judgeDifference, saysTheSame } from '@lockstep/core/drift'
import { formatInstant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import type Stripe from 'stripe'
import { idOf, idOrNull } from '../../provider/stripe/field.ts'
import { type ObservedInvoice, toInvoice } from '../../provider/stripe/to-invoice.ts'
import {
  type IssuedUnlinked,
  invoicesLinked,
  issuedUnlinked,
  linkedCustomers,
  linkedSubscriptions,
} from '../../store/drift.ts'
import { readObjects } from '../../store/provider-objects.ts'
import type { Row } from '../../store/schema.ts'
import type { LookDeps } from '../look.ts'
import type { Compared, Drift } from './drift.ts'
import { type InvoicePair, partsOfPeriods } from './parts-of-periods.ts'

/** What invoices say of money, and where they stand. Their lines are written down once, and not compared here. */
export async function compareInvoices(deps: LookDeps, objects: readonly Stripe.Invoice[]): Promise<Compared> {
  const { db } = deps
  const ids = objects.map(({ id }) => id)
  const [linked, pictures] = await Promise.all([
    invoicesLinked(db, ids),
    readObjects(
      db,
      ids.map((id) => ({ type: 'invoice', id })),
    ),
  ])
  const rows = new Map(linked.map((row) => [row.providerInvoiceId, row]))
  const pairs = objects.flatMap((object) => {
    const row = rows.get(object.id)
    return row ? [{ row, object, seen: read(object) }] : []
  })
  const [parts, ofNobody] = await Promise.all([partsOfPeriods(deps, pairs), endedForNobody(deps, pairs)])
  const drifts = pairs.flatMap(({ row, object, seen }): Drift[] => {
    if (ofNobody.has(row.id)) return []
    const isFinalThere = seen.status !== 'draft'
    const isMadeHere = object.metadata?.lockstep_invoice === row.id
    const isOwnPeriod = isMadeHere || parts.has(row.id)
    const differences = fieldDifferences(hereOf(row, seen, isOwnPeriod), thereOf(seen))
    if (differences.length === 0) return []
    const before = pictures.get(`invoice ${object.id}`)?.raw
    const verdict = judgeDifference({
      entity: 'invoice',
      differences,
      seenAsItIs: wasSeen(before) && saysTheSame(thereOf(read(before)), differences),
      isOverHere: isFrozen(row.status),
      isFinalThere,
    })
    const known = { entity: 'invoice', kind: 'differs', entityId: row.id, providerId: object.id } as const
    return [{ ...known, differences, ...verdict }]
  })
  const missing = await missingHere(
    deps,
    objects.filter(({ id }) => !rows.has(id)),
  )
  return { drifts: [...drifts, ...missing], underWay: 0 }
}

/** A customer who is deleted there leaves drafts, which bill nobody: here their periods are void. */
async function endedForNobody(
  { db, provider }: LookDeps,
  pairs: readonly InvoicePair[],
): Promise<ReadonlySet<string>> {
  const ended = pairs.filter(({ row, seen }) => row.status === 'void' && seen.status === 'draft')
  if (ended.length === 0) return new Set()
  const linked = await linkedCustomers(
    db,
    provider,
    ended.flatMap(({ seen }) => seen.customer ?? []),
  )
  const isLinked = new Set(linked.map(({ providerId }) => providerId))
  const ofNobody = ended.filter(({ seen }) => !isLinked.has(seen.customer ?? ''))
  return new Set(ofNobody.map(({ row }) => row.id))
}

/** Of one that was deleted before it was ever seen nothing is kept. */
const wasSeen = (raw: unknown): raw is Stripe.Invoice =>
  typeof raw === 'object' && raw !== null && 'status' in raw

/** What is compared stands on the invoice itself, not on its lines. */
const read = (object: Stripe.Invoice) => toInvoice({ ...object, lines: { ...object.lines, has_more: false } })

/** A draft's amounts still change; of one that is final both sides have to say the same. */
function hereOf(
  row: Row<'invoice'>,
  { status: there }: ObservedInvoice,
  isOwnPeriod: boolean,
): Record<string, DriftValue> {
  const status = isFrozen(row.status) ? row.status : 'draft'
  if (there === 'draft' || !isFrozen(row.status)) return { status, currency: row.currency }
  const amount = (minor: bigint | null) => (minor === null ? null : `${minor}`)
  return {
    status,
    currency: row.currency,
    number: row.number,
    subtotal: amount(row.subtotal),
    total: amount(row.total),
    amountDue: amount(row.amountDue),
    amountPaid: amount(row.amountPaid),
    amountRemaining: amount(row.amountRemaining),
    // What is left of a subscription that is over stands on invoices that we make: the period is ours, Stripe knows none.
    ...(!isOwnPeriod && periodOf(row)),
  }
}

function periodOf(row: Row<'invoice'>): Record<string, DriftValue> {
  return {
    periodStart: formatInstant(row.periodStart),
    periodEnd: formatInstant(row.periodEnd),
  }
}

function thereOf(seen: ObservedInvoice): Record<string, DriftValue> {
  return {
    ...(seen.status !== undefined && { status: seen.status }),
    currency: seen.currency,
    number: seen.number,
    subtotal: `${seen.subtotal.minor}`,
    total: `${seen.total.minor}`,
    amountDue: `${seen.amountDue.minor}`,
    amountPaid: `${seen.amountPaid.minor}`,
    amountRemaining: `${seen.amountRemaining.minor}`,
    periodStart: formatInstant(seen.period.start),
    periodEnd: formatInstant(seen.period.end),
  }
}

/** Clocks differ: what was made just before a customer was taken up may carry a time after that. */
const CLOCK_SKEW_SECONDS = 60

/**
 * Final invoices of customers of ours that have no row here. What was billed before a customer was taken up from the
 * provider is that one's history and not ours, and so is what a subscription bills that was not taken up. On a test clock nobody
 * can tell what was before.
 */
async function missingHere(deps: LookDeps, objects: readonly Stripe.Invoice[]): Promise<Drift[]> {
  const final = objects.filter(({ status, customer }) => status !== 'draft' && customer !== null)
  const subscriptionOf = ({ parent }: Stripe.Invoice) => parent?.subscription_details?.subscription ?? null
  const [customers, subscriptions] = await Promise.all([
    linkedCustomers(
      deps.db,
      deps.provider,
      final.flatMap(({ customer }) => (customer === null ? [] : idOf(customer))),
    ),
    linkedSubscriptions(
      deps.db,
      deps.provider,
      final.flatMap((invoice) => idOrNull(subscriptionOf(invoice), 'parent') ?? []),
    ),
  ])
  const links = new Map(customers.map((link) => [link.providerId, link]))
  const known = new Set(subscriptions.map(({ providerId }) => providerId))
  const issued = await issuedUnlinked(
    deps.db,
    deps.provider,
    final.flatMap(({ number }) => number ?? []),
  )
  const isOurs = (invoice: Stripe.Invoice) => {
    const link = invoice.customer === null ? undefined : links.get(idOf(invoice.customer))
    if (!link || link.origin === 'outbound') return link !== undefined
    const subscription = idOrNull(subscriptionOf(invoice), 'parent')
    const isSold = subscription === null || known.has(subscription)
    return isSold && invoice.test_clock === null && invoice.created >= link.createdAt + CLOCK_SKEW_SECONDS
  }
  return final.flatMap((invoice) => lostLink(invoice, issued) ?? (isOurs(invoice) ? missed(invoice) : []))
}

const missed = ({ id }: Stripe.Invoice): Drift => ({
  ...{ entity: 'invoice', kind: 'missingHere', entityId: null, providerId: id, differences: [] },
  ...{ cause: 'missed', repair: 'look', reason: 'It was finalized and nothing told us.' },
})

/**
 * An invoice here that was issued under the same number and is linked to none: taken up a second time, what it bills would be
 * here twice. A number is given once in an account, or to one customer after the other, so that customer and currency have to be the
 * same too. https://docs.stripe.com/invoicing/customize#invoice-numbering
 */
function lostLink(invoice: Stripe.Invoice, issued: readonly IssuedUnlinked[]): Drift | undefined {
  const same = issued.filter(({ number }) => number === invoice.number)
  const [one, ...others] = same
  if (!one) return undefined
  const known = { entity: 'invoice', kind: 'missingHere', providerId: invoice.id, differences: [] } as const
  const isIt =
    others.length === 0 &&
    one.currency === invoice.currency &&
    invoice.customer !== null &&
    one.customer === idOf(invoice.customer)
  if (isIt) {
    const reason = `Our invoice ${one.id} was issued under its number, ${one.number}, and lost its link.`
    return { ...known, entityId: one.id, cause: 'unlinked', repair: 'link', reason }
  }
  const reason = `Issued here under its number, ${one.number}, and linked to none: ${same.map(({ id }) => id).join(', ')}, of another customer or in another currency, or several.`
  return { ...known, entityId: null, cause: 'unexplained', repair: null, reason }
}
