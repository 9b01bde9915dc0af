import { areSameAddons } from '@lockstep/core/addon'
import { amountOfTerms, type Terms } from '@lockstep/core/agreed-terms'
import type { Instant } from '@lockstep/core/instant'
import type { ItemNumbers } from '@lockstep/core/item-numbers'
import { mayChangePlan, mayGiveBack, type PlanChange, planChange } from '@lockstep/core/plan-change'
import { Problem } from '@lockstep/core/problem'
import { isTerminal } from '@lockstep/core/subscription'
import type { Db, Trx } from '../../postgres/connect.ts'
import { inOnePacket } from '../../postgres/packet.ts'
import type { CreditedTime } from '../../provider/stripe/paid-time.ts'
import type { DiscountParam, ItemChange, WantedItem } from '../../provider/stripe/subscription-changes.ts'
import { type Attached, loadAttached, soldOf } from '../../store/addons.ts'
import { readChangePolicy } from '../../store/change-policy.ts'
import { type Customer, readCustomer } from '../../store/customers.ts'
import {
  type PlanChange as Recorded,
  readMadeBySchedule,
  readScheduledChange,
} from '../../store/plan-changes.ts'
import { loadPlanVersion, type PlanVersion, readNewestPlan } from '../../store/plans.ts'
import { readLinked, type SeenObject } from '../../store/provider-objects.ts'
import { isChangedElsewhere } from '../../store/subscription-history.ts'
import { listSubscriptions, readSubscription, type Subscription } from '../../store/subscriptions.ts'
import { wantedAddons } from '../check-addons.ts'
import { comesByNumber } from '../check-registration.ts'
import type { LookDeps } from '../look.ts'
import { providerPrices } from '../provider-prices.ts'
import { changeFaults } from './check.ts'
import { changedDiscounts, couponsAgreed } from './discounts.ts'
import { itemsWanted } from './items-wanted.ts'
import { hasPaymentMethod, payerBalance, payerDiscount, readStanding, type Standing } from './standing.ts'
import { refuseUnpaidTime } from './unpaid-time.ts'
import { type ChangeWish, changesTerms, namesCoupons } from './wish.ts'

/** What is to be done about a wish: a value that is shown, signed, recorded and carried out. */
export interface Decision extends PlanChange {
  readonly subscription: Subscription & { readonly providerId: string }
  readonly customer: Customer & { readonly providerId: string }
  readonly standing: Standing
  readonly from: PlanVersion
  readonly to: PlanVersion
  readonly quantity: number
  readonly fromAddons: readonly Attached[]
  readonly addons: readonly Attached[]
  /** How many of a price stand there then, where that is not what the quantity says. */
  readonly itemNumbers: ItemNumbers
  /** Plan, number, add-ons, coupons or trial become others. */
  readonly isNewTerms: boolean
  readonly wanted: readonly WantedItem[]
  readonly items: readonly ItemChange[]
  /** Of those that are wished for, the ones to redeem: what runs already is had as it is. */
  readonly coupons: readonly string[]
  /** Of these, the ones that were agreed on before. */
  readonly agreedBefore: readonly string[]
  /** Of those that are not to run any more, the ones that do. */
  readonly withoutCoupons: readonly string[]
  readonly discounts: readonly DiscountParam[] | null
  readonly payerDiscount: string | null
  readonly payerBalance: number
  readonly trialEnd: Instant | 'now' | null
  /** What is planned for the end of the period, and does not come then. */
  readonly scheduled: Recorded | undefined
  /** The provider's schedule of a change that took effect, which would make it once more. */
  readonly leftSchedule: string | null
  readonly needsPaymentPage: boolean
  /** In the customer's own time, inside the period that runs. */
  readonly prorationDate: Instant
  /** What is given back for time ahead that was paid for; null where nothing is. */
  readonly credits: CreditedTime | null
  /** Now, in the customer's own time. */
  readonly at: Instant
}

export interface DecideOptions {
  readonly mayGivePlans: boolean
  /** Of a preview: prorations as of then. */
  readonly prorationDate?: Instant | undefined
  /** As it was read a moment ago. */
  readonly asRead?: Subscription | undefined
}

/**
 * Decides what a wish comes to: everything that can be known to be wrong is said at once, and nothing is
 * changed. The preview and the deed are both made of it.
 */
