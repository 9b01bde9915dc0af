import type { Instant } from '@lockstep/core/instant'
import { isFrozen, isSettled } from '@lockstep/core/invoice'
import { isTerminal } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import { addUpFrozen, freezeInvoice, hasOwnLines, paymentColumns, paymentOf } from '../../invoice/freeze.ts'
import { matchInvoice } from '../../invoice/match.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { isOneOf } from '../../postgres/given.ts'
import { grouped } from '../../postgres/grouped.ts'
import { lockRows } from '../../postgres/lock-rows.ts'
import { countedOn } from '../../provider/stripe/counted-usage.ts'
import { idOrNull, ownReference } from '../../provider/stripe/field.ts'
import { type ObservedInvoice, toInvoice } from '../../provider/stripe/to-invoice.ts'
import {
  CYCLE,
  INTERVAL,
  type InvoiceRow,
  lastPeriodInvoice,
  noProviderInvoice,
  updateInvoice,
} from '../../store/invoices.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { putOnDraft } from '../../store/pending-items.ts'
import { wakePlanChange } from '../../store/plan-changes.ts'
import { nextObservation } from '../../store/provider-objects.ts'
import { forgetBilled, writeDraftUsage } from '../../store/provider-usage.ts'
import { wakeRegistration } from '../../store/registrations.ts'
import { wasPausedAt } from '../../store/subscription-history.ts'
import { sqlTime } from '../../store/time.ts'
import { wasToBeFinalized } from '../../store/told-drafts.ts'
import { cutUsage } from '../../store/usage.ts'
import { wakeWorkflow } from '../../store/workflows.ts'
import { type Installation, readInstallation } from './installation.ts'
import {
  type Effect,
  GateNeeded,
  Incomplete,
  type Noun,
  type Owner,
  SubscriptionBehind,
  type Writing,
} from './noun.ts'

interface InvoiceOwner extends Owner {
  readonly customerId: string
  /** Null for an invoice of a customer of ours that belongs to no subscription. */
  readonly subscriptionId: string | null
  /** The invoice of ours that it was made for, if we made it. */
  readonly madeFor: string | null
  /** The registration that waits for it to be paid, if one made it. */
  readonly workflowId: string | null
  readonly installation: Installation
}

/** Until Stripe says when: it finalizes the draft of a renewal about an hour after making it. */
const DRAFT_SECONDS = 3600

/**
 * Stripe's invoice. A draft of a renewal closes the period that it bills; the finalized one freezes
 * it, once. Invoices for other reasons are written down when they are final, and open and close nothing.
 */
export const invoiceNoun: Noun<Stripe.Invoice, InvoiceOwner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const own = ownReference(object.metadata)
    const isOwn = own.instance === installation.instance
    const customer = idOrNull(object.customer, 'customer')
    const details = object.parent?.subscription_details
    const subscription = idOrNull(details?.subscription ?? null, 'parent')
    const subscriptionId =
      subscription !== null
        ? await subscriptionOf(db, installation, subscription, details?.metadata ?? null)
        : isOwn
          ? own.subscription
          : null
    const customerId =
      customer === null ? undefined : await entityIdOf(db, installation, 'customer', customer)
    const owner = subscriptionId === null ? customerId : await customerOf(db, subscriptionId)
    // It was taken up and is linked, but not seen yet.
    if (owner === undefined && subscriptionId !== null && subscription !== null)
      throw new SubscriptionBehind(subscription)
    if (owner === undefined) return null
    const madeFor = isOwn ? (object.metadata?.lockstep_invoice ?? null) : null
    const workflowId = isOwn ? own.workflow : null
    return { customerId: owner, subscriptionId, madeFor, workflowId, installation }
  },

  async needsGate(db, object, owner) {
    if (object.status === 'draft' || object.lines.has_more) return false
    const seen = toInvoice(object)
    const row = await matchInvoice(db, { ...owner, seen })
    return row === undefined ? hasOwnLines(seen, owner.installation.instance) : !isFrozen(row.status)
  },

  async addUp(db, object, owner) {
    const seen = toInvoice({ ...object, lines: { ...object.lines, has_more: false } })
    const row = await matchInvoice(db, { ...owner, seen })
    return addUpFrozen(db, row, seen, owner.installation.instance)
  },

  async write(
    trx,
    {
      object,
      owner,
      source,
      now,
      gateClosed,
      inAdvance,
      subscriptionSeen,
    }: Writing<Stripe.Invoice, InvoiceOwner>,
  ): Promise<Effect> {
    if (owner.subscriptionId !== null) await lockSubscription(trx, owner.subscriptionId)
    if (owner.workflowId !== null && object.status !== 'draft') await wakeWorkflow(trx, owner.workflowId)
    // A registration or a change may wait for its payment: an attempt was made, and it may have failed for good.
    if (object.status === 'open' && owner.subscriptionId !== null && object.attempted) {
      if (object.billing_reason === 'subscription_create') await wakeRegistration(trx, owner.subscriptionId)
      if (object.billing_reason === 'subscription_update') await wakePlanChange(trx, owner.subscriptionId)
    }
    // Only a freeze reads the lines; whatever else is seen of an invoice stands on it directly.
    const seen = toInvoice({ ...object, lines: { ...object.lines, has_more: false } })
    const row = await matchInvoice(trx, { ...owner, seen })
    if (seen.status === undefined)
      throw new Error(`Invoice ${seen.providerId} has a status that we do not know.`)
    if (row && isFrozen(row.status)) {
      const { status } = seen
      const payment = paymentOf(seen)
      // From before it was: an answer may have said so already.
      if (source === 'event' && isSettled(row.status) && status !== row.status) return {}
      if (status === 'draft' || says(row, { ...payment, status })) return {}
      await lockInvoice(trx, row.id)
      await updateInvoice(trx, row.id, { ...paymentColumns(payment), status })
      return {}
    }
    if (!row && !subscriptionSeen) await waitForPeriod(trx, owner, seen)
    if (seen.status === 'draft') return row ? followDraft(trx, row, { object, seen, gateClosed, now }) : {}
    if (object.lines.has_more) throw new Incomplete()
    if (!gateClosed && (row || hasOwnLines(seen, owner.installation.instance))) throw new GateNeeded()
    const at = await now()
    const invoice = row ? await endWhereSeen(trx, row, seen) : await mirror(trx, owner, seen, at)
    await freezeInvoice(trx, { invoice, seen, instance: owner.installation.instance, now: at, inAdvance })
    await noteBilled(trx, invoice, object)
    return {}
  },
}

