import { Problem } from '@lockstep/core/problem'
import { transaction } from '../postgres/transaction.ts'
import type { CallDeps } from '../provider/stripe/call.ts'
import { customerOperation, type MadeCustomer, makeCustomer } from '../provider/stripe/customers.ts'
import { attachPaymentMethod, setDefaultPaymentMethod } from '../provider/stripe/payment-methods.ts'
import { isCustomerMissing } from '../provider/stripe/problems.ts'
import { chargeToDefault } from '../provider/stripe/subscriptions.ts'
import { isLeftBehind } from '../store/customer-erasures.ts'
import { type Customer, readCustomer, readProfile } from '../store/customers.ts'
import { link, providerIdOf } from '../store/mappings.ts'
import { callMayBeDone } from '../store/operations.ts'
import { methodsNamed } from '../store/registrations.ts'
import { readTestClock } from '../store/test-clocks.ts'
import type { TaxAssessment } from '../tax/port.ts'
import { isRefusal, type Step } from './journal.ts'
import { LEFT_PAYS_NOTHING } from './left-methods.ts'
import { lookAt } from './look.ts'
import type { PurchaseDeps } from './purchase/strategy.ts'
import type { RegistrationTask } from './registration-tasks.ts'
import { tellCustomer } from './tell-customer.ts'

export interface LinkedCustomer {
  readonly id: string
  readonly providerId: string
  /** Stripe had not known it: nothing of it is there but what this registration makes. */
  readonly isNew: boolean
  /** The one that the request names, attached and made the default by the call that made the customer. */
  readonly paymentMethod?: string
}

interface CustomerToProvide {
  readonly customerId: string
  /** Of a customer whom Stripe does not know it is attached at once. */
  readonly paymentMethod: string | null
  /** The customer was known before and has a new name or address. */
  readonly profileChanged: boolean
  /** Stripe did not know the customer when the registration was asked for. */
  readonly isUnknownThere: boolean
  /** Whether the one that Stripe knew is there still is looked at first. */
  readonly isLookedFor: boolean
  readonly tax: TaxAssessment | null
}

/** The customer at the provider, made if there is none, linked to ours, and told who it is. */
export async function provideCustomer(
  deps: PurchaseDeps,
  step: Step,
  { customerId, paymentMethod, profileChanged, isUnknownThere, isLookedFor, tax }: CustomerToProvide,
): Promise<LinkedCustomer> {
  const { db, clock, provider } = deps
  const isGone = isLookedFor && !(await step(LOOK, () => isThere(deps, customerId), { repeatable: true }))
  const isUnknown = isUnknownThere || isGone
  const made = await step(
    'create customer at provider',
    async (_, { intend, isFirst, record }) => {
      const customer = await readCustomer(db, customerId)
      if (!customer) throw new Error(`There is no customer ${customerId}.`)
      if (customer.providerId !== null) {
        // Linked by a run that died before it could write down what it had made: that is asked again.
        const isOwn = isUnknown && !isFirst && (await callMayBeDone(db, customerOperation(customerId)))
        const known: MadeOrKnown = { id: customer.providerId, isNew: false }
        // Linked since, by somebody else: written down at once, as no later run could tell.
        if (isUnknown && isFirst) await transaction(db, (trx) => record(trx, known))
        if (!isOwn) return known
      }
      return make({ ...deps, intend }, customer, paymentMethod)
    },
    { operation: () => customerOperation(customerId) },
  )
  // Whoever linked one first has named the customer's one: it is gone on with that.
  const providerId = await step(
    'link customer',
    () =>
      link(db, provider, {
        entityType: 'customer',
        entityId: customerId,
        providerType: 'customer',
        providerId: made.id,
        origin: 'outbound',
        at: clock.now(),
      }),
    { repeatable: true },
  )
  const isNew = made.isNew && providerId === made.id
  const { paymentMethod: attached } = made
  const customer = {
    ...{ id: customerId, providerId, isNew },
    ...(isNew && attached !== undefined && { paymentMethod: attached }),
  }
  if (made.isNew || profileChanged) {
    // Only when it is linked: from then on whoever changes the customer tells Stripe.
    await step(
      'update customer at provider',
      async (key) => {
        const metadata = prefixed(tax?.metadata ?? {})
        const profile = await readProfile(db, customerId)
        const isNobody = !profile || Object.values(profile).every((value) => value === null)
        if (isNobody && !profileChanged && Object.keys(metadata).length === 0) return
        await tellCustomer(deps, key, customer, { metadata })
      },
      { repeatable: true },
    )
  }
  return customer
}