export async function decideChange(
  deps: LookDeps,
  subscriptionId: string,
  wish: ChangeWish,
  { mayGivePlans, prorationDate, asRead }: DecideOptions,
): Promise<Decision> {
  const { db, clock } = deps
  const subscription = asRead ? linked(asRead) : await linkedSubscription(deps, subscriptionId)
  const at = subscription.frozenAt ?? clock.now()
  await refuseOver(deps, subscription, wish)
  const [customer, from, fromAddons, scheduled, policy, seen, payerSeen, isElsewhere] = await inOnePacket(
    db,
    (db) =>
      Promise.all([
        payer(db, subscription),
        loadPlanVersion(db, subscription.planVersionId),
        loadAttached(db, subscription.addons),
        subscription.scheduledId === null ? undefined : readScheduledChange(db, subscriptionId),
        readChangePolicy(db),
        readLinked(db, 'subscription', subscriptionId),
        readLinked(db, 'customer', subscription.customerId),
        isChangedElsewhere(db, subscriptionId),
      ]),
  )
  const isOther = wish.plan !== undefined && wish.plan !== subscription.planKey
  const chosen = isOther ? await readNewestPlan(db, wish.plan ?? '') : from
  const hasNumber = !isOther || (chosen !== undefined && comesByNumber(chosen))
  const quantity = wish.quantity ?? (hasNumber ? subscription.quantity : 1)
  const { addons, faults: ofAddons } = await wantedAddons(db, {
    ...{ attached: fromAddons, wanted: wish.addons ?? [] },
    ...{ plan: chosen, isOtherPlan: isOther, isGiven: mayGivePlans },
  })
  const toCheck = { subscription, customer, from, chosen, wish, mayGivePlans, ofAddons, at }
  const faults = await changeFaults(deps, toCheck)
  const [first] = faults
  if (first) {
    const more = faults.length > 1 ? ` And ${faults.length - 1} more.` : ''
    throw new Problem(first.code, `${first.detail}${more}`, { faults })
  }
  if (!chosen) throw new Error('A plan that does not exist is a fault.')

  const standing = await readStanding(deps, subscription.providerId, seen)
  const stood = {
    ...{ id: subscriptionId, items: standing.items, version: from, addons: fromAddons },
    itemNumbers: subscription.itemNumbers,
  }
  const toBe = { version: chosen, quantity, addons, wishedQuantity: wish.quantity }
  const { own, priced, wanted, itemNumbers, ...told } = await itemsWanted(db, deps.provider, stood, toBe)
  const isOfItems = isOther || wish.quantity !== undefined || wish.addons !== undefined
  if (isOfItems && own.undecided !== undefined)
    throw new Problem('subscription_not_changeable', own.undecided)
  refuseTwice(priced, chosen)
  if (isOther && providerPrices(chosen).length === 0) {
    const detail = `What ${chosen.plan.key} costs is known at Stripe alone: change it there.`
    throw new Problem('subscription_not_changeable', detail)
  }
  const items = isOfItems ? told.items : []
  const trialEnd = wish.trial === 'end' ? 'now' : (wish.trialEnd ?? null)
  const { discounts, coupons, withoutCoupons } = await changedDiscounts(db, standing, wish, at)
  const agreed = coupons.length > 0 ? await couponsAgreed(db, subscriptionId) : new Set<string>()
  const agreedBefore = coupons.filter((key) => agreed.has(key))
  const isNewTerms = items.length > 0 || discounts !== null || trialEnd !== null
  const withdraws = wish.withdraw === true || wish.plan !== undefined || wish.quantity !== undefined
  const withdrawn = withdraws ? scheduled : undefined
  if (
    !isNewTerms &&
    !withdrawn &&
    !namesCoupons(wish) &&
    !paysOtherwise(wish) &&
    !isNewProfile(wish, customer)
  )
    throw new Problem('empty_change', 'Nothing of what is asked for is different from what is so.')
  if ((isNewTerms || withdrawn) && scheduled?.origin === 'provider') {
    const detail = `${scheduled.id} was planned at the payment provider: have its schedule released there first.`
    throw new Problem('subscription_not_changeable', detail)
  }
  if (isNewTerms) refuseAsItStands(subscription, withdraws ? undefined : scheduled)
  const leftSchedule =
    isNewTerms && !scheduled ? await leftScheduleOf(db, subscriptionId, standing, at) : null
  if (isNewTerms && withdrawn && wish.addons === undefined) refuseUnsaid(subscription, withdrawn)

  const terms = { plan: chosen.plan, quantity, addons: addons.map(soldOf), itemNumbers }
  const former = {
    ...{ plan: from.plan, quantity: subscription.quantity, addons: fromAddons.map(soldOf) },
    itemNumbers: subscription.itemNumbers,
  }
  const change = planChange(former, terms, {
    ...{ policy, status: subscription.status, endsTrial: trialEnd === 'now', when: wish.when },
  })
  const isBilledNow = subscription.status === 'trialing' ? trialEnd === 'now' : items.length > 0
  if (change.takesEffect === 'now' && isBilledNow) refuseUncollected(subscription)
  if (change.takesEffect === 'periodEnd' && discounts !== null) {
    const detail = 'Coupons are redeemed, and taken off, by a change that takes effect now.'
    const pointer = coupons.length > 0 ? '#/coupons' : '#/withoutCoupons'
    throw new Problem('invalid_request', detail, { faults: [{ pointer, code: 'invalid', detail }] })
  }
  const isToPay = items.length > 0 || trialEnd === 'now'
  const question = { wish, customer, standing, change, terms, payerSeen, isToPay }
  const needsPaymentPage = await needsPage(deps, question)
  const { start, end } = standing.period
  const decision: Decision = {
    credits: null,
    ...change,
    ...{ subscription, customer, standing, from, to: chosen, quantity, fromAddons, addons },
    ...{ itemNumbers, isNewTerms },
    ...{ wanted, items, coupons, agreedBefore, withoutCoupons, discounts, trialEnd, needsPaymentPage, at },
    ...{ scheduled: withdrawn, leftSchedule, payerDiscount: payerDiscount(payerSeen) },
    payerBalance: payerBalance(payerSeen),
    prorationDate: prorationDate ?? Math.max(start, Math.min(at, end)),
  }
  if (change.takesEffect === 'now' && isBilledNow && subscription.status !== 'trialing') {
    const isDiscounted = standing.isDiscounted || coupons.length > 0 || decision.payerDiscount !== null
    // What somebody changes at the provider may be billed there otherwise than it stands, or not at all.
    const isFeeKnown = own.byProduct === undefined && !isElsewhere
    if (mayGiveBack(former, terms, { isDiscounted, isFeeKnown }))
      return { ...decision, credits: await refuseUnpaidTime(deps, decision) }
  }
  return decision

  function isNewProfile({ email, name }: ChangeWish, payer: Customer): boolean {
    return (email !== undefined && email !== payer.email) || (name !== undefined && name !== payer.name)
  }
}

