import { describe, expect, test } from 'vitest'
import { adjustmentRoutes } from '../src/http/routes/adjustments.ts'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
for (const register of [invoiceRoutes, adjustmentRoutes]) register(server.app, world.deps)

/** A month that runs since 10 January, its fee of 20.00 paid. */
async function subscribed(plan = 'plain'): Promise<Payer> {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z')
  await world.turn(payer, '2026-01-20T00:00:00Z')
  await world.deliver()
  return payer
}

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

const current = async (payer: Payer) => (await world.read(payer, 'current')).invoice.id

type Body = { id: string; data: Body[]; code: string } & Record<string, unknown>

async function ask(method: 'GET' | 'POST', url: string, payload?: object, key?: string) {
  const { status, body } = await server.call({
    method,
    url,
    ...(payload && { payload }),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })
  return { status, body: body as Body }
}

const because = { description: 'Goodwill for the outage', reason: 'Ticket 4711' }
const adjust = (invoice: string, payload: object, key?: string) =>
  ask('POST', `/v1/invoices/${invoice}/adjustments?dryRun=false`, { ...because, ...payload }, key)
const preview = (invoice: string, payload: object) =>
  ask('POST', `/v1/invoices/${invoice}/adjustments`, { ...because, ...payload })
const withdraw = (invoice: string, id: string, reason = 'A mistake') =>
  ask('POST', `/v1/invoices/${invoice}/adjustments/${id}/withdraw?dryRun=false`, { reason })

async function pending({ customer }: Payer): Promise<string[]> {
  const items = await world.stripe.invoiceItems
    .list({ customer, pending: true, limit: 100 })
    .autoPagingToArray({ limit: 1000 })
  return items.map(({ amount, description }) => `${amount} ${description}`).sort()
}

/** What Stripe's last invoice says. */
async function lastAtStripe(payer: Payer) {
  const { invoice, lines } = (await world.atStripe(payer)).at(-1) ?? {}
  const customer = await world.stripe.customers.retrieve(payer.customer)
  const balance = customer.deleted ? null : customer.balance
  return { lines, total: invoice?.total, due: invoice?.amount_due, paid: invoice?.amount_paid, balance }
}

/** What Stripe says the renewal will come to, and what we say. */
async function upcoming(payer: Payer) {
  const { total } = await world.stripe.invoices.createPreview({ subscription: payer.subscription })
  return { stripe: BigInt(total), ours: (await world.read(payer, 'current')).total.minor }
}

const usd = (minor: number) => ({ amount: (minor / 100).toFixed(2), minor: `${minor}`, currency: 'usd' })

test('a credit, a charge and a note are previewed, made, explained, and billed with the renewal', async () => {
  const payer = await subscribed()
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  const invoice = await current(payer)
  expect(await preview(invoice, { kind: 'credit', amount: '5.00' })).toEqual({
    status: 200,
    body: { invoice, before: usd(2100), after: usd(1600), toBalance: usd(0) },
  })
  expect((await ask('GET', `/v1/invoices/${invoice}/adjustments`)).body.data).toEqual([])

  const credit = await adjust(invoice, { kind: 'credit', amount: '5.00', agent: 'Bob' })
  expect(credit).toMatchObject({
    status: 201,
    body: {
      ...because,
      ...{ invoice, kind: 'credit', amount: usd(-500), agent: 'Bob', withdrawn: null, supersedes: null },
      madeBy: expect.stringMatching(/^(admin|api_key)_/),
      madeAt: '2026-01-20T00:00:00Z',
    },
  })
  await adjust(invoice, { kind: 'charge', amount: '30.00', description: 'Set-up' })
  await adjust(invoice, { kind: 'note', description: 'As agreed by telephone' })
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '100 Seconds: 100 second',
    '-500 Goodwill for the outage',
    '3000 Set-up',
    '0 As agreed by telephone',
    '2000 Plain',
  ])
  const { body } = await ask('GET', `/v1/invoices/${invoice}/lines/${credit.body.id}/derivation`)
  expect(body.explanation).toEqual([
    'adjustment, 2026-01-10T00:00:00Z … 2026-02-10T00:00:00Z',
    'credit made 2026-01-20T00:00:00Z: -5.00',
  ])
  // Why it was made is not for the customer.
  expect(JSON.stringify(body)).not.toContain('4711')

  await world.sync(payer)
  expect(await world.requests(() => world.sync(payer))).toEqual([])
  expect(await upcoming(payer)).toEqual({ stripe: 4600n, ours: 4600n })
  await go(payer, '2026-02-10T02:00:00Z')
  const lines = [
    '-500 Goodwill for the outage',
    '0 As agreed by telephone',
    '100 Seconds: 100 second',
    '2000 1 × Cloud (at $20.00 / month)',
    '3000 Set-up',
  ]
  expect(await lastAtStripe(payer)).toMatchObject({ lines, total: 4600, paid: 4600 })
  expect((await world.read(payer, 'paid')).total.minor).toBe(4600n)
  await world.sync(payer)
  expect(amounts(await world.read(payer, 'current'))).toEqual(['2000 Plain'])
  expect(await pending(payer)).toEqual([])
})

