import { expect, test } from 'vitest'
import { customerToApi } from '../src/http/routes/customers.ts'
import { type Customer, readCustomer } from '../src/store/customers.ts'
import { amounts, type BillingWorld, newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

/** Turns the clock, and takes in what happened. */
async function go(payer: Parameters<BillingWorld['turn']>[0], time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

test('a period opens, closes, and freezes as Stripe finalized it; the next one is open by itself', async () => {
  const ada = await world.register('plain', '2026-01-31T09:30:00Z')
  await world.deliver()
  const first = '2026-01-31 … 2026-01-31 subscription_create paid 2000'
  expect(await world.story(ada)).toEqual([first, '2026-01-31 … 2026-02-28 subscription_cycle current -'])

  await go(ada, '2026-02-15T00:00:00Z')
  await world.use(ada, '1234', '2026-01-31T10:00:00Z')
  await world.use(ada, '66', '2026-01-31T09:45:00Z')
  await world.sync(ada)
  const current = await world.read(ada, 'current')
  expect(amounts(current)).toEqual(['1300 Seconds: 1,300 second', '2000 Plain'])
  expect(current.total.minor).toBe(3300n)

  await go(ada, '2026-02-28T09:30:00Z')
  expect(await world.story(ada)).toEqual([
    first,
    '2026-01-31 … 2026-02-28 subscription_cycle closing -',
    '2026-02-28 … 2026-03-31 subscription_cycle current -',
  ])
  const closing = await world.read(ada, 'closing')
  expect(amounts(closing)).toEqual(['1300 Seconds: 1,300 second', '2000 Plain'])

  await go(ada, '2026-02-28T10:30:01Z')
  expect(await world.story(ada)).toEqual([
    first,
    '2026-01-31 … 2026-02-28 subscription_cycle paid 3300',
    '2026-02-28 … 2026-03-31 subscription_cycle current -',
  ])
  const frozen = await world.read(ada, 'paid')
  expect(frozen.lines.find(({ key }) => key === 'compute')?.derivation?.exact).toBe('13')
  const [, cycle] = await world.atStripe(ada)
  expect(cycle?.invoice.total).toBe(3300)
  expect(cycle?.lines).toEqual(amounts(frozen).sort())
})

test('usage half an hour after the boundary stands on the next invoice, usage before it on the last one', async () => {
  const bob = await world.register('plain', '2026-01-10T12:15:00Z')
  await world.deliver()
  await go(bob, '2026-02-10T12:45:00Z')
  await world.use(bob, '500', '2026-02-10T12:14:59Z')
  await world.use(bob, '7', '2026-02-10T12:15:00Z')
  await world.use(bob, '30', '2026-02-10T12:45:00Z')
  expect(amounts(await world.read(bob, 'closing'))).toEqual(['500 Seconds: 500 second', '2000 Plain'])
  expect(amounts(await world.read(bob, 'current'))).toEqual(['37 Seconds: 37 second', '2000 Plain'])
  await world.sync(bob)
  await go(bob, '2026-02-10T13:20:00Z')
  expect((await world.atStripe(bob)).at(-1)?.lines).toEqual([
    '2000 1 × Cloud (at $20.00 / month)',
    '500 Seconds: 500 second',
  ])
})

test('usage that comes after its invoice is final goes on the next one, labelled with its own period', async () => {
  const eve = await world.register('tiered', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(eve, '2026-01-20T00:00:00Z')
  await world.use(eve, '90', '2026-01-15T00:00:00Z')
  await world.sync(eve)
  await go(eve, '2026-02-10T00:00:00Z')
  await go(eve, '2026-02-10T02:00:00Z')
  // 90 at 0.10 is 9.00; support 10 % of 9.00 and the fee of 20.00 is 2.90.
  expect((await world.read(eve, 'paid')).total.minor).toBe(2000n + 900n + 290n)

  await world.use(eve, '30', '2026-01-16T00:00:00Z')
  // 120 would have been 100 at 0.10 and 20 at 0.01: 10.20; support 3.02.
  expect(amounts(await world.read(eve, 'current'))).toEqual([
    '200 Support, 10 %',
    '120 Seconds: 30 second, reported late for 2026-01-10 to 2026-02-10',
    '12 Support, 10 %, reported late for 2026-01-10 to 2026-02-10',
    '2000 Tiered',
  ])
  await world.sync(eve)
  await go(eve, '2026-03-10T00:00:00Z')
  await go(eve, '2026-03-10T02:00:00Z')
  const last = (await world.atStripe(eve)).at(-1)
  expect(last?.lines).toEqual([
    '12 Support, 10 %, reported late for 2026-01-10 to 2026-02-10',
    '120 Seconds: 30 second, reported late for 2026-01-10 to 2026-02-10',
    '200 Support, 10 %',
    '2000 1 × Cloud (at $20.00 / month)',
  ])
  // Billed once: nothing of it is left.
  expect(amounts(await world.read(eve, 'current'))).toEqual(['200 Support, 10 %', '2000 Tiered'])
  expect((await world.invoices(eve)).every(({ lateUsage }) => !lateUsage)).toBe(true)
})

test('after an outage over several periods each has its invoice, and none has two', async () => {
  const ian = await world.register('plain', '2026-01-31T00:00:00Z')
  await world.deliver()
  await world.turn(ian, '2026-03-01T00:00:00Z')
  await world.turn(ian, '2026-04-15T00:00:00Z')
  await world.turn(ian, '2026-05-15T00:00:00Z')
  const events = await world.newEvents()
  // The newest subscription event is all that is needed to know of the periods between.
  const newest = events.findLast(({ type }) => type === 'customer.subscription.updated')
  await world.receive(newest ?? {})
  await world.drain()
  expect((await world.story(ian)).slice(1)).toEqual([
    '2026-01-31 … 2026-02-28 subscription_cycle closing -',
    '2026-02-28 … 2026-03-31 subscription_cycle closing -',
    '2026-03-31 … 2026-04-30 subscription_cycle closing -',
    '2026-04-30 … 2026-05-31 subscription_cycle current -',
  ])
  for (const event of events) await world.receive(event)
  await world.drain()
  expect(await world.story(ian)).toEqual([
    '2026-01-31 … 2026-01-31 subscription_create paid 2000',
    '2026-01-31 … 2026-02-28 subscription_cycle paid 2000',
    '2026-02-28 … 2026-03-31 subscription_cycle paid 2000',
    '2026-03-31 … 2026-04-30 subscription_cycle paid 2000',
    '2026-04-30 … 2026-05-31 subscription_cycle current -',
  ])
})

test('usage of a trial is free and says why; the first paid period begins at its end', async () => {
  const joe = await world.register('trying', '2026-01-01T08:20:00Z')
  await world.deliver()
  await go(joe, '2026-01-05T00:00:00Z')
  await world.use(joe, '1000', '2026-01-03T00:00:00Z')
  const trial = await world.read(joe, 'current')
  expect(amounts(trial)).toEqual(['0 Seconds: 1,000 second', '2000 Trying'])
  expect(trial.lines[0]?.derivation).toMatchObject({ free: 'trial', rounded: '10.00', amount: '0.00' })
  await world.sync(joe)
  await go(joe, '2026-01-15T08:20:00Z')
  await go(joe, '2026-01-15T10:00:00Z')
  await world.use(joe, '50', '2026-01-15T09:00:00Z')
  expect(await world.story(joe)).toEqual([
    '2026-01-01 … 2026-01-01 subscription_create paid 0',
    '2026-01-01 … 2026-01-15 subscription_cycle paid 2000',
    '2026-01-15 … 2026-02-15 subscription_cycle current -',
  ])
  expect(amounts(await world.read(joe, 'current'))).toEqual(['50 Seconds: 50 second', '2000 Trying'])
})

test('yen have no smaller coin: one rounding, and Stripe says the same', async () => {
  const kei = await world.register('yen', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(kei, '2026-01-20T00:00:00Z')
  await world.use(kei, '123', '2026-01-15T00:00:00Z')
  await world.use(kei, '2', '2026-01-15T00:00:00Z')
  await world.sync(kei)
  // 125 at 0.1 yen is 12.5: half away from zero.
  expect(amounts(await world.read(kei, 'current'))).toEqual(['13 Seconds: 125 second', '2000 Yen'])
  await go(kei, '2026-02-10T00:00:00Z')
  await go(kei, '2026-02-10T02:00:00Z')
  expect((await world.read(kei, 'paid')).total).toEqual({ minor: 2013n, currency: 'jpy' })
  expect((await world.atStripe(kei)).at(-1)?.invoice.total).toBe(2013)
})

test('canceled at period end, the last period is billed and nothing after it', async () => {
  const lea = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(lea, '2026-01-20T00:00:00Z')
  await world.use(lea, '300', '2026-01-15T00:00:00Z')
  await world.sync(lea)
  await world.stripe.subscriptions.update(lea.subscription, { cancel_at_period_end: true })
  await world.deliver()
  // No fee in advance for a period that will not be.
  expect(amounts(await world.read(lea, 'current'))).toEqual(['300 Seconds: 300 second'])
  await go(lea, '2026-02-10T00:00:00Z')
  await world.use(lea, '10', '2026-02-09T23:59:59Z')
  await world.use(lea, '999', '2026-02-10T00:00:00Z')
  await world.sync(lea)
  await go(lea, '2026-02-10T02:00:00Z')
  expect(await world.story(lea)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 310',
  ])
  expect((await world.atStripe(lea)).at(-1)?.lines).toEqual(['310 Seconds: 310 second'])
})

test('canceled now, what was used until then is billed on an invoice of its own', async () => {
  const max = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(max, '2026-01-20T00:20:00Z')
  await world.use(max, '300', '2026-01-15T00:00:00Z')
  await world.sync(max)
  await world.use(max, '45', '2026-01-20T00:10:00Z')
  await world.stripe.subscriptions.cancel(max.subscription)
  await world.deliver()
  await world.deliver()
  expect(await world.story(max)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-01-20 subscription_cycle closing -',
  ])
  await go(max, '2026-01-20T02:00:00Z')
  expect(await world.story(max)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-01-20 subscription_cycle paid 345',
  ])
  const last = (await world.atStripe(max)).at(-1)
  expect(last?.lines).toEqual(['345 Seconds: 345 second'])
  expect(last?.invoice).toMatchObject({ status: 'paid', total: 345 })

  // Usage of before the end that comes still later has another one.
  await world.use(max, '5', '2026-01-19T00:00:00Z')
  await world.sync(max)
  await world.deliver()
  await go(max, '2026-01-20T04:00:00Z')
  expect(await world.story(max)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-01-20 subscription_cycle paid 345',
    '2026-01-10 … 2026-02-10 manual paid 5',
  ])
  expect(await world.requests(() => world.sync(max))).toEqual([])
})

