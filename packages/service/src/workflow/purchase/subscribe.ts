import { Problem } from '@lockstep/core/problem'
import { sharedTransactions } from '../../postgres/shared-transaction.ts'
import { transaction } from '../../postgres/transaction.ts'
import { type CallDeps, observationOf, wasReplayed } from '../../provider/stripe/call.ts'
import { firstPayment } from '../../provider/stripe/first-payment.ts'
import { startSubscription, withdrawSubscription } from '../../provider/stripe/subscriptions.ts'
import { toSubscription } from '../../provider/stripe/to-subscription.ts'
import { wasBegun } from '../../store/operations.ts'
import { awaitCustomer } from '../await-customer.ts'
import type { Run, Step } from '../journal.ts'
import { lookAt } from '../look.ts'
import { observe, type Settle } from '../observe.ts'
import type { SubscriptionConfiguration } from './configuration.ts'
import type { Bought, ConcludeWith, Purchase, PurchaseDeps } from './strategy.ts'

/**
 * Starts the subscription at the provider. It runs, or it is refused and nothing is there, or the bank
 * asks the customer: then it is there without being paid, and waits.
 */
export async function subscribe(
  deps: PurchaseDeps,
  step: Step,
  purchase: Purchase,
  configuration: SubscriptionConfiguration,
): Promise<Bought> {
  let answer: Bought['answer']
  const started = await step(
    'start subscription',
    async (operation, { withdrawn, intend, isFirst }) => {
      const own = { ...deps, withdrawn, intend }
      const { object, toConfirm } = await start(own, isFirst, purchase, configuration, operation)
      // Stripe's memory of an earlier try says how it was then, not how it is.
      if (!toConfirm && !wasReplayed(object)) answer = { object, observation: observationOf(object) }
      // Steps keep ids only: what else an object says may have changed by the time it is read again.
      return { id: object.id, toConfirm }
    },
    {
      operation: (key) => key,
      undo: async ({ id }, key) => {
        await withdrawSubscription(deps, `${key}/undo`, { id: purchase.subscriptionId, providerId: id })
        await lookAt(deps, { type: 'subscription', id })
      },
    },
  )
  if (started.toConfirm) await confirmPayment(deps, step, purchase, started.id)
  return { id: started.id, answer }
}

/**
 * Without the customer first, because most banks do not ask. Where one does, once more in a way that can
 * wait for the answer; that second call, once begun, is the only one that is made again.
 */
async function start(
  deps: PurchaseDeps & CallDeps,
  isFirst: boolean,
  { customer, subscriptionId, paymentMethod }: Purchase,
  configuration: SubscriptionConfiguration,
  operation: string,
) {
  const wanted = {
    ...configuration,
    subscriptionId,
    paymentMethod,
    customerId: customer.id,
    providerCustomer: customer.providerId,
  }
  const second = { ...wanted, operation: `${operation}/with-customer`, customerPresent: true }
  if (!isFirst && (await wasBegun(deps.db, second.operation)))
    return { object: await startSubscription(deps, second), toConfirm: true }
  try {
    const object = await startSubscription(deps, { ...wanted, operation, customerPresent: false })
    return { object, toConfirm: false }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'payment_action_required') throw error
    return { object: await startSubscription(deps, second), toConfirm: true }
  }
}

/** Waits until the bank has its answer: yes, no, or none in time. */
async function confirmPayment(deps: PurchaseDeps, step: Step, purchase: Purchase, id: string): Promise<void> {
  await step('confirm payment', async () => {
    const look = await lookAt(deps, { type: 'subscription', id })
    if (look.kind === 'gone')
      throw new Problem('payment_not_confirmed', 'The subscription is not there any more.')
    const payment = await firstPayment(deps, id)
    switch (payment.kind) {
      case 'made':
        return
      case 'failed':
        throw payment.problem
      case 'open':
        throw await awaitCustomer(deps, purchase, { type: 'confirmPayment', url: payment.url })
    }
  })
}

/** Nobody else has anything of a new customer's in hand. */
const beginnings = sharedTransactions()

/** Writes the subscription down, and what was agreed on it: it is the customer's from now on. */
export async function recordSubscription(
  deps: PurchaseDeps,
  step: Step,
  { customer }: Purchase,
  { id, answer }: Bought,
  conclude: ConcludeWith,
): Promise<void> {
  const record = async (_: string, run: Run) => {
    if (!answer) return void (await lookAt(deps, { type: 'subscription', id }))
    const { startedAt: startsAt } = toSubscription(answer.object)
    const settle: Settle = async (trx, { kind }, now) => {
      // What an event overtook is written down by whoever looks at it next: the contract has its own transaction then.
      if (kind === 'applied' && now) await conclude(trx, run, { startsAt, at: await now() })
    }
    const observed = { type: 'subscription', source: 'write', ...answer } as const
    await observe(deps, observed, settle, customer.isNew ? beginnings(customer.id) : transaction)
  }
  await step('record subscription', record, { repeatable: true })
}