// https://docs.stripe.com/billing/customer/balance: an invoice below zero charges nothing, and its amount is
// credited to the balance, which pays the next invoice.
test('a credit beyond the invoice goes onto the balance, and pays the next one', async () => {
  const payer = await subscribed()
  const invoice = await current(payer)
  expect((await preview(invoice, { kind: 'credit', amount: '50.00' })).body).toMatchObject({
    after: usd(-3000),
    toBalance: usd(3000),
  })
  await adjust(invoice, { kind: 'credit', amount: '50.00' })
  await world.sync(payer)
  expect(await upcoming(payer)).toEqual({ stripe: -3000n, ours: -3000n })
  await go(payer, '2026-02-10T02:00:00Z')
  expect(await lastAtStripe(payer)).toMatchObject({ total: -3000, due: 0, paid: 0, balance: -3000 })
  expect((await world.read(payer, 'paid')).invoice).toMatchObject({ total: -3000n, amountDue: 0n })
  await go(payer, '2026-03-10T02:00:00Z')
  expect(await lastAtStripe(payer)).toMatchObject({ total: 2000, due: 0, paid: 0, balance: -1000 })
})

test('a yen has no cents, and of a dinar only whole tens of fils are charged', async () => {
  const [yen, dinar] = [await subscribed('yen'), await subscribed('dinar')]
  const refused = { status: 400, body: { errors: [{ pointer: '#/amount', code: 'amount_invalid' }] } }
  expect(await adjust(await current(yen), { kind: 'credit', amount: '5.5' })).toMatchObject(refused)
  expect(await adjust(await current(dinar), { kind: 'credit', amount: '0.005' })).toMatchObject(refused)
  // Eight digits of the smallest unit are the most that Stripe takes at once.
  for (const kind of ['credit', 'charge']) {
    expect(await adjust(await current(yen), { kind, amount: '100000000' })).toMatchObject(refused)
  }
  expect(await adjust(await current(dinar), { kind: 'charge', amount: '100000.000' })).toMatchObject({
    status: 400,
    body: { errors: [{ detail: 'Stripe takes at most 99999.999 kwd at once.' }] },
  })
  await adjust(await current(yen), { kind: 'credit', amount: '500' })
  await adjust(await current(dinar), { kind: 'charge', amount: '0.010' })
  for (const payer of [yen, dinar]) {
    await world.sync(payer)
    await go(payer, '2026-02-10T02:00:00Z')
  }
  expect(await lastAtStripe(yen)).toMatchObject({ total: 1500, paid: 1500 })
  expect(await lastAtStripe(dinar)).toMatchObject({ total: 2010, paid: 2010 })
})

