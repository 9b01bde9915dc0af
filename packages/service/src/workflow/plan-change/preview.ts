import { createHash } from 'node:crypto'
import { amountOfTerms } from '@lockstep/core/agreed-terms'
import { amend } from '@lockstep/core/contract-amendment'
import { flowsOut } from '@lockstep/core/direction'
import type { Instant } from '@lockstep/core/instant'
import { type Money, negate, zero } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import { boundsCross } from '@lockstep/core/price'
import { withOwnPrices } from '@lockstep/core/price-override'
import type { Db } from '../../postgres/connect.ts'
import { fromStripeAmount } from '../../provider/stripe/amount.ts'
import { pricing, repricing, wording } from '../../provider/stripe/item-params.ts'
import { previewInPlaceOf } from '../../provider/stripe/scheduled-changes.ts'
import {
  type PreviewItem,
  previewChange,
  previewRenewal,
} from '../../provider/stripe/subscription-changes.ts'
import { toInvoice } from '../../provider/stripe/to-invoice.ts'
import { attachedOf, soldOf } from '../../store/addons.ts'
import { overridesOf } from '../../store/price-overrides.ts'
import type { LookDeps } from '../look.ts'
import type { Standing } from '../sync/at-stripe.ts'
import { planSync } from '../sync-invoice.ts'
import { agreementInForce, changedAgreement } from './agreed-terms.ts'
import { stoodAs } from './changed-meanwhile.ts'
import { type DecideOptions, type Decision, decideChange, linkedSubscription } from './decide.ts'
import { refuseUnusableMethod } from './named-method.ts'
import { type Opinion, secondOpinion } from './second-opinion.ts'
import { lookAtBoth } from './standing.ts'
import { signPreview } from './token.ts'
import { type ChangeWish, hashOfWish } from './wish.ts'

export interface PreviewLine {
  readonly description: string
  readonly period: Period
  readonly quantity: number | null
  readonly amount: Money
  /** Credit for unused time, or a charge for what is left of a period. */
  readonly isProration: boolean
}

export interface PreviewInvoice {
  readonly at: Instant
  readonly lines: readonly PreviewLine[]
  readonly subtotal: Money
  readonly total: Money
  /** What is charged, after the customer's balance. */
  readonly amountDue: Money
  /** Of a negative total: what is put on the customer's balance. */
  readonly credited: Money
}

/** What a wish comes to, before anything is done. */
export interface ChangePreview {
  readonly decision: Decision
  readonly takesEffectAt: Instant
  /** The invoice that is made and collected at once; null where there is none. */
  readonly dueNow: PreviewInvoice | null
  /** The renewal after it, where it can be said; null where the provider cannot say yet. */
  readonly nextInvoice: PreviewInvoice | null
  /** Of one period on the new terms, before discounts and tax. */
  readonly recurring: Money
  /** What becomes different in the contract, a sentence each. */
  readonly contractChanges: readonly string[]
  readonly warnings: readonly string[]
  readonly secondOpinion: Opinion
  readonly token: string
  readonly expiresAt: Instant
}

/** A customer who thinks it over for longer is shown anew. */
const VALID_SECONDS = 3600

export interface PreviewDeps extends LookDeps {
  readonly secrets: readonly string[]
}

/**
 * Says what would be done: the provider's own computation with the date pinned that the deed will name.
 * Looks at the subscription and at who pays first, so that what is shown is what is so.
 */
export async function previewWish(
  deps: PreviewDeps,
  subscriptionId: string,
  wish: ChangeWish,
  options: DecideOptions,
): Promise<ChangePreview> {
  await lookAtBoth(deps, await linkedSubscription(deps, subscriptionId))
  const decision = await decideChange(deps, subscriptionId, wish, options)
  if (wish.paymentMethod !== undefined)
    await refuseUnusableMethod(deps, decision.customer, wish.paymentMethod)
  return previewDecision(deps, wish, decision)
}

