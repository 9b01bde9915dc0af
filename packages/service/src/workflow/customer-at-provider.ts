import { customerOperation, makeCustomer } from '../provider/stripe/customers.ts'
import {
  attachPaymentMethod,
  defaultPaymentMethod,
  restoreDefaultPaymentMethod,
  setDefaultPaymentMethod,
} from '../provider/stripe/payment-methods.ts'
import { readCustomer, readProfile } from '../store/customers.ts'
import { link, providerIdOf } from '../store/mappings.ts'
import { readTestClock } from '../store/test-clocks.ts'
import type { TaxAssessment } from '../tax/port.ts'
import type { Step } from './journal.ts'
import type { PurchaseDeps } from './purchase/strategy.ts'
import { tellCustomer } from './tell-customer.ts'

export interface LinkedCustomer {
  readonly id: string
  readonly providerId: string
  /** Stripe had not known it: nothing of it is there but what this registration makes. */
  readonly isNew: boolean
}

interface CustomerToProvide {
  readonly customerId: string
  /** The customer was known before and has a new name or address. */
  readonly profileChanged: boolean
  readonly tax: TaxAssessment | null
}

/** The customer at the provider, made if there is none, linked to ours, and told who it is. */
export async function provideCustomer(
  deps: PurchaseDeps,
  step: Step,
  { customerId, profileChanged, tax }: CustomerToProvide,
): Promise<LinkedCustomer> {
  const { db, clock, provider } = deps
  const made = await step('create customer at provider', () => makeOnce(deps, customerId), {
    operation: () => customerOperation(customerId),
  })
  // Whoever linked one first has named the customer's one: it is gone on with that.
  const providerId = await step('link customer', () =>
    link(db, provider, {
      entityType: 'customer',
      entityId: customerId,
      providerType: 'customer',
      providerId: made.id,
      origin: 'outbound',
      at: clock.now(),
    }),
  )
  const customer = { id: customerId, providerId, isNew: made.isNew }
  if (made.isNew || profileChanged) {
    // Only when it is linked: from then on whoever changes the customer tells Stripe.
    await step('update customer at provider', async (key) => {
      const metadata = prefixed(tax?.metadata ?? {})
      const profile = await readProfile(db, customerId)
      const isNobody = !profile || Object.values(profile).every((value) => value === null)
      if (isNobody && !profileChanged && Object.keys(metadata).length === 0) return
      await tellCustomer(deps, key, customer, metadata)
    })
  }
  return customer
}

async function makeOnce(deps: PurchaseDeps, customerId: string): Promise<{ id: string; isNew: boolean }> {
  const { db } = deps
  const linked = await providerIdOf(db, 'customer', customerId)
  if (linked !== undefined) return { id: linked, isNew: false }
  const customer = await readCustomer(db, customerId)
  if (!customer) throw new Error(`There is no customer ${customerId}.`)
  const clock = customer.testClockId === null ? undefined : await readTestClock(db, customer.testClockId)
  const { id } = await makeCustomer(deps, { ...customer, testClock: clock?.providerId ?? null })
  return { id, isNew: true }
}

/** Has everything that comes due charged to a payment method that the application collected. */
export async function providePaymentMethod(
  deps: PurchaseDeps,
  step: Step,
  customer: LinkedCustomer,
  paymentMethod: string,
): Promise<void> {
  const attached = await step(
    'attach payment method',
    async (operation) => {
      const { id } = await attachPaymentMethod(deps, {
        operation,
        customerId: customer.id,
        providerCustomer: customer.providerId,
        paymentMethod,
      })
      return { id, before: customer.isNew ? null : await defaultPaymentMethod(deps, customer.providerId) }
    },
    { operation: (key) => key },
  )
  await chargeTo(deps, step, customer, attached)
}

/**
 * Has everything charged to this method. What the customer has already was charged to the one before, which
 * gets its place back when the registration is undone.
 */
export async function chargeTo(
  deps: PurchaseDeps,
  step: Step,
  customer: Pick<LinkedCustomer, 'id' | 'providerId'>,
  { id: taken, before }: { readonly id: string; readonly before: string | null },
): Promise<void> {
  await step(
    'set default payment method',
    async (key) => idOnly(await setDefaultPaymentMethod(deps, key, customer, taken)),
    {
      operation: (key) => key,
      ...(before !== null && {
        undo: (_, key) => restoreDefaultPaymentMethod(deps, `${key}/undo`, customer, { taken, before }),
      }),
    },
  )
}

/** What is ours at the provider says so. */
function prefixed(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`lockstep_${name}`, value]))
}

/** Steps keep ids only: what else an object says may have changed by the time it is read again. */
function idOnly({ id }: { readonly id: string }): { id: string } {
  return { id }
}
