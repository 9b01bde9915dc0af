import { priceQuantity } from '@lockstep/core/pricing/price-quantity'
import { type Fault, Problem, type ProblemCode } from '@lockstep/core/problem'
import { units } from '@lockstep/core/quantity'
import type { Db } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { type Customer, findCustomer } from '../store/customers.ts'
import { providerIdsOf } from '../store/mappings.ts'
import { type PlanVersion, readNewestPlan } from '../store/plans.ts'
import { readTestClock } from '../store/test-clocks.ts'
import { providerPrices } from './provider-prices.ts'
import type { Asked, WantedRegistration } from './wanted-registration.ts'

interface CodedFault extends Fault {
  readonly code: ProblemCode
}

/** Whoever asks may have asked before: who the customer is, is told even when something is wrong. */
export type Checked = { readonly customerId: string | undefined } & (
  | { readonly problem: Problem; readonly version?: never }
  | { readonly problem?: never; readonly version: PlanVersion }
)

/** Everything that can be known to be wrong before anything is recorded, at once. */
export async function checkRegistration(
  { db, provider }: { db: Db; provider: Provider },
  wanted: WantedRegistration,
  asked: Asked,
): Promise<Checked> {
  const [plan, customer] = await Promise.all([
    readNewestPlan(db, wanted.plan),
    findCustomer(db, wanted.externalId),
  ])
  const faults = [
    ...(plan && !plan.isArchived
      ? [
          ...planFaults(plan, wanted, asked, customer),
          ...(await publicationFaults(db, plan)),
          ...paymentFaults(plan, wanted, customer),
        ]
      : [fault('plan_unknown', '#/plan', `There is no plan ${wanted.plan}.`)]),
    ...(await clockFaults({ db, provider }, wanted, customer)),
  ]
  const customerId = customer?.id
  const [first] = faults
  if (first) return { customerId, problem: problemOf(first, faults) }
  if (!plan) throw new Error('A plan that does not exist is a fault.')
  return { customerId, version: plan }
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

function* paymentFaults(
  version: PlanVersion,
  { quantity, paymentMethod }: WantedRegistration,
  customer: Customer | undefined,
): Generator<CodedFault> {
  const prices = providerPrices(version).map(({ price }) => price)
  if (quantity > 1 && prices.every(({ model }) => model === 'flat')) {
    yield fault('quantity_invalid', '#/quantity', `The plan ${version.plan.key} has no price by number.`)
  }
  const isDueNow =
    version.plan.trialDays === 0 &&
    prices.some((price) => priceQuantity(price, units(BigInt(quantity))).exact.scaled > 0n)
  // A customer that Stripe knows may have a payment method there: then Stripe is asked.
  if (isDueNow && paymentMethod === undefined && !customer?.providerId) {
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