/** What has ended is not judged any further: whatever else is wrong could be put right in vain. */
async function refuseOver(
  { db, clock }: LookDeps,
  { id, status, customerId }: Subscription,
  wish: ChangeWish,
): Promise<void> {
  if (!isTerminal(status) || !(changesTerms(wish) || paysOtherwise(wish))) return
  const all = await listSubscriptions(db, { customer: customerId, now: clock.now(), limit: 100 })
  const runs = all.find((other) => !isTerminal(other.status))
  const instead = runs
    ? `Change ${runs.id}, which this customer has now.`
    : `POST /v1/subscriptions/${id}/reactivate begins a new one in its place.`
  throw new Problem('subscription_over', `${id} is ${status} and stays so. ${instead}`)
}

/** What came in as an add-on of a product may be wanted as its plan: Stripe has a price on a subscription once. */
function refuseTwice(wanted: readonly WantedItem[], { plan }: PlanVersion): void {
  if (new Set(wanted.map(({ providerPrice }) => providerPrice)).size === wanted.length) return
  const detail = `A price of ${plan.key} stands on it as an add-on already: detach that first.`
  throw new Problem('subscription_not_changeable', detail)
}

/** One that the provider has, too. */
export async function linkedSubscription({ db }: LookDeps, id: string) {
  const subscription = await readSubscription(db, id)
  if (!subscription) throw new Problem('subscription_not_found', `There is no subscription ${id}.`)
  return linked(subscription)
}

function linked(subscription: Subscription) {
  const { id, providerId } = subscription
  if (providerId === null) throw new Error(`${id} is not linked to the provider.`)
  return { ...subscription, providerId }
}

