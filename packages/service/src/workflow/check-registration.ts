import { Problem, type ProblemCode } from '@lockstep/core/problem'
import type { Db } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { type Customer, findCustomer } from '../store/customers.ts'
import { providerIdsOf } from '../store/mappings.ts'
import { type PlanVersion, readNewestPlan } from '../store/plans.ts'
import { readTestClock } from '../store/test-clocks.ts'
import { providerPrices } from './provider-prices.ts'
import { findStrategy, purchaseStrategies, STANDARD_PURCHASE } from './purchase/strategies.ts'
import type { CodedFault, PurchaseStrategy } from './purchase/strategy.ts'
import type { RegisterDeps } from './register.ts'
import type { Asked, WantedRegistration } from './wanted-registration.ts'

/**
 * Whoever asks may have asked before: who the customer is, and which place is asked for, is told even
 * when something is wrong.
 */
export type Checked = { readonly customerId: string | undefined; readonly slot: string } & (
  | { readonly problem: Problem; readonly version?: never; readonly strategy?: never }
  | { readonly problem?: never; readonly version: PlanVersion; readonly strategy: PurchaseStrategy }
)

/** Everything that can be known to be wrong before anything is recorded, at once. */
export async function checkRegistration(
  deps: { readonly db: Db; readonly provider: Provider; readonly purchases?: RegisterDeps['purchases'] },
  wanted: WantedRegistration,
  asked: Asked,
): Promise<Checked> {
  const { db, provider, purchases = purchaseStrategies } = deps
  const strategy = findStrategy(purchases, wanted.purchase ?? STANDARD_PURCHASE)
  const [plan, customer] = await Promise.all([
    readNewestPlan(db, wanted.plan),
    findCustomer(db, wanted.externalId),
  ])
  const faults = [
    ...(strategy ? [] : [purchaseFault(wanted, purchases)]),
    ...(plan && !plan.isArchived
      ? [
          ...planFaults(plan, wanted, asked, customer),
          ...(await publicationFaults(db, plan)),
          ...quantityFaults(plan, wanted),
          ...(strategy?.check(wanted, plan) ?? []),
          ...(strategy ? paymentFaults(plan, wanted, customer, strategy) : []),
        ]
      : [fault('plan_unknown', '#/plan', `There is no plan ${wanted.plan}.`)]),
    ...(await clockFaults({ db, provider }, wanted, customer)),
  ]
  const slot = wanted.slot ?? (plan && strategy?.slotOf(plan.plan)) ?? 'default'
  const found = { customerId: customer?.id, slot }
  const [first] = faults
  if (first) return { ...found, problem: problemOf(first, faults) }
  if (!plan || !strategy) throw new Error('A plan or a purchase that does not exist is a fault.')
  return { ...found, version: plan, strategy }
}

function purchaseFault({ purchase }: WantedRegistration, known: readonly PurchaseStrategy[]): CodedFault {
  const types = known.map(({ type }) => type).join(', ')
  return fault('purchase_unknown', '#/purchase', `There is no purchase ${purchase}; there are ${types}.`)
}

/** One fault speaks for itself; several are named by the first. */
function problemOf(first: CodedFault, faults: readonly CodedFault[]): Problem {
  const more = faults.length > 1 ? ` And ${faults.length - 1} more.` : ''
  return new Problem(first.code, `${first.detail}${more}`, { faults })
}

const fault = (code: ProblemCode, pointer: string, detail: string): CodedFault => ({ code, pointer, detail })

function* planFaults(
  { plan }: PlanVersion,
  wanted: WantedRegistration,
  { mayGivePlans }: Asked,
  customer: Customer | undefined,
): Generator<CodedFault> {
  const { key, audience, currency } = plan
  if (audience === 'legacy') yield fault('plan_not_allowed', '#/plan', `The plan ${key} is no longer sold.`)
  if (audience === 'admin' && !mayGivePlans) {
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

async function publicationFaults(db: Db, version: PlanVersion): Promise<CodedFault[]> {
  const products = new Set([version.plan.product, ...version.plan.prices.map(({ product }) => product)])
  const prices = providerPrices(version).map(({ id }) => id)
  const [knownProducts, knownPrices] = await Promise.all([
    providerIdsOf(db, 'product', [...products]),
    providerIdsOf(db, 'price', prices),
  ])
  if (knownProducts.size === products.size && knownPrices.size === prices.length) return []
  const detail = `The plan ${version.plan.key} is not yet known to the provider: apply the catalogue again.`
  return [fault('plan_not_published', '#/plan', detail)]
}

function* quantityFaults(version: PlanVersion, { quantity }: WantedRegistration): Generator<CodedFault> {
  if (quantity > 1 && providerPrices(version).every(({ price }) => price.model === 'flat')) {
    yield fault('quantity_invalid', '#/quantity', `The plan ${version.plan.key} has no price by number.`)
  }
}

function* paymentFaults(
  version: PlanVersion,
  wanted: WantedRegistration,
  customer: Customer | undefined,
  strategy: PurchaseStrategy,
): Generator<CodedFault> {
  // A customer that Stripe knows may have a payment method there: then Stripe is asked.
  const mayPay = wanted.paymentMethod !== undefined || customer?.providerId
  if (!mayPay && strategy.isDueNow(wanted, version)) {
    const detail = `The plan ${version.plan.key} is paid in advance: name a payment method.`
    yield fault('payment_method_required', '#/paymentMethod', detail)
  }
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