test('canceled now with nothing used, the period is closed without an invoice', async () => {
  const ned = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.cancel(ned.subscription)
  await world.deliver()
  expect(await world.story(ned)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_cycle paid 0',
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
  ])
  expect(await world.requests(() => world.sync(ned))).toEqual([])
})

test('canceled during a free trial, what was used for nothing is written down, and no invoice is made', async () => {
  const pam = await world.register('trying', '2026-01-01T00:00:00Z')
  await world.deliver()
  await go(pam, '2026-01-05T00:00:00Z')
  await world.use(pam, '1000', '2026-01-03T00:00:00Z')
  await world.sync(pam)
  await world.stripe.subscriptions.cancel(pam.subscription)
  await world.deliver()
  expect(await world.story(pam)).toEqual([
    '2026-01-01 … 2026-01-01 subscription_create paid 0',
    '2026-01-01 … 2026-01-05 subscription_cycle paid 0',
  ])
  const row = (await world.invoices(pam)).at(-1)
  expect(row?.providerInvoiceId).toBeNull()
  const { data } = await world.stripe.invoiceItems.list({ customer: pam.customer })
  expect(data).toEqual([])
  expect(amounts(await world.read(pam, 'paid'))).toEqual(['0 Seconds: 1,000 second'])
  expect(await world.requests(() => world.sync(pam))).toEqual([])
})