describe('taking back', () => {
  test('removes it here at once and at Stripe with the next sync; the record stays', async () => {
    const payer = await subscribed()
    const invoice = await current(payer)
    const { body: made } = await adjust(invoice, { kind: 'credit', amount: '5.00' })
    await world.sync(payer)
    expect(await pending(payer)).toEqual(['-500 Goodwill for the outage'])
    expect(
      await ask('POST', `/v1/invoices/${invoice}/adjustments/${made.id}/withdraw`, { reason: 'x' }),
    ).toEqual({
      status: 200,
      body: { invoice, before: usd(1500), after: usd(2000), toBalance: usd(0) },
    })
    expect(await withdraw(invoice, made.id)).toMatchObject({
      status: 200,
      body: { id: made.id, withdrawn: { reason: 'A mistake', by: made.madeBy } },
    })
    expect(amounts(await world.read(payer, 'current'))).toEqual(['2000 Plain'])
    await world.sync(payer)
    expect(await pending(payer)).toEqual([])
    expect(await withdraw(invoice, made.id, 'Another mistake')).toMatchObject({
      status: 409,
      body: { code: 'adjustment_withdrawn' },
    })
    const { body } = await ask('GET', `/v1/invoices/${invoice}/adjustments`)
    expect(body.data).toMatchObject([
      { id: made.id, reason: 'Ticket 4711', withdrawn: { reason: 'A mistake' } },
    ])
  })

  test('is repeatable: at once, later, and when the invoice is final', async () => {
    const payer = await subscribed()
    const invoice = await current(payer)
    const { body: made } = await adjust(invoice, { kind: 'credit', amount: '5.00' })
    const withdrawn = { by: made.madeBy, at: '2026-01-20T00:00:00Z', reason: 'A mistake' }
    const done = { status: 200, body: { id: made.id, withdrawn } }
    const answers = await Promise.all(Array.from({ length: 3 }, () => withdraw(invoice, made.id)))
    expect(answers).toMatchObject([done, done, done])
    await go(payer, '2026-02-10T02:00:00Z')
    // Whoever asks, after a crash too, is told what was done and when.
    expect(await withdraw(invoice, made.id)).toMatchObject(done)
    expect(await withdraw(invoice, made.id, 'Another mistake')).toMatchObject({
      status: 409,
      body: { code: 'invoice_frozen' },
    })
  })

  test('another one takes its place, at no moment both', async () => {
    const payer = await subscribed()
    const invoice = await current(payer)
    const { body: first } = await adjust(invoice, { kind: 'credit', amount: '5.00' })
    const better = { kind: 'credit', amount: '7.00', supersedes: first.id }
    expect((await preview(invoice, better)).body).toMatchObject({ before: usd(1500), after: usd(1300) })
    const { body: second } = await adjust(invoice, better)
    expect(second).toMatchObject({ supersedes: first.id })
    expect(amounts(await world.read(payer, 'current'))).toEqual([
      '-700 Goodwill for the outage',
      '2000 Plain',
    ])
    expect(await adjust(invoice, better)).toMatchObject({
      status: 409,
      body: { code: 'adjustment_withdrawn' },
    })
  })

  test('heard too late, because Stripe had just billed it, it is given back on the next invoice', async () => {
    const payer = await subscribed()
    const invoice = await current(payer)
    const { body: made } = await adjust(invoice, { kind: 'charge', amount: '30.00', description: 'Set-up' })
    await world.sync(payer)
    // Stripe has finalized it; we have not heard of it yet.
    await world.turn(payer, '2026-02-10T02:00:00Z')
    await withdraw(invoice, made.id)
    await world.deliver()
    expect((await world.read(payer, 'paid')).total.minor).toBe(5000n)
    await world.sync(payer)
    expect(await pending(payer)).toEqual(['-3000 Set-up, taken back, for 2026-01-10 to 2026-02-10'])
  })
})