/** Whoever writes what was paid of an invoice has seen the provider's, one at a time: what is read of it stands. */
function says(row: InvoiceRow, payment: Partial<InvoiceRow>): boolean {
  return Object.entries(payment).every(([name, value]) => row[name as keyof InvoiceRow] === value)
}

/** Our subscription of an invoice; null if the provider's subscription is none of ours. */
async function subscriptionOf(
  db: Db,
  installation: Installation,
  providerId: string,
  metadata: Readonly<Record<string, string>> | null,
): Promise<string | null> {
  const mapped = await entityIdOf(db, installation, 'subscription', providerId)
  if (mapped !== undefined) return mapped
  const own = ownReference(metadata)
  if (own.instance !== installation.instance || own.subscription === null) return null
  const registered = await db
    .selectFrom('registration')
    .select('subscriptionId')
    .where('subscriptionId', '=', own.subscription)
    .executeTakeFirst()
  if (registered) throw new SubscriptionBehind(providerId)
  return null
}

const customerOf = grouped(async (db, subscriptionIds: readonly string[]) => {
  const rows = await db
    .selectFrom('subscription')
    .select(['id', 'customerId'])
    .where(isOneOf('id', subscriptionIds))
    .execute()
  const of = new Map(rows.map(({ id, customerId }) => [id, customerId]))
  return subscriptionIds.map((id) => of.get(id))
})

/** One order for all who write a subscription's invoices: its own row first. */
const lockSubscription = lockRows(
  (trx, ids) => trx.selectFrom('subscription').select('id').where(isOneOf('id', ids)).orderBy('id'),
  ({ id }) => id,
)

/** Those of one transaction together, in ingest's order: it marks the invoices of many customers at once. */
const lockInvoice = lockRows(
  (trx, ids) => trx.selectFrom('invoice').select('id').where(isOneOf('id', ids)).orderBy('id'),
  ({ id }) => id,
)

/** The invoice of a period that we have not heard of yet: it has to be open before it can close. */
async function waitForPeriod(
  trx: Trx,
  { subscriptionId }: InvoiceOwner,
  seen: ObservedInvoice,
): Promise<void> {
  const ofPeriod = seen.billingReason === CYCLE || seen.billingReason === INTERVAL
  if (subscriptionId === null || seen.subscription === null || !ofPeriod) return
  const last = await lastPeriodInvoice(trx, subscriptionId)
  if (!last || last.periodEnd < seen.period.end) throw new SubscriptionBehind(seen.subscription)
}

/**
 * Stripe's draft of a period: the period is over, and until the draft is finalized its lines can
 * still be sent. Where pending items went is read from Stripe, so the lines are looked at once more.
 */
async function followDraft(
  trx: Trx,
  row: InvoiceRow,
  {
    object,
    seen,
    gateClosed,
    now,
  }: Pick<Writing<Stripe.Invoice, InvoiceOwner>, 'object' | 'gateClosed' | 'now'> & {
    readonly seen: ObservedInvoice
  },
): Promise<Effect> {
  const endsEarly = row.periodEnd > seen.period.end && seen.billingReason !== INTERVAL
  if (endsEarly && row.planVersionId !== null && !gateClosed) throw new GateNeeded()
  await lockInvoice(trx, row.id)
  await endWhereSeen(trx, row, seen)
  if (await isStopped(trx, row, object)) {
    await updateInvoice(trx, row.id, {
      ...{ providerInvoiceId: null, finalizesAt: null, stoppedDraft: seen.providerId, dirty: true },
      ...(row.status === 'current' ? { status: 'closing' } : {}),
    })
    return row.subscriptionId === null ? {} : { syncSubscription: row.subscriptionId }
  }
  await putOnDraft(trx, seen.providerId, itemsOn(seen))
  await noteCounted(trx, row, object, now)
  const isNew = row.providerInvoiceId !== seen.providerId
  const advances = object.auto_advance !== false
  const finalizesAt = seen.finalizesAt ?? (advances ? seen.created + DRAFT_SECONDS : null)
  await updateInvoice(trx, row.id, {
    providerInvoiceId: seen.providerId,
    finalizesAt: finalizesAt === null ? null : sqlTime(finalizesAt),
    ...(row.status === 'current' ? { status: 'closing' } : {}),
    ...(isNew ? { dirty: true } : {}),
  })
  return isNew && row.subscriptionId !== null ? { syncSubscription: row.subscriptionId } : {}
}