async function previewDecision(
  deps: PreviewDeps,
  wish: ChangeWish,
  decision: Decision,
): Promise<ChangePreview> {
  const { subscription, standing, to, quantity, addons, itemNumbers } = decision
  const { takesEffect, at, prorationDate } = decision
  const { dueNow, nextInvoice } = await invoicesOf(deps, decision)
  const expiresAt = at + VALID_SECONDS
  const promise = {
    subscription: subscription.id,
    wish: hashOfWish(wish),
    prorationDate,
    fingerprint: fingerprintOf(decision),
    expiresAt,
  }
  const opinion = await secondOpinion(deps, decision, dueNow)
  if (opinion.kind === 'differs')
    deps.log.error(
      { subscription: subscription.id, ours: opinion.total, provider: `${dueNow?.total.minor}` },
      'The provider computes another amount for a change than we do.',
    )
  return {
    decision,
    takesEffectAt: takesEffect === 'now' ? at : standing.period.end,
    dueNow,
    nextInvoice,
    recurring: amountOfTerms({ plan: to.plan, quantity, addons: addons.map(soldOf), itemNumbers }),
    contractChanges: await contractChanges(deps, decision),
    warnings: [
      ...warningsOf(decision),
      ...runningWarnings(wish, decision),
      ...(await ownPriceWarnings(deps.db, decision)),
    ],
    secondOpinion: opinion,
    token: signPreview(promise, deps.secrets),
    expiresAt,
  }
}

/** Equal as long as the same wish comes to the same. */
export function fingerprintOf(decision: Decision): string {
  const { subscription, standing, from, to, quantity, scheduled } = decision
  const { direction, takesEffect, startsPeriod, needsPaymentPage } = decision
  const { status, cancelAt } = subscription
  const basis = [
    ...[status, cancelAt, subscription.quantity, from.id, to.id, quantity, scheduled?.id],
    ...[direction, takesEffect, startsPeriod, needsPaymentPage],
    ...[subscription.addons, decision.addons.map(attachedOf)],
    ...[standing.items, standing.discounts, standing.isTaxed, standing.period, standing.trialEnd],
    ...[decision.payerDiscount, billsNow(decision) && decision.payerBalance],
  ]
  return createHash('sha256').update(JSON.stringify(basis)).digest('base64url')
}

async function invoicesOf(deps: LookDeps, decision: Decision) {
  const { subscription, standing, isNewTerms, takesEffect, items, to, from } = decision
  const none = { dueNow: null, nextInvoice: null }
  if (!isNewTerms) return none
  const providerSubscription = subscription.providerId
  if (takesEffect === 'periodEnd') {
    // Of periods of another length the provider knows the first only when it begins.
    const sameRhythm =
      to.plan.interval === from.plan.interval && to.plan.intervalCount === from.plan.intervalCount
    if (!sameRhythm) return none
    const renewal = await (standing.schedule === null
      ? previewRenewal(deps, { providerSubscription, items })
      : previewInPlaceOf(deps, toSchedule(decision), standing.schedule))
    return { dueNow: null, nextInvoice: invoiceOf(renewal) }
  }
  const told = decision.startsPeriod ? await toldBefore(deps, subscription.id) : []
  const invoice = invoiceOf(await previewChange(deps, { ...decision, providerSubscription }, told))
  return billsNow(decision) ? { dueNow: invoice, nextInvoice: null } : { dueNow: null, nextInvoice: invoice }
}

/** What the provider is going to be told of a change to the same rhythm. */
function toSchedule({ subscription, standing, wanted, items, to }: Decision) {
  return {
    providerSubscription: subscription.providerId,
    ...{ items: wanted, changes: items, stood: stoodAs(subscription, standing).items },
    at: standing.period.end,
    ...{ interval: to.plan.interval, intervalCount: to.plan.intervalCount, changesRhythm: false },
  }
}

/**
 * A trial that goes on bills nothing: what the provider shows then is the first invoice after it. Nor does a coupon alone,
 * or what waits for the end of the period.
 */
