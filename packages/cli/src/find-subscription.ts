import type { Client, Subscription } from '@lockstep/sdk'
import { findCustomer } from './find-customer.ts'
import { UsageError } from './usage-error.ts'

/** A subscription by its id, or the one that a customer has and that is not over. */
export async function findSubscription(
  client: Client,
  idOrCustomer: string,
): Promise<Pick<Subscription, 'id'>> {
  if (idOrCustomer.startsWith('subscription_')) return { id: idOrCustomer }
  const customer = await findCustomer(client, idOrCustomer)
  const live: Subscription[] = []
  for await (const one of client.subscriptions.list({ customer: customer.id }))
    if (one.access !== 'ended') live.push(one)
  const [only, ...others] = live
  if (!only) throw new UsageError(`${idOrCustomer} has no subscription.`, 'What is over cannot be changed.')
  if (others.length > 0) {
    const names = live.map(({ id, plan }) => `${id} (${plan})`).join(', ')
    throw new UsageError(`${idOrCustomer} has several subscriptions.`, `Name one of them: ${names}.`)
  }
  return only
}