/**
 * A subscription that ends takes the drafts with it that were to be finalized, however long Stripe had held them; they are
 * never billed by themselves. What was kept as a draft before waits for a person all the same. Where nobody saw how it was
 * before the end, it was to be finalized if its hour was not over and collection not paused, or an event says so.
 * https://docs.stripe.com/billing/subscriptions/cancel
 */
async function isStopped(
  trx: Trx,
  row: InvoiceRow,
  { id, auto_advance, created, billing_reason }: Stripe.Invoice,
): Promise<boolean> {
  const ofPeriod = billing_reason === CYCLE || billing_reason === INTERVAL
  if (!ofPeriod || auto_advance !== false || row.subscriptionId === null) return false
  const { endedAt, collection } = await trx
    .selectFrom('subscription')
    .select(['endedAt', 'collection'])
    .where('id', '=', row.subscriptionId)
    .executeTakeFirstOrThrow()
  if (endedAt === null || endedAt < created) return false
  // What bills the last period was made by the end itself.
  if ((await lastPeriodInvoice(trx, row.subscriptionId))?.id === row.id) return false
  if (row.finalizesAt !== null) return true
  const wasCollected = collection === 'charging' && !(await wasPausedAt(trx, row.subscriptionId, created))
  if (wasCollected && endedAt < created + DRAFT_SECONDS) return true
  return wasToBeFinalized(trx, id, endedAt)
}

/** What the provider's own meters have counted of the period stands on its draft. */
async function noteCounted(
  trx: Trx,
  { subscriptionId, planVersionId }: InvoiceRow,
  { lines }: Stripe.Invoice,
  now: () => Promise<Instant>,
): Promise<void> {
  // Of part of the lines nothing is said; what was read before the end stands.
  if (subscriptionId === null || planVersionId === null || lines.has_more) return
  const { meteredItems } = await meteredOf(trx, subscriptionId)
  const counted = countedOn(lines.data, meteredItems)
  if (counted.length === 0) return
  const [asOf, observation] = [await now(), await nextObservation(trx)]
  await writeDraftUsage(trx, { subscriptionId, asOf, observation, lines: counted })
}

/** What the provider's own meters have counted may be billed while its period goes on: by a threshold of money or of units. */
async function noteBilled(
  trx: Trx,
  { subscriptionId, planVersionId }: InvoiceRow,
  { lines, created: at }: Stripe.Invoice,
): Promise<void> {
  if (subscriptionId === null || planVersionId !== null) return
  const { status, meteredItems } = await meteredOf(trx, subscriptionId)
  const billed = isTerminal(status) ? [] : countedOn(lines.data, meteredItems)
  if (billed.length > 0) await forgetBilled(trx, { subscriptionId, lines: billed, at })
}

const meteredOf = (trx: Trx, subscriptionId: string) =>
  trx
    .selectFrom('subscription')
    .select(['status', 'meteredItems'])
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()

const itemsOn = ({ lines }: ObservedInvoice) => lines.flatMap(({ invoiceItem }) => invoiceItem ?? [])

/** A period that Stripe ended earlier than it was to end. */
async function endWhereSeen(trx: Trx, row: InvoiceRow, seen: ObservedInvoice): Promise<InvoiceRow> {
  const { end } = seen.period
  // Only a renewal says where a period ended.
  if (
    seen.billingReason === INTERVAL ||
    row.planVersionId === null ||
    row.periodEnd <= end ||
    end < row.periodStart
  )
    return row
  await cutUsage(trx, row.customerId, end)
  await updateInvoice(trx, row.id, { periodEnd: sqlTime(end) })
  return { ...row, periodEnd: end }
}

/** An invoice for another reason: nothing of ours waited for it. */
async function mirror(
  trx: Trx,
  { customerId, subscriptionId }: InvoiceOwner,
  seen: ObservedInvoice,
  now: number,
): Promise<InvoiceRow> {
  return trx
    .insertInto('invoice')
    .values({
      ...noProviderInvoice,
      id: newId('invoice'),
      customerId,
      subscriptionId,
      planVersionId: null,
      billingReason: seen.billingReason ?? 'manual',
      status: 'draft',
      currency: seen.currency,
      periodStart: sqlTime(seen.period.start),
      periodEnd: sqlTime(seen.period.end),
      dirty: false,
      providerInvoiceId: seen.providerId,
      openedAt: sqlTime(now),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}
