import { type Cancellation, checkCancellation } from '@lockstep/core/cancellation'
import type { Instant } from '@lockstep/core/instant'
import { isWorthSending } from '@lockstep/core/invoice'
import { type Money, sum } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import { discountsLeft } from '@lockstep/core/standing-discount'
import type { Withheld } from '@lockstep/core/unused-time'
import { describeLine } from '../../invoice/describe.ts'
import { linesToSum } from '../../invoice/lines-to-sum.ts'
import type { LineToBill } from '../../invoice/rate.ts'
import { productsAtProvider, readGiven, sumContext, takenOff } from '../../invoice/sum-context.ts'
import { type InvoiceSums, type ShownDiscount, sumInvoice } from '../../invoice/sums.ts'
import type { Db } from '../../postgres/connect.ts'
import { chargeStep } from '../../provider/stripe/amount.ts'
import { previewUnusedTime } from '../../provider/stripe/unused-time.ts'
import type { InvoiceRow } from '../../store/invoices.ts'
import type { Subscription } from '../../store/subscriptions.ts'
import { knowStandingDiscounts } from '../admit/discounts.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'
import type { Picture } from '../sync/picture.ts'
import { planSync } from '../sync-invoice.ts'
import { toRecord, type Unused } from './give-back.ts'
import { targetOf } from './tell.ts'

export interface PreviewLine {
  readonly description: string
  readonly period: Period
  readonly amount: Money
}

export interface CancellationPreview {
  readonly endsAt: Instant
  readonly usage: readonly PreviewLine[]
  /** What comes off the usage. */
  readonly discounts: readonly Pick<ShownDiscount, 'name' | 'coupon' | 'amount'>[]
  /** Null where it is not known. */
  readonly tax: Money | null
  readonly unusedTime: readonly PreviewLine[]
  /** After discounts and tax. */
  readonly toBill: Money
  readonly toGiveBack: Money
  /** What is unused and stays all the same; nothing where nobody asks for it. */
  readonly withheld: readonly Withheld[]
  /** What is to be given back, as the deed records it; null where nothing is unused. */
  readonly unused: Unused | null
  /** Equal as long as only time goes on: see {@link UnusedTime}. */
  readonly basis: string
  /** The customer's own time of it. */
  readonly at: Instant
}

/**
 * What ending a subscription would bill and give back: reckoned as the deed reckons it, and nothing written. What was used in the
 * second of an end now is of no period any more.
 */
export async function previewCancellation(
  deps: LookDeps,
  subscription: Subscription,
  wanted: Cancellation,
): Promise<CancellationPreview> {
  const { id, customerId, currency, currentPeriodEnd } = subscription
  const now = await customerTime(deps.db, deps.clock, customerId)
  checkCancellation(subscription, wanted, now)
  await knowStandingDiscounts(deps, id)
  const { when, unusedTime: how } = wanted
  const endsAt = when === 'now' ? now : when === 'periodEnd' ? currentPeriodEnd : when
  const { picture, stopped } = await pictureAt(deps, id, endsAt, when === 'now')
  const left = (picture?.lines ?? []).filter(
    (line) => isWorthSending(line.left) && isLeft(line, picture, stopped),
  )
  const usage = left.map((line) => ({
    ...{ description: describeLine(line), period: line.line.period },
    amount: line.left.amount,
  }))
  const sums = await sumsAt(deps.db, subscription, { billed: left, stopped }, endsAt)
  const { discounts, total: toBill } = sums
  const billed = { at: now, endsAt, usage, discounts, tax: sums.tax.amount, toBill }
  const nothing = sum(currency, [])
  // A trial, and what was never paid, has nothing that the provider could reckon back.
  if (when !== 'now' || subscription.status !== 'active')
    return { ...billed, unusedTime: [], toGiveBack: nothing, withheld: [], unused: null, basis: '' }
  const { providerId } = await targetOf(deps, id)
  const time = await previewUnusedTime(deps, providerId, { currency, how })
  const { lines, parts, withheld, basis } = time
  const amounts = parts.map(({ amount }) => amount)
  const back = { unused: toRecord(time, currency), basis }
  return { ...billed, ...back, unusedTime: lines, toGiveBack: sum(currency, amounts), withheld }
}

