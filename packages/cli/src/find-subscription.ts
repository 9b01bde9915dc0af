import type { Client, Subscription } from '@lockstep/sdk'
import { findCustomer } from './find-customer.ts'
import { UsageError } from './usage-error.ts'

const NOTHING_RUNS = '`lockstep subscriptions list` shows what there is; what is over is named by its id.'

/**
 * A subscription by its id, or the one that a customer has and that is not over; `orOver`: where there is
 * none, the newest of those that are.
 */
export async function findSubscription(
  client: Client,
  idOrCustomer: string,
  { orOver = false }: { orOver?: boolean } = {},
): Promise<Pick<Subscription, 'id'>> {
  if (idOrCustomer.startsWith('subscription_')) return { id: idOrCustomer }
  const customer = await findCustomer(client, idOrCustomer)
  const all: Subscription[] = []
  for await (const one of client.subscriptions.list({ customer: customer.id })) all.push(one)
  const live = all.filter(({ access }) => access !== 'ended')
  const [only, ...others] = live.length === 0 && orOver ? all.slice(0, 1) : live
  if (!only) throw new UsageError(`${idOrCustomer} has no subscription.`, NOTHING_RUNS)
  if (others.length > 0) {
    const names = live.map(({ id, plan }) => `${id} (${plan})`).join(', ')
    throw new UsageError(`${idOrCustomer} has several subscriptions.`, `Name one of them: ${names}.`)
  }
  return only
}
