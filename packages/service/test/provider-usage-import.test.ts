import type Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { liveAndDie } from '../../../test/faults/import.ts'
import { newSimulator } from '../../../test/support/simulator.ts'
import { importRoutes } from '../src/http/routes/imports.ts'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { type Installation, newInstallation } from './support/installation.ts'

// What Stripe's own meters have counted is shown by the current invoice of whoever is taken up, and Stripe goes on to bill it.
// https://docs.stripe.com/billing/subscriptions/usage-based

let simulator: Simulator
let stripe: Stripe
let one: Installation
beforeEach(async () => {
  simulator = await newSimulator()
  one = await newInstallation(simulator)
  importRoutes(one.app, { ...one.deps, workflows: one.workflows })
  invoiceRoutes(one.app, one.deps)
  stripe = one.deps.provider.stripe
})
afterEach(async () => {
  await one.close()
  await simulator.close()
})

interface Import {
  readonly refusals: readonly unknown[]
  readonly progress: readonly { type: string; metered: number }[]
  readonly proof: Record<string, unknown> | null
}

async function run(dryRun = false): Promise<Import> {
  const { body } = await one.ask('POST', '/v1/imports', { dryRun })
  const { rows } = await one.database.pool.query('select workflow_id from import_run where id = $1', [
    body.id,
  ])
  await one.workflows.settled(rows[0].workflow_id, 60)
  const ended = await one.ask('GET', `/v1/imports/${body.id}`)
  expect(ended.status).toBe(200)
  return ended.body as unknown as Import
}

/** A product that is counted by a meter of its own. */
async function metered(name: string, more: Omit<Stripe.PriceCreateParams, 'currency' | 'product'>) {
  const eventName = name.toLowerCase()
  const meter = await stripe.billing.meters.create({
    ...{ display_name: name, event_name: eventName, default_aggregation: { formula: 'sum' } },
  })
  const product = await stripe.products.create({ name })
  const price = await stripe.prices.create({
    ...{ currency: 'usd', product: product.id, ...more },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const use = (customer: string, value: string) =>
    stripe.billing.meterEvents.create({
      event_name: eventName,
      payload: { stripe_customer_id: customer, value },
    })
  return { price: price.id, use }
}

async function subscribe(name: string, ...prices: string[]) {
  const customer = await stripe.customers.create({ name })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
  const { id } = await stripe.subscriptions.create({
    customer: customer.id,
    items: prices.map((price) => ({ price })),
  })
  return { id, customer: customer.id }
}

/** The current invoice of a subscription of Stripe's. */
async function current(subscription: string) {
  const { rows } = await one.database.pool.query(
    `select i.id from invoice i join mapping m on m.entity_id = i.subscription_id
     where m.provider_id = $1 and i.status = 'current'`,
    [subscription],
  )
  const { status, body } = await one.ask('GET', `/v1/invoices/${rows[0].id}`)
  expect(status).toBe(200)
  return body as unknown as {
    id: string
    total: { amount: string }
    subtotal: { amount: string }
    lines: { description: string; quantity: string; amount: { amount: string }; asOf: string | null }[]
  }
}

const previews = () =>
  simulator.control.requests().requests.filter(({ path }) => path.startsWith('/v1/invoices/create_preview'))
    .length

/** Calls at 0.0005 dollars each, tokens of which a hundred are free and each further one costs 0.02, and a fee of 12.00. */
async function account() {
  const calls = await metered('Calls', { unit_amount_decimal: '0.05' as never })
  const tokens = await metered('Tokens', {
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 100, unit_amount: 0 },
      { up_to: 'inf', unit_amount: 2 },
    ],
  })
  const team = await stripe.products.create({ name: 'Team' })
  const fee = await stripe.prices.create({
    ...{ currency: 'usd', product: team.id, unit_amount: 1200 },
    recurring: { interval: 'month' },
  })
  return { calls, tokens, fee: fee.id }
}

const usd = (amount: string, minor: string) => ({ amount, minor, currency: 'usd' })