async function payer(db: Db | Trx, { customerId }: Subscription) {
  const customer = await readCustomer(db, customerId)
  const providerId = customer?.providerId ?? null
  if (!customer || providerId === null) throw new Error(`${customerId} is not linked to the provider.`)
  return { ...customer, providerId }
}

const paysOtherwise = ({ paymentMethod, paymentPage }: ChangeWish): boolean =>
  paymentMethod !== undefined || paymentPage !== undefined

function refuseAsItStands({ id, status, cancelAt }: Subscription, planned: Recorded | undefined): void {
  if (!mayChangePlan(status)) {
    const detail = `${id} is ${status}: its plan changes while it is active or in a trial.`
    throw new Problem('subscription_not_changeable', detail)
  }
  if (planned) {
    // Its phases say everything that follows, and know nothing of what is added beside them.
    const detail = `${planned.id} is scheduled for ${id}: name the plan too, or have that given up first.`
    throw new Problem('subscription_not_changeable', detail)
  }
  if (cancelAt !== null)
    throw new Problem('subscription_not_changeable', `${id} is going to end: have that undone first.`)
}

/**
 * A planned change may take effect before it is due, made in the dashboard, and its schedule would make it once more. One of
 * ours is let go, here or because it is due; one of somebody else's stands until it has.
 */
async function leftScheduleOf(
  db: Db,
  subscriptionId: string,
  { schedule }: Standing,
  at: Instant,
): Promise<string | null> {
  const made = schedule === null ? undefined : await readMadeBySchedule(db, subscriptionId, schedule)
  if (made?.origin === 'provider' && made.dueAt !== null && made.dueAt > at) {
    const detail = `${made.id} was planned at the payment provider, and will be made once more: have its schedule released there first.`
    throw new Problem('subscription_not_changeable', detail)
  }
  return made?.origin === 'here' ? schedule : null
}

/** Another change takes the place of one that is scheduled; what that does to add-ons would be given up unnamed. */
function refuseUnsaid({ id, addons }: Subscription, planned: Recorded): void {
  if (areSameAddons(planned.addons, addons)) return
  const detail = `${planned.id} is scheduled for ${id} and changes its add-ons: name them too, or have that given up first.`
  throw new Problem('subscription_not_changeable', detail, {
    faults: [{ pointer: '#/addons', code: 'required', detail }],
  })
}

/**
 * What a change costs is an invoice like any other: while collection is paused it would not be collected, and the
 * change would be had for nothing. https://docs.stripe.com/billing/subscriptions/pause-payment
 */
function refuseUncollected({ id, collection }: Subscription): void {
  if (collection === 'charging') return
  const detail = `Invoices of ${id} are not collected: have that resumed first, or change it when the period is over.`
  throw new Problem('subscription_not_changeable', detail)
}

interface PaymentQuestion {
  readonly wish: ChangeWish
  readonly customer: { readonly id: string; readonly providerId: string }
  readonly standing: Standing
  readonly change: PlanChange
  readonly terms: Terms
  readonly payerSeen: Pick<SeenObject, 'raw'> | undefined
  /** Something else is had than before; a coupon, or a change that is given up, asks for no money. */
  readonly isToPay: boolean
}

/**
 * With a payment method on file the change happens at once. Without one, what is to be paid needs one: the
 * request brings it, or the customer leaves it on a page. Who pays less than before is not asked, nor who is sent invoices.
 */
async function needsPage(deps: LookDeps, question: PaymentQuestion): Promise<boolean> {
  const { wish, customer, standing, change, terms, payerSeen, isToPay } = question
  if (wish.paymentMethod !== undefined) return false
  if (!changesTerms(wish)) return wish.paymentPage !== undefined
  const costs = amountOfTerms(terms).minor > 0n
  if (!costs || standing.isSent || change.direction === 'downgrade') return false
  if (await hasPaymentMethod(deps, customer, standing, payerSeen)) return false
  if (wish.paymentPage) return true
  if (!isToPay) return false
  const detail = `${terms.plan.key} is paid for, and the customer has no payment method: ask for a payment page.`
  throw new Problem('payment_method_required', detail, {
    faults: [{ pointer: '#/paymentPage', code: 'payment_method_required', detail }],
  })
}
