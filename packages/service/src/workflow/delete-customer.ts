import { Problem } from '@lockstep/core/problem'
import { isLive } from '@lockstep/core/subscription'
import { type Customer, readCustomer } from '../store/customers.ts'
import { addDue } from '../store/due.ts'
import { openRegistrations } from '../store/registrations.ts'
import { listSubscriptions } from '../store/subscriptions.ts'
import { cancelRegistration } from './cancel-registration.ts'
import { cancelSubscription } from './deeds/cancel.ts'
import type { DeedDeps } from './deeds/deed.ts'
import type { DueKind } from './due.ts'
import { eraseCustomer } from './erase-customer.ts'
import { customerTime } from './observe/customer-time.ts'
import { PATIENCE_SECONDS } from './workflows.ts'

const ERASE_CUSTOMER = 'erase-customer'
/** More than Stripe lets one customer have. */
const MOST_SUBSCRIPTIONS = 500

export interface Deletion {
  /** The subscriptions that were ended for it. */
  readonly ended: readonly string[]
  /** `erased`, or `waiting` until the last invoices are final; then it is erased by itself. */
  readonly state: 'erased' | 'waiting'
}

/**
 * Gives up what a customer has begun, ends the subscriptions, and only then erases who it is: an end that is refused
 * stops it, and nothing is erased. What is left to bill is billed first, so the erasure may have to wait for that.
 */
export async function deleteCustomer(
  deps: DeedDeps,
  customer: Customer,
  { operation, actor }: { readonly operation: string; readonly actor: string },
): Promise<Deletion> {
  const { db, clock } = deps
  await giveUpRegistrations(deps, customer)
  const subscriptions = await listSubscriptions(db, {
    customer: customer.id,
    now: clock.now(),
    limit: MOST_SUBSCRIPTIONS,
  })
  const live = subscriptions.filter(({ status }) => isLive(status))
  for (const { id } of live) {
    const wanted = { when: 'now', unusedTime: 'keep' } as const
    const wish = { subscriptionId: id, wanted, actor, asks: 'admin', reason: 'customer' } as const
    const { state } = await cancelSubscription(deps, { ...wish, operation: `${operation}/${id}` })
    if (state === 'running')
      throw new Problem('subscription_changing', `${id} is still being ended.`, { retryAfterSeconds: 2 })
  }
  const ended = live.map(({ id }) => id)
  if (await erased(deps, customer)) return { ended, state: 'erased' }
  const at = await customerTime(db, clock, customer.id)
  const subjectId = `${customer.id}/${operation}`
  await addDue(db, { customerId: customer.id, kind: ERASE_CUSTOMER, subjectId, dueAt: at, at: clock.now() })
  return { ended, state: 'waiting' }
}

/**
 * A page that is still open would charge who asked to be forgotten. One that was completed this very moment made a
 * subscription, which is ended like any other.
 */
async function giveUpRegistrations(deps: DeedDeps, customer: Customer): Promise<void> {
  for (const registration of await openRegistrations(deps.db, customer.id)) {
    const { id } = registration
    const state = await cancelRegistration(deps, registration, PATIENCE_SECONDS).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'registration_ended') return 'completed' as const
      throw error
    })
    if (state !== 'running') continue
    const detail = `${id} is still being given up.`
    const faults = [{ pointer: '#', code: 'registration_running', detail }]
    throw new Problem('customer_in_use', detail, { faults, retryAfterSeconds: 2 })
  }
}

/** Waits for the last invoice. A customer who has come back meanwhile is left alone. */
export const eraseWhenFinal: DueKind = {
  kind: ERASE_CUSTOMER,
  async run(deps, { customerId }) {
    const customer = await readCustomer(deps.db, customerId)
    if (!customer) return 'nothing to do'
    const again = await listSubscriptions(deps.db, {
      customer: customerId,
      now: deps.clock.now(),
      limit: MOST_SUBSCRIPTIONS,
    })
    if (again.some(({ status }) => isLive(status))) return 'came back'
    return (await erased(deps, customer)) ? 'erased' : null
  },
}

/** False: something of the customer's is not final yet. */
async function erased(deps: DeedDeps, customer: Customer): Promise<boolean> {
  try {
    await eraseCustomer(deps, customer, { dryRun: false })
    return true
  } catch (error) {
    if (error instanceof Problem && error.code === 'customer_in_use') return false
    throw error
  }
}
