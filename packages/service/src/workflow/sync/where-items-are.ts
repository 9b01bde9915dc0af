import type { Instant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import { Problem } from '@lockstep/core/problem'
import { concludePeriods } from '../../invoice/conclude.ts'
import { USAGE_INVOICE_WITHIN_SECONDS } from '../../invoice/expect-turn.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import type { ObservedItem } from '../../provider/stripe/to-invoice-item.ts'
import { forgetItem, type ItemRow } from '../../store/invoice-items.ts'
import { forgetStoppedDraft, linkedInvoice, readInvoiceRow } from '../../store/invoices.ts'
import { nextObservation } from '../../store/provider-objects.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { refreshInvoices } from '../refresh.ts'
import { findItem, listOnDraft, listPending, type Standing, standingItems } from './at-stripe.ts'
import { noteOthers } from './note-others.ts'
import type { Picture } from './picture.ts'

/** Longest that Stripe keeps a renewal's draft waiting, and a day more. */
const NO_INVOICE_AFTER_SECONDS = 4 * 86_400

/**
 * Every item that stands at Stripe for a subscription and may still be changed: what is pending, and
 * what is on its drafts. Where Stripe has put an item is read there, never assumed. `again`: looking
 * taught us something (an invoice is final, a draft is known, an item is gone), so the picture is old.
 */
export async function whereItemsAre(deps: LookDeps, picture: Picture): Promise<Standing[] | 'again'> {
  if ((await findDrafts(deps, picture)) || (await findStopped(deps, picture))) return 'again'
  const placed = picture.items.filter(({ state }) => state === 'placed')
  const drafts = new Set(
    [
      ...picture.invoices.filter(({ finalizedAt }) => finalizedAt === null),
      ...placed,
      ...picture.invoices.map(({ stoppedDraft }) => ({ providerInvoiceId: stoppedDraft })),
    ].flatMap(({ providerInvoiceId }) => (providerInvoiceId === null ? [] : [providerInvoiceId])),
  )
  const observation = await nextObservation(deps.db)
  const items: ObservedItem[] = await listPending(deps, picture)
  for (const draft of drafts) {
    const onDraft = await readDraft(deps, draft)
    if (onDraft === 'gone' && picture.invoices.some((invoice) => invoice.providerInvoiceId === draft)) {
      return 'again'
    }
    if (onDraft !== 'gone') items.push(...onDraft)
  }
  await noteOthers(deps, picture, { items, drafts, observation })

  const seen = new Set(items.map(({ providerId }) => providerId))
  let learned = false
  for (const row of placed) {
    if (row.providerItemId === null || seen.has(row.providerItemId)) continue
    const moved = await follow(deps, row, row.providerItemId)
    learned ||= moved === 'learned'
    if (moved === 'learned') continue
    // The other items that Stripe took are on the same draft.
    for (const item of moved) if (!seen.has(item.providerId)) items.push(item)
    for (const { providerId } of moved) seen.add(providerId)
  }
  return learned ? 'again' : standingItems(items, deps.provider.instance, picture)
}

/** A period is over, and Stripe's draft of it is not known: we were away, or its event is still on the way. */
async function findDrafts(deps: LookDeps, picture: Picture): Promise<boolean> {
  const { invoices, provider, subscription, isOver, now } = picture
  const unmatched = invoices.filter(
    ({ status, providerInvoiceId }) => status === 'closing' && providerInvoiceId === null,
  )
  if (unmatched.length === 0) return false
  if (await refreshInvoices(deps, { subscription: provider.subscription })) return true
  if (isOver) return false
  // It was never going to come: what is left of the period goes onto the next invoice.
  const isInside = (end: Instant) =>
    subscription.currentPeriodStart < end && end < subscription.currentPeriodEnd
  const lost = unmatched.filter(({ periodEnd }) =>
    isInside(periodEnd)
      ? now >= periodEnd + USAGE_INVOICE_WITHIN_SECONDS
      : now > periodEnd + NO_INVOICE_AFTER_SECONDS,
  )
  return concludePeriods(deps.db, lost, 'carriedOver', now)
}

/** The end of a subscription stops its drafts, and what tells of that, or of what became of them, may still be on its way. */
async function findStopped(deps: LookDeps, { invoices, isOver }: Picture): Promise<boolean> {
  if (!isOver) return false
  let learned = false
  for (const { id, planVersionId, providerInvoiceId, finalizedAt, stoppedDraft } of invoices) {
    if (stoppedDraft !== null && (await isFinal(deps, stoppedDraft))) {
      await forgetStoppedDraft(deps.db, id, stoppedDraft)
      learned = true
    }
    if (planVersionId === null || providerInvoiceId === null || finalizedAt !== null) continue
    await lookAt(deps, { type: 'invoice', id: providerInvoiceId })
    const now = await readInvoiceRow(deps.db, id)
    learned ||= now?.providerInvoiceId !== providerInvoiceId || now.finalizedAt !== null
  }
  return learned
}

/** Somebody finalized it after all, and what stood on it is billed: nothing can be taken off it any more. */
async function isFinal(deps: LookDeps, stoppedDraft: string): Promise<boolean> {
  await lookAt(deps, { type: 'invoice', id: stoppedDraft })
  const known = await linkedInvoice(deps.db, stoppedDraft)
  return known !== undefined && isFrozen(known.status)
}

async function readDraft(deps: LookDeps, draft: string): Promise<ObservedItem[] | 'gone'> {
  try {
    return await listOnDraft(deps, draft)
  } catch (error) {
    if (!isAbsent(error)) throw error
    await lookAt(deps, { type: 'invoice', id: draft })
    return 'gone'
  }
}

/** An item that is not where it was: on another draft, billed, or gone. */
async function follow(deps: LookDeps, row: ItemRow, id: string): Promise<ObservedItem[] | 'learned'> {
  if (await isBilled(deps, id)) return 'learned'
  const item = await findItem(deps, id).catch((error: unknown) => {
    if (isAbsent(error)) return undefined
    throw error
  })
  if (!item) {
    await forgetItem(deps.db, row)
    return 'learned'
  }
  if (item.invoice === null) return [item]
  const look = await lookAt(deps, { type: 'invoice', id: item.invoice })
  if (look.kind === 'gone' || (await isBilled(deps, id))) return 'learned'
  return listOnDraft(deps, item.invoice)
}

/** An invoice that was looked at for another item has told of this one too. */
async function isBilled({ db }: LookDeps, providerItemId: string): Promise<boolean> {
  const row = await db
    .selectFrom('invoiceItem')
    .select('state')
    .where('providerItemId', '=', providerItemId)
    .executeTakeFirst()
  return row?.state === 'billed'
}

/** Stripe says 404 for what is named in the path, and 400 for what is named in a parameter. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof Problem)) return false
  const { cause } = error
  return isMissing(cause) || (cause instanceof Error && 'code' in cause && cause.code === 'resource_missing')
}
