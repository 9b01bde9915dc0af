import { recurringAmount, termsThatDiffer } from '@lockstep/core/agreed-terms'
import { Problem, problems } from '@lockstep/core/problem'
import type { Db } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { type Attached, soldOf } from '../store/addons.ts'
import { type CustomerErasure, openErasures } from '../store/customer-erasures.ts'
import { type Customer, findCustomer, readAddress } from '../store/customers.ts'
import { areAllMapped } from '../store/mappings.ts'
import { type PlanVersion, readNewestPlan } from '../store/plans.ts'
import { readSignUp } from '../store/sign-up.ts'
import { readTestClock } from '../store/test-clocks.ts'
import { hadTrial } from '../store/trials.ts'
import { untaxed } from '../tax/none.ts'
import { wantedAddons } from './check-addons.ts'
import { couponFaults, couponsOf, type NamedCoupon, takesAll } from './check-coupons.ts'
import { fault } from './coded-fault.ts'
import { LEFT_PAYS_NOTHING } from './left-methods.ts'
import { providerPrices } from './provider-prices.ts'
import { notOffered } from './purchase/not-offered.ts'
import { findStrategy, purchaseStrategies } from './purchase/strategies.ts'
import type { CodedFault, PurchaseStrategy } from './purchase/strategy.ts'
import { withoutTrial } from './purchase/without-trial.ts'
import type { RegisterDeps } from './register.ts'
import type { Asked, WantedRegistration } from './wanted-registration.ts'

/**
 * Whoever asks may have asked before: who the customer is, and what is asked for after all defaults, is
 * told even when something is wrong. Plan and purchase are null where there are none.
 */
export type Checked = {
  readonly customerId: string | undefined
  readonly slot: string
  readonly plan: string | null
  readonly purchase: string | null
} & (
  | { readonly problem: Problem; readonly version?: never }
  | {
      readonly problem?: never
      readonly version: PlanVersion
      readonly strategy: PurchaseStrategy
      readonly addons: readonly Attached[]
      /** The plan has a trial, and this customer gets none. */
      readonly withoutTrial: boolean
    }
)

/** Everything that can be known to be wrong before anything is recorded, at once. */
export async function checkRegistration(
  deps: Omit<RegisterDeps, 'log'>,
  wanted: WantedRegistration,
  asked: Asked,
): Promise<Checked> {
  const { db, provider, purchases = purchaseStrategies } = deps

  const signUp = wanted.plan === undefined ? await readSignUp(db) : null
  const planKey = wanted.plan ?? signUp?.plan
  const [sold, customer, coupons] = await Promise.all([
    planKey === undefined ? undefined : readNewestPlan(db, planKey),
    findCustomer(db, wanted.externalId),
    couponsOf(db, wanted),
  ])
  const erasures = customer === undefined ? [] : await openErasures(db, customer.id)
  const noTrial = sold !== undefined && (await getsNoTrial(db, wanted, sold, customer))
  const plan = sold && noTrial ? withoutTrial(sold) : sold
  const type = wanted.purchase ?? plan?.plan.purchase
  const strategy = type === undefined ? undefined : findStrategy(purchases, type)
  const isGiven = asked.mayGivePlans || signUp !== null
  const { addons, faults: ofAddons } = await wantedAddons(db, {
    ...{ attached: [], wanted: wanted.addons ?? [], plan: sold },
    ...{ isOtherPlan: false, isGiven: asked.mayGivePlans },
  })
  const faults = [
    ...(strategy || type === undefined ? [] : [purchaseFault(type, purchases)]),
    ...(plan && !plan.isArchived
      ? [
          ...planFaults(plan, wanted, isGiven, customer),
          ...trialFaults(plan, wanted, asked),
          ...(noTrial ? await signUpFaults(db, plan) : []),
          ...(await publicationFaults(db, plan)),
          ...quantityFaults(plan, wanted),
          ...ofAddons,
          ...agreedFaults(plan, wanted, addons),
          ...(await couponFaults(deps, wanted, coupons, plan, customer)),
          ...(strategy ? purchaseFaults(strategy, wanted, plan) : []),
          ...(strategy ? paymentFaults(plan, wanted, customer, strategy, coupons, addons, erasures) : []),
        ]
      : [planFault(planKey)]),
    ...(await clockFaults({ db, provider }, wanted, customer)),
    ...(await taxFaults(deps, wanted, customer)),
  ]
  const slot = wanted.slot ?? (plan && strategy?.slotOf(plan.plan)) ?? 'default'
  const found = { customerId: customer?.id, slot, plan: planKey ?? null, purchase: type ?? null }
  const [first] = faults
  if (first) return { ...found, problem: problemOf(first, faults) }
  if (!plan || !strategy) throw new Error('A plan or a purchase that does not exist is a fault.')
  return { ...found, version: plan, strategy, addons, withoutTrial: noTrial }
}

