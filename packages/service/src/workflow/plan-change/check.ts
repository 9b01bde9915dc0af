import type { Instant } from '@lockstep/core/instant'
import type { Customer } from '../../store/customers.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { metersBilledElsewhere, type Subscription } from '../../store/subscriptions.ts'
import { couponFaults, couponsOf } from '../check-coupons.ts'
import {
  comesByNumber,
  planFault,
  planFaults,
  publicationFaults,
  quantityFaults,
} from '../check-registration.ts'
import { fault } from '../coded-fault.ts'
import type { LookDeps } from '../look.ts'
import { providerPrices } from '../provider-prices.ts'
import { notOffered } from '../purchase/not-offered.ts'
import type { CodedFault } from '../purchase/strategy.ts'
import { couponsAgreed, couponsEverHad } from './discounts.ts'
import type { ChangeWish } from './wish.ts'

interface ToCheck {
  readonly subscription: Subscription
  readonly customer: Customer
  readonly from: PlanVersion
  /** Undefined where there is no such plan. */
  readonly chosen: (PlanVersion & { readonly isArchived?: boolean }) | undefined
  readonly wish: ChangeWish
  readonly mayGivePlans: boolean
  /** What is wrong with the add-ons. */
  readonly ofAddons: readonly CodedFault[]
  readonly at: Instant
}

/** Everything that is wrong with a wish, at once, each by its place in the request. */
export async function changeFaults(deps: LookDeps, check: ToCheck): Promise<CodedFault[]> {
  const { chosen, from, wish, customer } = check
  const isOther = chosen !== undefined && chosen.id !== from.id
  const plan = isOther && !chosen.isArchived ? await otherPlanFaults(deps, check, chosen) : []
  return [
    ...(chosen && !chosen.isArchived ? plan : [planFault(wish.plan)]),
    ...(chosen ? numberFaults(check, chosen, isOther) : []),
    ...check.ofAddons,
    ...(chosen ? await couponFaults(deps, {}, await couponsOf(deps.db, wish), chosen, customer) : []),
    ...(await redeemedFaults(deps, check)),
    ...(await takenFaults(deps, check)),
    ...paymentFaults(wish),
    ...trialFaults(check),
  ]
}

/**
 * What stands is asked about only where it is to be the number of another plan. Who leaves seats for a plan that is had once
 * has it once; several of a plan that is had once are a deed of the dashboard's, and whether they were meant is to be said.
 */
function numberFaults(
  { wish, from, subscription }: ToCheck,
  chosen: PlanVersion,
  isOther: boolean,
): CodedFault[] {
  const leavesSeats = comesByNumber(from) && !comesByNumber(chosen)
  const quantity = wish.quantity ?? (isOther && !leavesSeats ? subscription.quantity : undefined)
  if (quantity === undefined || (!isOther && providerPrices(chosen).length === 0)) return []
  if (quantity > 0 || !comesByNumber(chosen)) return [...quantityFaults(chosen, { quantity })]
  const detail = `There are none of it at the provider, so how many of ${chosen.plan.key} is to be said.`
  return [fault('quantity_invalid', '#/quantity', detail)]
}

async function otherPlanFaults(deps: LookDeps, check: ToCheck, chosen: PlanVersion): Promise<CodedFault[]> {
  const { subscription, customer, from, mayGivePlans } = check
  const { key, purchase } = chosen.plan
  const isCourse = purchase !== 'membership' || from.plan.purchase !== 'membership'
  const [meter] = await metersBilledElsewhere(deps.db, {
    customerId: customer.id,
    subscriptionId: subscription.id,
    planVersionId: chosen.id,
  })
  return [
    ...planFaults(chosen, {}, mayGivePlans, customer),
    ...(await publicationFaults(deps.db, chosen)),
    ...(isCourse
      ? [{ ...notOffered(`A ${from.plan.purchase} does not become a ${purchase}.`), pointer: '#/plan' }]
      : []),
    ...(meter === undefined
      ? []
      : [
          fault(
            'meter_billed_already',
            '#/plan',
            `Another live subscription bills ${meter} already: ${key} would too.`,
          ),
        ]),
  ]
}

/** A coupon is for once: asked again and again it would never end. An administrator may give it anew. */
async function redeemedFaults(
  { db }: LookDeps,
  { subscription, wish: { coupons = [] }, mayGivePlans }: ToCheck,
): Promise<CodedFault[]> {
  if (coupons.length === 0 || mayGivePlans) return []
  const redeemed = await couponsAgreed(db, subscription.id)
  return coupons.flatMap((key, index): CodedFault[] =>
    redeemed.has(key)
      ? [fault('coupon_expired', `#/coupons/${index}`, `The coupon ${key} was redeemed for it before.`)]
      : [],
  )
}

/** What it never had it cannot lose, whoever else has it: there is no such coupon for it. */
async function takenFaults(
  { db }: LookDeps,
  { subscription, wish: { coupons = [], withoutCoupons = [] } }: ToCheck,
): Promise<CodedFault[]> {
  if (withoutCoupons.length === 0) return []
  const had = await couponsEverHad(db, subscription)
  return withoutCoupons.flatMap((key, index): CodedFault[] => {
    const pointer = `#/withoutCoupons/${index}`
    if (!had.has(key)) return [fault('coupon_unknown', pointer, `There is no coupon ${key} on it.`)]
    if (!coupons.includes(key)) return []
    return [fault('invalid_request', pointer, `The coupon ${key} is either redeemed or taken off.`)]
  })
}

function* paymentFaults({ paymentMethod, paymentPage }: ChangeWish): Generator<CodedFault> {
  if (paymentMethod !== undefined && paymentPage !== undefined) {
    const detail = 'Either a payment method is there, or the customer leaves one on a page.'
    yield fault('invalid_request', '#/paymentPage', detail)
  }
}

function* trialFaults({ subscription: { status }, wish, at }: ToCheck): Generator<CodedFault> {
  const { trial, trialEnd } = wish
  if (trial !== undefined && trialEnd !== undefined)
    yield fault('invalid_request', '#/trialEnd', 'Either the trial ends now, or at another time.')
  const pointer = trial === undefined ? '#/trialEnd' : '#/trial'
  if ((trial !== undefined || trialEnd !== undefined) && status !== 'trialing')
    yield fault('invalid_request', pointer, 'There is no trial that runs.')
  if (trialEnd !== undefined && trialEnd <= at)
    yield fault('invalid_request', '#/trialEnd', 'A trial ends in the future; `trial: end` ends it now.')
}