test('an import carries over what the meters of Stripe have counted, tiers and all, and proves it', async () => {
  const { calls, tokens, fee } = await account()
  const ada = await subscribe('Ada', calls.price)
  const bob = await subscribe('Bob', fee, tokens.price)
  const cat = await subscribe('Cat', fee)
  await calls.use(ada.customer, '12000')
  await calls.use(ada.customer, '345')
  await tokens.use(bob.customer, '150.5')
  simulator.control.clearRequests()

  const meteredOf = ({ progress }: Import) => progress.find(({ type }) => type === 'subscription')?.metered
  const planned = await run(true)
  expect(planned.proof).toBeNull()
  expect(meteredOf(planned)).toBe(2)
  expect(previews()).toBe(0)
  const done = await run()
  expect(done.refusals).toEqual([])
  expect(meteredOf(done)).toBe(2)
  // 12,345 × 0.05 = 617.25 cents; 50.5 × 2 = 101.
  expect(done.proof).toMatchObject({
    meteredThere: 2,
    unequalCount: 0,
    usage: {
      carriedOver: 2,
      notCarriedOver: [],
      amounts: [{ there: usd('7.18', '718'), here: usd('7.18', '718') }],
    },
  })
  expect(previews()).toBe(2)

  const shown = ({ lines }: Awaited<ReturnType<typeof current>>) =>
    lines.map(({ description, quantity, amount, asOf }) => [
      description,
      quantity,
      amount.amount,
      asOf !== null,
    ])
  const ofAda = await current(ada.id)
  expect(shown(ofAda)).toEqual([['12345 × Calls (at $0.0005 / month)', '12345', '6.17', true]])
  expect(ofAda.total.amount).toBe('6.17')
  const ofBob = await current(bob.id)
  expect(shown(ofBob)).toEqual([
    ['100 × Tokens (Tier 1 at $0.00 / month)', '100', '0.00', true],
    ['50.5 × Tokens (Tier 2 at $0.02 / month)', '50.5', '1.01', true],
    ['Team', '1', '12.00', false],
  ])
  expect(ofBob.total.amount).toBe('13.01')
  expect(shown(await current(cat.id))).toEqual([['Team', '1', '12.00', false]])
  // Nothing of it is sent: it is Stripe's to bill.
  const { data } = await stripe.invoiceItems.list({ pending: true })
  expect(data).toEqual([])

  // Usage that came since is heard of by asking: of one by its sync, of all by the next import.
  await calls.use(ada.customer, '655')
  const { status } = await one.ask('POST', `/v1/invoices/${ofAda.id}/sync`)
  expect(status).toBe(200)
  // 13,000 × 0.05 = 650.
  expect((await current(ada.id)).total.amount).toBe('6.50')
  expect(previews()).toBe(3)
  await tokens.use(bob.customer, '49.5')
  // 100 further ones at 2 cents.
  expect((await run()).proof).toMatchObject({
    usage: { carriedOver: 2, amounts: [{ there: usd('8.50', '850'), here: usd('8.50', '850') }] },
  })
  expect((await current(bob.id)).total.amount).toBe('14.00')
  expect(previews()).toBe(5)
})

test('an import that dies in the middle goes on, and asks of nobody twice but who was in hand', async () => {
  const { calls } = await account()
  for (const name of ['Ada', 'Bob', 'Cat', 'Dan', 'Eve', 'Fay']) {
    const { customer } = await subscribe(name, calls.price)
    await calls.use(customer, '1000')
  }
  simulator.control.clearRequests()
  let deaths = 0
  // Each lives a little longer than the one before.
  while (await liveAndDie(one, 60 * (deaths + 1))) deaths += 1
  const { rows } = await one.database.pool.query('select id, proof from import_run')
  // A thousand calls are 0.50 of each of the six.
  expect(rows[0].proof).toMatchObject({
    meteredThere: 6,
    usage: {
      carriedOver: 6,
      notCarriedOver: [],
      amounts: [{ currency: 'usd', there: '300', here: '300' }],
    },
  })
  expect(deaths).toBeGreaterThan(2)
  // Four are in hand at a time.
  expect(previews()).toBeLessThanOrEqual(6 + 4 * deaths)
})
