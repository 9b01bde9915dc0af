import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { readCustomerInvoices } from '../src/invoice/read.ts'
import { doDue } from '../src/workflow/due.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { previewWish } from '../src/workflow/plan-change/preview.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// Plain: 20.00 a month and a cent a second. Tiered: 20.00, the first 100 seconds at 10 cents, then a cent,
// and 10 % of all that for support.

const world = await shared(newBillingWorld())

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

async function change({ subscriptionId }: Payer, plan: string): Promise<string> {
  const asked = { operation: newId('operation'), requestedBy: 'api_key_test', requestOrigin: null }
  const begun = await beginChange(
    world.deps,
    subscriptionId,
    { plan, when: 'now' },
    { ...asked, accepted: {}, mayGivePlans: false },
  )
  const { workflowId, written } = begun
  if (!written) throw new Error('It was begun before.')
  world.workflows.beginAs(written)
  return (await world.workflows.settled(workflowId, 60)).state
}

/** The lines that a change would bill at once. */
async function previewed({ subscriptionId }: Payer, plan: string): Promise<number[] | undefined> {
  const preview = await previewWish(
    { ...world.deps, secrets: ['a secret for previews of at least 32'] },
    subscriptionId,
    { plan, when: 'now' },
    { mayGivePlans: false },
  )
  return preview.dueNow?.lines.map(({ amount }) => Number(amount.minor)).sort((a, b) => a - b)
}

async function billed(payer: Payer): Promise<number[][]> {
  const invoices = await world.atStripe(payer)
  return invoices.map(({ lines }) => lines.map((line) => Number.parseInt(line, 10)).sort((a, b) => a - b))
}

/** A period that was cut short waits for no renewal, and shows no fee that was billed with the new beginning. */
async function closed(payer: Payer, end: string): Promise<void> {
  await doDue({ ...world.deps, workflows: world.workflows })
  const own = (await world.story(payer)).filter((line) => line.includes('subscription_cycle'))
  expect(own.at(-2)).toBe(`2026-01-10 … ${end} subscription_cycle paid 0`)
  const open = await readCustomerInvoices(world.db, payer.customerId)
  expect(open.map(({ invoice }) => invoice.status)).toEqual(['current'])
}

test('a trial that is ended, and a cycle that is begun anew in the dashboard, leave no period open', async () => {
  const eve = await world.register('trying', '2026-01-10T00:00:00Z')
  const joe = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  for (const payer of [eve, joe]) await go(payer, '2026-01-15T00:00:00Z')
  await world.use(joe, '30', '2026-01-14T00:00:00Z')
  await world.stripe.subscriptions.update(eve.subscription, { trial_end: 'now' })
  await world.stripe.subscriptions.update(joe.subscription, { billing_cycle_anchor: { type: 'now' } })
  await world.deliver()
  await closed(eve, '2026-01-15')
  await closed(joe, '2026-01-15')
  // Nobody had told Stripe of it yet: it comes with the next renewal.
  await world.sync(joe)
  expect((await world.read(joe, 'current')).lines.map(({ amount }) => Number(amount.minor))).toEqual([
    30, 2000,
  ])
  await go(joe, '2026-02-15T02:00:00Z')
  expect((await billed(joe)).at(-1)).toEqual([30, 2000])
})

test('where other usage prices begin, what was used before is billed by the old ones, once', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(ada, '2026-01-20T12:00:00Z')
  await world.use(ada, '300', '2026-01-15T00:00:00Z')
  // Nobody has told Stripe of the usage yet, and the preview says it all the same.
  expect(await previewed(ada, 'tiered')).toEqual([-1323, 300, 2000])
  expect(await world.atStripe(ada)).toHaveLength(1)
  expect(await change(ada, 'tiered')).toBe('completed')
  await world.deliver()
  // 300 seconds; 20.5 of 31 days of 20.00 are left, 13.2258 of it; and a whole first month.
  expect(await billed(ada)).toEqual([[2000], [-1323, 300, 2000]])
  await closed(ada, '2026-01-20')

  // Late, of the time before the change; and of the time after it.
  await go(ada, '2026-01-26T00:00:00Z')
  await world.use(ada, '50', '2026-01-19T00:00:00Z')
  await world.use(ada, '150', '2026-01-25T00:00:00Z')
  await world.sync(ada)
  await go(ada, '2026-02-20T14:00:00Z')
  await world.deliver()
  // 50 seconds by the old price; 100 × 0.10 + 50 × 0.01 = 10.50 by the new; 10 % of 20.00 and 10.50.
  expect((await billed(ada)).slice(2)).toEqual([[50, 305, 1050, 2000]])
})