/** A product is tried once: whoever ends it on the last day and comes back, on another of its plans perhaps, pays. */
async function getsNoTrial(
  db: Db,
  { withoutTrial, trial }: WantedRegistration,
  { plan }: PlanVersion,
  customer: Customer | undefined,
): Promise<boolean> {
  if (plan.trialDays === 0 || trial === 'again') return false
  if (withoutTrial) return true
  return customer !== undefined && (await hadTrial(db, { customerId: customer.id, product: plan.product }))
}

function* trialFaults(
  { plan }: PlanVersion,
  { trial }: WantedRegistration,
  asked: Asked,
): Generator<CodedFault> {
  if (trial === 'again' && !asked.mayGivePlans)
    yield fault('forbidden', '#/trial', `Another trial of ${plan.key} is given by the operator only.`)
}

/** The plan for signing up is there for its trial; without one nothing would end it. */
async function signUpFaults(db: Db, { plan }: PlanVersion): Promise<CodedFault[]> {
  if ((await readSignUp(db))?.plan !== plan.key) return []
  const detail = `This customer had a trial of ${plan.product}, and ${plan.key} is for that alone: name another plan.`
  return [fault('trial_used', '#/plan', detail)]
}

export function planFault(key: string | undefined): CodedFault {
  const detail =
    key === undefined ? 'Name a plan: the catalogue has none for signing up.' : `There is no plan ${key}.`
  return fault('plan_unknown', '#/plan', detail)
}

function purchaseFault(type: string, known: readonly PurchaseStrategy[]): CodedFault {
  const types = known.map((strategy) => strategy.type).join(', ')
  return fault('purchase_unknown', '#/purchase', `There is no purchase ${type}; there are ${types}.`)
}

function* purchaseFaults(
  strategy: PurchaseStrategy,
  wanted: WantedRegistration,
  version: PlanVersion,
): Generator<CodedFault> {
  const { key, purchase } = version.plan
  if (strategy.type === purchase) yield* strategy.check(wanted, version)
  else yield notOffered(`The plan ${key} is bought as ${purchase}, not as ${strategy.type}.`)
}

/**
 * One fault speaks for itself; several are named by the first. What the body names and does not exist is a fault of
 * the body: 404 would say that there is nothing at this address.
 */
function problemOf(first: CodedFault, faults: readonly CodedFault[]): Problem {
  const more = faults.length > 1 ? ` And ${faults.length - 1} more.` : ''
  const code = problems[first.code].status === 404 ? 'invalid_request' : first.code
  return new Problem(code, `${first.detail}${more}`, { faults })
}

export function* planFaults(
  { plan }: PlanVersion,
  wanted: Pick<WantedRegistration, 'currency'>,
  isGiven: boolean,
  customer: Customer | undefined,
): Generator<CodedFault> {
  const { key, audience, currency } = plan
  if (audience === 'legacy') yield fault('plan_not_allowed', '#/plan', `The plan ${key} is no longer sold.`)
  if (audience === 'admin' && !isGiven) {
    yield fault('plan_not_allowed', '#/plan', `The plan ${key} is given by the operator only.`)
  }
  if (wanted.currency !== undefined && wanted.currency !== currency) {
    yield fault(
      'currency_mismatch',
      '#/currency',
      `The plan ${key} is in ${currency}, not ${wanted.currency}.`,
    )
  }
  if (customer?.currency && customer.currency !== currency) {
    const detail = `This customer pays in ${customer.currency} since the first subscription; ${key} is in ${currency}.`
    yield fault('currency_mismatch', '#/plan', detail)
  }
}

