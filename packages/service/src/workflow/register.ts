import type { Price } from '@lockstep/core/price'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { wasReplayed } from '../provider/stripe/call.ts'
import { customerOperation, makeCustomer, updateCustomer } from '../provider/stripe/customers.ts'
import { fetchSubscription } from '../provider/stripe/fetch.ts'
import { attachPaymentMethod, setDefaultPaymentMethod } from '../provider/stripe/payment-methods.ts'
import { startSubscription, withdrawSubscription } from '../provider/stripe/subscriptions.ts'
import { readCustomer, unlockCurrency } from '../store/customers.ts'
import { link, providerIdOf, providerIdsOf } from '../store/mappings.ts'
import { loadPlanVersion } from '../store/plans.ts'
import { nextObservation } from '../store/provider-objects.ts'
import { releaseSlot } from '../store/subscriptions.ts'
import { readTestClock } from '../store/test-clocks.ts'
import type { Step, WorkflowKind } from './journal.ts'
import { observe } from './observe.ts'
import { providerPrices } from './provider-prices.ts'

export interface RegisterDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly provider: Provider
}

export const REGISTER = 'register'

/** What was asked, as it is kept with the workflow. */
export interface RegisterInput {
  /** Of the whole request: tells a repetition from another wish. */
  readonly requestHash: string
  readonly customerId: string
  readonly subscriptionId: string
  readonly planVersionId: string
  readonly quantity: number
  readonly paymentMethod: string | null
  /** The customer was known before and has a new name or address. */
  readonly profileChanged: boolean
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Registers a customer: from a recorded wish to a running subscription. The customer, the slot and
 * this workflow were recorded in one transaction (begin-registration.ts).
 *
 * When a step is refused, the subscription is taken back and the slot is free for the next try. The
 * customer stays, here and at Stripe: a base to come back to.
 */
export function registerKind(deps: RegisterDeps): WorkflowKind {
  return {
    kind: REGISTER,
    run: (step, { input }) => register(deps, step, input as RegisterInput),
    rolledBack: async (trx, { input }) => {
      const { subscriptionId, customerId } = input as RegisterInput
      await releaseSlot(trx, subscriptionId)
      await unlockCurrency(trx, customerId)
    },
  }
}

async function register(deps: RegisterDeps, step: Step, input: RegisterInput): Promise<void> {
  const { db, clock, provider } = deps
  const { customerId, subscriptionId, paymentMethod } = input

  const customer = await step('create customer at provider', () => customerAtProvider(deps, customerId), {
    operation: () => customerOperation(customerId),
  })
  await step('link customer', () =>
    link(db, provider, {
      entityType: 'customer',
      entityId: customerId,
      providerType: 'customer',
      providerId: customer.id,
      origin: 'outbound',
      at: clock.now(),
    }),
  )
  const linked = { id: customerId, providerId: customer.id }

  if (input.profileChanged) {
    await step('update customer at provider', async (key) => {
      const { name = null, email = null } = (await readCustomer(db, customerId)) ?? {}
      await updateCustomer(deps, key, linked, { name, email })
    })
  }
  if (paymentMethod !== null) {
    const method = await step(
      'attach payment method',
      async (operation) =>
        idOnly(
          await attachPaymentMethod(deps, {
            operation,
            customerId,
            providerCustomer: customer.id,
            paymentMethod,
          }),
        ),
      { operation: (key) => key },
    )
    await step(
      'set default payment method',
      async (key) => idOnly(await setDefaultPaymentMethod(deps, key, linked, method.id)),
      { operation: (key) => key },
    )
  }

  let seen: Seen | undefined
  const subscription = await step(
    'start subscription',
    async (operation) => {
      seen = await start(deps, input, operation, customer.id)
      return idOnly(seen.object)
    },
    {
      operation: (key) => key,
      undo: ({ id }, key) =>
        withdrawSubscription(deps, `${key}/undo`, { id: subscriptionId, providerId: id }),
    },
  )
  await step('record subscription', async () => {
    await observe(deps, { type: 'subscription', ...(seen ?? (await look(deps, subscription.id))) })
  })
}

interface Seen {
  readonly object: Awaited<ReturnType<typeof startSubscription>>
  readonly observation: bigint
  readonly source: 'write' | 'fetch'
}

async function customerAtProvider(deps: RegisterDeps, customerId: string): Promise<{ id: string }> {
  const { db } = deps
  const linked = await providerIdOf(db, 'customer', customerId)
  if (linked !== undefined) return { id: linked }
  const customer = await readCustomer(db, customerId)
  if (!customer) throw new Error(`There is no customer ${customerId}.`)
  const clock = customer.testClockId === null ? undefined : await readTestClock(db, customer.testClockId)
  return idOnly(await makeCustomer(deps, { ...customer, testClock: clock?.providerId ?? null }))
}

async function start(
  deps: RegisterDeps,
  { subscriptionId, customerId, planVersionId, quantity, metadata }: RegisterInput,
  operation: string,
  providerCustomer: string,
): Promise<Seen> {
  const version = await loadPlanVersion(deps.db, planVersionId)
  const prices = providerPrices(version)
  const providerIds = await providerIdsOf(
    deps.db,
    'price',
    prices.map(({ id }) => id),
  )
  const items = prices.map(({ id, price }) => {
    const providerPrice = providerIds.get(id)
    if (providerPrice === undefined) throw new Error(`Price ${id} is not known to the provider.`)
    return { providerPrice, quantity: itemQuantity(price, quantity) }
  })
  const observation = await nextObservation(deps.db)
  const object = await startSubscription(deps, {
    operation,
    subscriptionId,
    customerId,
    providerCustomer,
    items,
    trialDays: version.plan.trialDays,
    metadata,
  })
  // Stripe's memory of an earlier try says how it was then, not how it is.
  return wasReplayed(object) ? look(deps, object.id) : { object, observation, source: 'write' }
}

async function look(deps: RegisterDeps, providerId: string): Promise<Seen> {
  const observation = await nextObservation(deps.db)
  return { object: await fetchSubscription(deps, providerId), observation, source: 'fetch' }
}

/** A flat price is the same for any number; Stripe would multiply it. */
function itemQuantity(price: Price, quantity: number): number {
  return price.model === 'flat' ? 1 : quantity
}

/** Steps keep ids only: what else an object says may have changed by the time it is read again. */
function idOnly({ id }: { readonly id: string }): { id: string } {
  return { id }
}