test('made too late for the invoice, it comes with the next one and says of which it is', async () => {
  const payer = await subscribed()
  const invoice = await current(payer)
  await world.turn(payer, '2026-02-10T02:00:00Z')
  await adjust(invoice, { kind: 'credit', amount: '5.00' })
  await world.deliver()
  await world.sync(payer)
  expect(await pending(payer)).toEqual(['-500 Goodwill for the outage, for 2026-01-10 to 2026-02-10'])
})

test('while the draft is open it goes onto it; once final, a credit note is named instead', async () => {
  const payer = await subscribed()
  const invoice = await current(payer)
  await go(payer, '2026-02-10T00:30:00Z')
  await adjust(invoice, { kind: 'credit', amount: '5.00' })
  await world.sync(payer)
  await go(payer, '2026-02-10T02:00:00Z')
  expect(await lastAtStripe(payer)).toMatchObject({ total: 1500, paid: 1500 })
  expect(await adjust(invoice, { kind: 'credit', amount: '5.00' })).toMatchObject({
    status: 409,
    body: { code: 'invoice_frozen', detail: expect.stringContaining('credit note') },
  })
})

test('a credit on the last invoice of a subscription that is over goes onto the balance', async () => {
  const payer = await subscribed()
  await adjust(await current(payer), { kind: 'credit', amount: '5.00' })
  await adjust(await current(payer), { kind: 'note' })
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await world.sync(payer)
  await go(payer, '2026-01-20T03:00:00Z')
  expect(await lastAtStripe(payer)).toMatchObject({
    ...{ lines: ['-500 Goodwill for the outage', '0 Goodwill for the outage'], total: -500, balance: -500 },
  })
  expect(await world.requests(() => world.sync(payer))).toEqual([])
})

test('what an invoice in the middle of the period has billed is not taken back', async () => {
  const payer = await subscribed()
  const invoice = await current(payer)
  const { body: made } = await adjust(invoice, { kind: 'charge', amount: '30.00', description: 'Set-up' })
  await world.sync(payer)
  const manual = await world.stripe.invoices.create({
    customer: payer.customer,
    subscription: payer.subscription,
    pending_invoice_items_behavior: 'include',
  })
  await world.stripe.invoices.finalizeInvoice(manual.id)
  await world.deliver()
  expect(await withdraw(invoice, made.id)).toMatchObject({ status: 409, body: { code: 'adjustment_billed' } })
  await world.sync(payer)
  expect(amounts(await world.read(payer, 'current'))).toEqual(['2000 Plain'])
})

test('asked twice under one key it is made once; ten at once are ten', async () => {
  const payer = await subscribed()
  const invoice = await current(payer)
  const once = await Promise.all(
    Array.from({ length: 3 }, () => adjust(invoice, { kind: 'credit', amount: '1.00' }, 'same')),
  )
  expect(once.map(({ status }) => status).filter((status) => status !== 409)).toContain(201)
  await Promise.all(Array.from({ length: 10 }, () => adjust(invoice, { kind: 'credit', amount: '1.00' })))
  expect((await world.read(payer, 'current')).total.minor).toBe(2000n - 1100n)
})

test('there is an end to it: fifty stand on an invoice, and a note has no amount', async () => {
  const payer = await subscribed()
  const invoice = await current(payer)
  for (let i = 0; i < 50; i += 1) await adjust(invoice, { kind: 'note' })
  expect(await adjust(invoice, { kind: 'note' })).toMatchObject({
    status: 409,
    body: { code: 'invoice_not_adjustable' },
  })
  expect(await adjust(invoice, { kind: 'note', amount: '1.00' })).toMatchObject({ status: 400 })
  expect(await adjust(invoice, { kind: 'credit' })).toMatchObject({ status: 400 })
  expect(await withdraw(invoice, 'adjustment_none')).toMatchObject({
    status: 404,
    body: { code: 'adjustment_not_found' },
  })
})