test('a subscription that only drafts opens its next periods all the same, each with its own usage', async () => {
  const rob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(rob.subscription, {
    pause_collection: { behavior: 'keep_as_draft' },
  })
  await go(rob, '2026-02-20T00:00:00Z')
  await world.use(rob, '1', '2026-01-15T00:00:00Z')
  await world.use(rob, '20', '2026-02-15T00:00:00Z')
  await go(rob, '2026-03-20T00:00:00Z')
  await world.use(rob, '300', '2026-03-15T00:00:00Z')
  await world.sync(rob)
  expect(await world.story(rob)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle closing -',
    '2026-02-10 … 2026-03-10 subscription_cycle closing -',
    '2026-03-10 … 2026-04-10 subscription_cycle current -',
  ])
  const usage = (await world.atStripe(rob)).map(({ invoice, lines }) => [
    invoice.status,
    ...lines.filter((line) => line.includes('Seconds')),
  ])
  expect(usage).toEqual([['paid'], ['draft', '1 Seconds: 1 second'], ['draft', '20 Seconds: 20 second']])
})

test('where the cycle is reset, the period ends there; what it owes goes onto the next invoice', async () => {
  const sue = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(sue, '2026-01-20T10:30:00Z')
  await world.use(sue, '100', '2026-01-15T00:00:00Z')
  await world.sync(sue)
  await world.use(sue, '8', '2026-01-20T10:15:00Z')
  await world.stripe.subscriptions.update(sue.subscription, {
    billing_cycle_anchor: { type: 'now' },
    proration_behavior: 'none',
  })
  await world.deliver()
  await go(sue, '2026-01-20T10:50:00Z')
  await world.use(sue, '3', '2026-01-20T10:45:00Z')
  expect((await world.story(sue)).slice(1)).toEqual([
    '2026-01-10 … 2026-01-20 subscription_cycle closing -',
    '2026-01-20 … 2026-01-20 subscription_update paid 2100',
    '2026-01-20 … 2026-02-20 subscription_cycle current -',
  ])
  await world.sync(sue)
  await go(sue, '2026-02-20T10:30:00Z')
  await go(sue, '2026-02-20T12:00:00Z')
  const last = (await world.atStripe(sue)).at(-1)
  expect(last?.lines.filter((line) => line.includes('Seconds'))).toEqual([
    '3 Seconds: 3 second',
    '8 Seconds: 8 second, reported late for 2026-01-10 to 2026-01-20',
  ])
  // Days later it is known that the period gets no invoice of its own.
  await world.use(sue, '1', '2026-01-19T00:00:00Z')
  await world.sync(sue)
  expect((await world.story(sue)).filter((line) => line.includes('closing'))).toEqual([])
})

test('a customer that is deleted at Stripe: its subscription is over, and its events find an owner', async () => {
  const tom = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.customers.del(tom.customer)
  await world.deliver()
  const { rows } = await world.pool.query('select gone from provider_object where id = $1', [tom.customer])
  expect(rows).toEqual([{ gone: true }])
  expect(customerToApi((await readCustomer(world.db, tom.customerId)) as Customer)).toMatchObject({
    providerId: null,
    deletedAtProvider: expect.any(String),
  })
  expect((await world.story(tom)).filter((line) => line.includes('current'))).toEqual([])
})