export async function publicationFaults(db: Db, version: PlanVersion): Promise<CodedFault[]> {
  const products = new Set([version.plan.product, ...version.plan.prices.map(({ product }) => product)])
  const prices = providerPrices(version).map(({ id }) => id)
  if (await areAllMapped(db, { product: [...products], price: prices })) return []
  const detail = `The plan ${version.plan.key} is not yet known to the provider: apply the catalogue again.`
  return [fault('plan_not_published', '#/plan', detail)]
}

/** Whether anything of a plan is sold by number. */
export function comesByNumber(version: PlanVersion): boolean {
  return providerPrices(version).some(({ price }) => price.model !== 'flat')
}

export function* quantityFaults(
  version: PlanVersion,
  { quantity }: Pick<WantedRegistration, 'quantity'>,
): Generator<CodedFault> {
  if (quantity > 1 && !comesByNumber(version)) {
    const detail = `The plan ${version.plan.key} has no price by number: its quantity is 1, not ${quantity}.`
    yield fault('quantity_invalid', '#/quantity', detail)
  }
}

/** The price comes from the catalogue; a caller who believes another one is told so, field by field. */
function* agreedFaults(
  { plan }: PlanVersion,
  { agreed, quantity }: WantedRegistration,
  addons: readonly Attached[],
): Generator<CodedFault> {
  for (const { field, detail } of termsThatDiffer(agreed ?? {}, {
    plan,
    quantity,
    addons: addons.map(soldOf),
  }))
    yield fault('agreed_terms_differ', `#/agreed/${field}`, detail)
}

function* paymentFaults(
  version: PlanVersion,
  wanted: WantedRegistration,
  customer: Customer | undefined,
  strategy: PurchaseStrategy,
  coupons: readonly NamedCoupon[],
  addons: readonly Attached[],
  erasures: readonly CustomerErasure[],
): Generator<CodedFault> {
  // A customer that Stripe knows may have a payment method there: then Stripe is asked.
  const { paymentMethod, paymentPage } = wanted
  if (paymentMethod !== undefined && paymentPage !== undefined) {
    const detail = 'Either a payment method is there, or the customer leaves one on a page.'
    yield fault('invalid_request', '#/paymentPage', detail)
  }
  const brings = paymentMethod !== undefined || paymentPage !== undefined
  if (!brings && erasures.some(({ defaultStays }) => defaultStays)) {
    yield fault('payment_method_required', '#/paymentMethod', LEFT_PAYS_NOTHING)
    return
  }
  // What is there was left by somebody who was forgotten: nobody need ask.
  const mayPay = brings || (customer?.providerId && erasures.length === 0)
  const isFree = coupons.some(({ coupon }) => takesAll(coupon))
  const isDue = strategy.isDueNow(wanted, version) || (version.plan.trialDays === 0 && cost(addons))
  if (!mayPay && !isFree && isDue) {
    const detail = `The plan ${version.plan.key} is paid in advance: name a payment method, or ask for a payment page.`
    yield fault('payment_method_required', '#/paymentMethod', detail)
  }
}

function cost(addons: readonly Attached[]): boolean {
  return addons.some(({ version, quantity }) => recurringAmount(version.addon, quantity).minor > 0n)
}

/** Who taxes by place has to know the place. */
async function taxFaults(
  { db, tax = untaxed }: Pick<RegisterDeps, 'db' | 'tax'>,
  { address }: WantedRegistration,
  customer: Customer | undefined,
): Promise<CodedFault[]> {
  if (tax.port.provider === 'none' || address !== undefined) return []
  if (customer && (await readAddress(db, customer.id)) !== null) return []
  return [
    fault('tax_address_required', '#/address', 'The tax depends on where the customer is: give the address.'),
  ]
}

async function clockFaults(
  { db, provider }: { db: Db; provider: Provider },
  { testClock }: WantedRegistration,
  customer: Customer | undefined,
): Promise<CodedFault[]> {
  if (testClock === undefined) return []
  if (provider.livemode)
    return [fault('live_mode_refused', '#/testClock', 'There are no test clocks in live mode.')]
  if (customer && customer.testClockId !== testClock) {
    return [
      fault('invalid_request', '#/testClock', 'This customer exists already and lives at another time.'),
    ]
  }
  const clock = await readTestClock(db, testClock)
  if (clock?.providerId) return []
  return [fault('test_clock_not_found', '#/testClock', `There is no test clock ${testClock}.`)]
}