interface AtTheEnd {
  readonly picture: Picture | undefined
  /** Drafts that the end comes before: they are never billed. What they have of a discount is left for what is. */
  readonly stopped: readonly InvoiceRow[]
}

/** What there is to bill at an end, and which drafts it stops. One that should be final by now may be held: it is looked at. */
async function pictureAt(
  deps: LookDeps,
  subscriptionId: string,
  endsAt: Instant,
  endsPeriod: boolean,
): Promise<AtTheEnd> {
  const how = endsPeriod ? { endsPeriod } : { promisedUntil: endsAt }
  const take = async () => (await planSync(deps, subscriptionId, how))?.picture
  let picture = await take()
  const overdue = draftsIn(picture).filter(({ finalizesAt }) => finalizesAt <= (picture?.now ?? 0))
  for (const { providerInvoiceId: id } of overdue) await lookAt(deps, { type: 'invoice', id })
  if (overdue.length > 0) picture = await take()
  const now = picture?.now ?? endsAt
  return {
    picture,
    stopped: draftsIn(picture).filter(({ finalizesAt }) => endsAt < Math.max(finalizesAt, now + 1)),
  }
}

type Draft = InvoiceRow & { readonly providerInvoiceId: string; readonly finalizesAt: Instant }

/** The provider's drafts of periods that are to be finalized. */
const draftsIn = (picture: Picture | undefined): Draft[] =>
  (picture?.invoices ?? []).filter(
    (one): one is Draft =>
      one.planVersionId !== null &&
      one.providerInvoiceId !== null &&
      one.finalizesAt !== null &&
      one.finalizedAt === null,
  )

/** What stands on a draft that the end does not stop is billed by that, whenever it is final. */
function isLeft(
  { origin, line, revision }: LineToBill,
  picture: Picture | undefined,
  stopped: readonly InvoiceRow[],
): boolean {
  if (origin.status === 'closing' && origin.providerInvoiceId !== null)
    return stopped.some(({ id }) => id === origin.id)
  const item = picture?.items.find(
    (one) =>
      one.originInvoiceId === origin.id &&
      one.lineKey === line.key &&
      one.revision === revision &&
      one.state === 'placed',
  )
  const onto = item?.providerInvoiceId ?? null
  return onto === null || stopped.some(({ providerInvoiceId }) => providerInvoiceId === onto)
}

interface AtEnd {
  readonly billed: readonly LineToBill[]
  readonly stopped: readonly Pick<InvoiceRow, 'id'>[]
}

/** As the provider sums what is left: by what is taken off at the end, and taxed. */
async function sumsAt(
  db: Db,
  subscription: Subscription,
  { billed, stopped }: AtEnd,
  endsAt: Instant,
): Promise<InvoiceSums> {
  const { id, customerId, currency } = subscription
  const context = await sumContext(db, customerId, [subscription])
  const products = await productsAtProvider(
    db,
    context,
    billed.map(({ line }) => line.product),
  )
  const terms = context.terms.get(id)
  const standing = context.discounts.get(id) ?? { discounts: [], unread: [] }
  const { discounts: whole, hasUnread } = takenOff(standing, endsAt, new Set())
  const given = ((await readGiven(db, [id])).get(id) ?? []).filter(({ invoiceId }) =>
    stopped.every((invoice) => invoice.id !== invoiceId),
  )
  const discounts = discountsLeft(whole, given, chargeStep)
  const on = { billed, held: new Set<LineToBill>(), pending: [], counted: [], fees: [], items: [], products }
  return sumInvoice({
    ...{ currency, terms, hasUnread, taxSeen: context.taxes.get(id) },
    lines: linesToSum(on, terms),
    discounts: discounts
      .filter(({ scope }) => scope !== 'item')
      .map(({ scope: source, ...of }) => ({ ...of, source, item: null })),
  })
}
