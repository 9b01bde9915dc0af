import { nextObservation } from '../../src/store/provider-objects.ts'
import { doDue } from '../../src/workflow/due.ts'
import { observe } from '../../src/workflow/observe.ts'
import type { BillingWorld, Payer } from './billing-world.ts'

/** What an annual plan whose usage is billed by the month is made of. */
export const fee = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const
export const per = (unitAmount: string) =>
  ({ meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount }) as const
export const yearly = { product: 'cloud', interval: 'year', usageInterval: 'month' } as const

/** Where the months end in 2026 that began with 31 January. */
export const monthEnds = [
  '02-28',
  '03-31',
  '04-30',
  '05-31',
  '06-30',
  '07-31',
  '08-31',
  '09-30',
  '10-31',
  '11-30',
  '12-31',
]

const due = (world: BillingWorld) => doDue({ ...world.deps, workflows: world.workflows })

/** Turns the clock, takes in what happened, does what is due, and tells Stripe. */
export async function go(world: BillingWorld, payer: Payer, time: string): Promise<void> {
  await world.turn(payer, time)
  await world.deliver()
  await due(world)
  await world.sync(payer)
}

/** Registered on 1 February; on the 20th `change` happens at Stripe, and nobody listens. */
export async function away(world: BillingWorld, plan: string, change: (payer: Payer) => Promise<unknown>) {
  const payer = await world.register(plan, '2026-02-01T00:00:00Z')
  await world.deliver()
  await go(world, payer, '2026-02-19T00:00:00Z')
  await world.turn(payer, '2026-02-20T00:00:00Z')
  const observation = await nextObservation(world.db)
  const object = await world.stripe.subscriptions.retrieve(payer.subscription)
  await change(payer)
  /** An answer that was under way since then is written down now: it turns the months on how things stood. */
  const turnByOldAnswer = () =>
    observe(world.deps, { type: 'subscription', object, observation, source: 'fetch' })
  return { payer, turnByOldAnswer }
}

/** Only the clock is heard of; the rest of what happened is handed over, to be heard of later. */
export async function hearTime(world: BillingWorld, payer: Payer, time: string) {
  await world.turn(payer, time)
  const events = await world.newEvents()
  for (const event of events) if (event.type.startsWith('test_helpers.')) await world.receive(event)
  await world.drain()
  return async () => {
    for (const event of events) await world.receive(event)
    await world.drain()
    await due(world)
    await world.sync(payer)
    await world.deliver()
  }
}