function billsNow({ subscription, takesEffect, items, trialEnd }: Decision): boolean {
  if (takesEffect === 'periodEnd') return false
  return (items.length > 0 && subscription.status !== 'trialing') || trialEnd === 'now'
}

/** What the change tells the provider of the period that it ends, before it bills what is pending. */
async function toldBefore(deps: LookDeps, subscriptionId: string): Promise<PreviewItem[]> {
  if (!flowsOut(deps.provider.sync.directions.invoice)) return []
  const plan = await planSync(deps, subscriptionId, { endsPeriod: true })
  if (!plan) return []
  const isPending = ({ invoice }: Standing) => invoice === null
  return [
    ...plan.create
      .filter(({ destination }) => destination === 'subscription')
      .map(({ item }) => ({ ...pricing(item), ...wording(item) })),
    ...plan.update
      .filter(({ existing }) => isPending(existing))
      .map(({ existing, wanted: { item } }) => ({
        ...{ invoiceitem: existing.providerId, ...repricing(item), ...wording(item) },
      })),
    // A preview cannot leave an item out.
    ...plan.remove.filter(isPending).map(({ providerId }) => ({ invoiceitem: providerId, amount: 0 })),
  ]
}

export function invoiceOf(invoice: Parameters<typeof toInvoice>[0]): PreviewInvoice {
  const { lines, subtotal, total, amountDue, period, currency } = toInvoice(invoice)
  const nothing = zero(currency)
  const ending = fromStripeAmount(invoice.total, currency)
  return {
    // Of a renewal the moment at which it is made; its payment is tried an hour later.
    at: period.end,
    lines: lines.map((line) => ({
      description: line.description ?? '',
      period: line.period,
      quantity: line.quantity,
      amount: line.amount,
      isProration: line.isProration,
    })),
    ...{ subtotal, total, amountDue },
    credited: ending.minor < 0n ? negate(ending) : nothing,
  }
}

async function contractChanges(
  { db }: LookDeps,
  { subscription, to, quantity, addons, itemNumbers, coupons, withoutCoupons, at, isNewTerms }: Decision,
): Promise<readonly string[]> {
  const inForce = isNewTerms ? await agreementInForce(db, subscription.id) : undefined
  if (!inForce) return []
  const terms = {
    ...{ subscriptionId: subscription.id, version: to, quantity, addons, itemNumbers },
    ...{ coupons, withoutCoupons, at },
  }
  const changed = await changedAgreement(db, inForce.agreement, terms)
  return amend(inForce.agreement, changed).changes
}

/** Where a bound of the subscription's own does not go with the other one of the new plan. */
async function ownPriceWarnings(db: Db, { subscription, from, to }: Decision): Promise<string[]> {
  if (from.id === to.id) return []
  const overrides = await overridesOf(db, [subscription.id])
  if (!boundsCross(withOwnPrices(to.plan.prices, overrides, Number.POSITIVE_INFINITY))) return []
  const warning = `With the prices of this subscription's own the least that usage costs on ${to.plan.name} is more than the most: no more than the most is billed.`
  return [warning]
}

/** A coupon is had once, however often it is given. */
function runningWarnings({ coupons = [] }: ChangeWish, decision: Decision): string[] {
  return coupons
    .filter((key) => !decision.coupons.includes(key))
    .map((key) => `The coupon ${key} runs already: it is not redeemed once more.`)
}

/** What cannot be undone later. */
function warningsOf({ from, to, fromAddons, addons }: Decision): string[] {
  const left = fromAddons.filter(({ version }) => !addons.some((kept) => kept.version.id === version.id))
  return [...(from.id === to.id ? [] : [from.plan]), ...left.map(({ version }) => version.addon)]
    .filter(({ audience }) => audience === 'legacy')
    .map(({ name }) => `${name} is no longer sold: who leaves it cannot come back to it.`)
}