const LOOK = 'look for customer at provider' satisfies RegistrationTask

/**
 * Whether Stripe still has the customer whom we know: of one who was deleted there nobody may have told yet. What is seen is
 * taken over, so that a new one is made in its place.
 */
async function isThere(deps: PurchaseDeps, customerId: string): Promise<boolean> {
  const id = await providerIdOf(deps.db, 'customer', customerId)
  if (id === undefined) return false
  await lookAt(deps, { type: 'customer', id })
  return (await providerIdOf(deps.db, 'customer', customerId)) !== undefined
}

/** As a step hands it on: Stripe had not known the customer, or had. */
type MadeOrKnown = MadeCustomer & { readonly isNew: boolean }

async function make(
  deps: PurchaseDeps & CallDeps,
  customer: Customer,
  paymentMethod: string | null,
): Promise<MadeOrKnown> {
  const { db } = deps
  const clock = customer.testClockId === null ? undefined : await readTestClock(db, customer.testClockId)
  const made = await makeCustomer(
    deps,
    { ...customer, testClock: clock?.providerId ?? null, paymentMethod },
    () => methodsNamed(db, customer.id),
  )
  return { ...made, isNew: true }
}

/** Attaches a payment method that the application collected, if it is not yet; see {@link chargeTo}. */
export async function providePaymentMethod(
  deps: PurchaseDeps,
  step: Step,
  customer: LinkedCustomer,
  paymentMethod: string,
): Promise<string | null> {
  const { id } = await step(
    'attach payment method',
    async (operation, { intend }) => {
      if (customer.paymentMethod !== undefined) return { id: customer.paymentMethod }
      // Of whom Stripe had not known nobody left anything.
      if (!customer.isNew && (await isLeftBehind(deps.db, customer.id, paymentMethod)))
        throw aboutMethod(new Problem('payment_method_required', LEFT_PAYS_NOTHING))
      return idOnly(
        await attachPaymentMethod(
          { ...deps, intend },
          {
            operation,
            customerId: customer.id,
            providerCustomer: customer.providerId,
            paymentMethod,
          },
        ).catch((error) => {
          throw isCustomerMissing(error.cause) ? error : aboutMethod(error)
        }),
      )
    },
    { operation: (key) => key },
  )
  return chargeTo(deps, step, customer, id)
}

/** Unknown at the provider, somebody else's, declined: what is refused is the method that the request names. */
export function aboutMethod(error: unknown): unknown {
  if (!(error instanceof Problem) || !isRefusal(error)) return error
  const { code, detail, cause } = error
  return new Problem(code, detail, { cause, faults: [{ pointer: '#/paymentMethod', code, detail }] })
}

/**
 * Has everything of a new customer charged to this method. What others have is charged to the one before as
 * long as nothing is bought, which may be a day where the bank asks; so what they buy has to name it. Returns
 * it where that is so, to become the default afterwards ({@link makeDefault}).
 */
export async function chargeTo(
  deps: PurchaseDeps,
  step: Step,
  customer: LinkedCustomer,
  paymentMethod: string,
): Promise<string | null> {
  if (!customer.isNew) return paymentMethod
  if (paymentMethod === customer.paymentMethod) return null
  await step(
    'set default payment method',
    async (id, { intend }) => {
      const operation = { id, settledByCaller: true }
      return idOnly(await setDefaultPaymentMethod({ ...deps, intend }, operation, customer, paymentMethod))
    },
    { operation: (key) => key },
  )
  return null
}

/**
 * It is bought: from now on everything of the customer's is charged to what it was bought with, the
 * subscription too, as one card for each customer. A method that was taken off meanwhile stays what the
 * purchase names: nothing is undone for it.
 */
export async function makeDefault(
  deps: PurchaseDeps,
  step: Step,
  customer: LinkedCustomer,
  paymentMethod: string,
  subscription: { readonly id: string; readonly providerId: string } | null,
): Promise<void> {
  await step('make payment method default', async (key) => {
    try {
      await setDefaultPaymentMethod(deps, { id: key }, customer, paymentMethod)
      if (subscription) await chargeToDefault(deps, `${key}/subscription`, subscription)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'provider_refused') throw error
      deps.log.warn({ err: error, customer: customer.id }, 'The payment method is not the default.')
    }
  })
}

/** What is ours at the provider says so. */
function prefixed(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`lockstep_${name}`, value]))
}

/** Steps keep ids only: what else an object says may have changed by the time it is read again. */
function idOnly({ id }: { readonly id: string }): { id: string } {
  return { id }
}
