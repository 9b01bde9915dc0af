import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { syncSubscription } from '../src/workflow/sync-invoice.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

// A subscription that ends while the draft of its renewal waits to be finalized. Stripe stops that draft, so nothing on it is
// collected: neither the fee of the period that has just begun nor the usage of the one before.
// https://docs.stripe.com/billing/subscriptions/cancel

const world = await shared(newBillingWorld())
const server = await newServer(world)
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

interface Answered {
  readonly body: { readonly state?: string; readonly toBill?: unknown }
}

async function ask({ subscriptionId }: Payer, verb: string): Promise<Answered> {
  const url = `/v1/subscriptions/${subscriptionId}/${verb}`
  return server.call({ method: 'POST', url, payload: { when: 'now' } })
}

/** Of 100 seconds of January Stripe takes the item onto the draft; 20 more are heard of in its hour, and 3 of February. */
async function inDraftHour(coupon?: Stripe.CouponCreateParams): Promise<Payer> {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  if (coupon) {
    const { id } = await world.stripe.coupons.create(coupon)
    await world.stripe.subscriptions.update(payer.subscription, { discounts: [{ coupon: id }] })
  }
  await world.turn(payer, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(payer, '100', '2026-01-15T00:00:00Z')
  await world.sync(payer)
  await world.turn(payer, '2026-02-10T00:10:00Z')
  return payer
}

async function moreUsage(payer: Payer): Promise<void> {
  await world.use(payer, '20', '2026-01-16T00:00:00Z')
  await world.use(payer, '3', '2026-02-10T00:05:00Z')
}

const standing = async (payer: Payer) =>
  (await world.atStripe(payer)).map(
    ({ invoice, lines }) => `${invoice.status} ${invoice.total}: ${lines.join(', ')}`,
  )

const FEE = '2000 1 × Cloud (at $20.00 / month)'

async function settled(payer: Payer): Promise<void> {
  await world.deliver()
  await world.turn(payer, '2026-02-10T04:00:00Z')
  await world.deliver()
  await world.sync(payer)
}

test('ended by us: the usage goes onto an invoice of its own, as previewed, and is collected', async () => {
  const ada = await inDraftHour()
  await world.deliver()
  await moreUsage(ada)
  const { body } = await ask(ada, 'cancel/preview')
  expect(body.toBill).toMatchObject({ minor: '123' })
  expect((await ask(ada, 'cancel')).body).toMatchObject({ state: 'done' })
  // Before anything was heard of the draft.
  expect(await standing(ada)).toEqual([
    `paid 2000: ${FEE}`,
    `draft 2000: ${FEE}`,
    'draft 123: 120 Seconds: 120 second, 3 Seconds: 3 second',
  ])
  await settled(ada)
  expect(await standing(ada)).toEqual([
    `paid 2000: ${FEE}`,
    `draft 2000: ${FEE}`,
    'paid 123: 120 Seconds: 120 second, 3 Seconds: 3 second',
  ])
  expect(await world.story(ada)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 0',
    '2026-02-10 … 2026-02-10 subscription_cycle paid 123',
  ])
  expect(await world.requests(() => world.sync(ada))).toEqual([])
})

test('ended by us before the renewal was heard of: the draft is found, and what Stripe put there is billed', async () => {
  const bob = await inDraftHour()
  expect((await ask(bob, 'cancel')).body).toMatchObject({ state: 'done' })
  await settled(bob)
  expect(await standing(bob)).toEqual([
    `paid 2000: ${FEE}`,
    `draft 2000: ${FEE}`,
    'paid 100: 100 Seconds: 100 second',
  ])
  expect(await world.story(bob)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 0',
    '2026-02-10 … 2026-02-10 subscription_cycle paid 100',
  ])
})

test.each([
  ['as it happened', (events: Stripe.Event[]) => events],
  ['the other way round', (events: Stripe.Event[]) => events.toReversed()],
])('ended in the dashboard, and heard of %s', async (_, order) => {
  const eve = await inDraftHour()
  await world.deliver()
  await moreUsage(eve)
  await world.sync(eve)
  await world.stripe.subscriptions.cancel(eve.subscription)
  for (const event of order(await world.newEvents())) {
    await world.receive(event)
    await world.drain()
  }
  await settled(eve)
  expect(await standing(eve)).toEqual([
    `paid 2000: ${FEE}`,
    `draft 2000: ${FEE}`,
    'paid 123: 120 Seconds: 120 second, 3 Seconds: 3 second',
  ])
  expect(await world.story(eve)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 0',
    '2026-02-10 … 2026-02-10 subscription_cycle paid 123',
  ])
})

test('a person who finalizes the draft afterwards is paid its fee, and no usage again', async () => {
  const kim = await inDraftHour()
  await world.deliver()
  await ask(kim, 'cancel')
  await settled(kim)
  const [, draft] = await world.atStripe(kim)
  await world.stripe.invoices.finalizeInvoice(draft?.invoice.id ?? '')
  await world.stripe.invoices.pay(draft?.invoice.id ?? '')
  await world.deliver()
  await world.sync(kim)
  expect(await standing(kim)).toEqual([
    `paid 2000: ${FEE}`,
    `paid 2000: ${FEE}`,
    'paid 100: 100 Seconds: 100 second',
  ])
  expect(await world.story(kim)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 0',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 2000',
    '2026-02-10 … 2026-02-10 subscription_cycle paid 100',
  ])
})

/** Ended in the dashboard, which was heard of while Stripe did not answer: nothing was taken off the stopped draft so far. */
async function stoppedButNotMoved(): Promise<{ readonly payer: Payer; readonly draft: string }> {
  const payer = await inDraftHour()
  await world.deliver()
  await world.stripe.subscriptions.cancel(payer.subscription)
  world.simulator.control.fail({ kind: 'error_500', path: '/v1/invoiceitems', times: 1000 })
  await world.deliver()
  world.simulator.control.clearFaults()
  const draft = (await world.atStripe(payer)).find(({ invoice }) => invoice.status === 'draft')
  return { payer, draft: draft?.invoice.id ?? '' }
}

async function collect(draft: string): Promise<void> {
  await world.stripe.invoices.finalizeInvoice(draft)
  await world.stripe.invoices.pay(draft)
}

/** 20 more seconds of January are heard of when all is settled. */
async function hearsLate(payer: Payer): Promise<void> {
  await world.use(payer, '20', '2026-01-16T00:00:00Z')
  await world.sync(payer)
  await world.turn(payer, '2026-02-10T08:00:00Z')
  await world.deliver()
}

const LATE = '20 Seconds: 20 second, reported late for 2026-01-10 to 2026-02-10'

test.each([
  ['heard of it', true],
  ['did not hear of it', false],
])(
  'a person who finalizes the draft before its usage is taken off is paid that too, and we %s: once, and what comes late as well',
  async (_, isHeard) => {
    const { payer, draft } = await stoppedButNotMoved()
    await collect(draft)
    const events = isHeard ? await world.deliver() : await world.newEvents()
    await world.sync(payer)
    const billed = [`paid 2000: ${FEE}`, `paid 2100: 100 Seconds: 100 second, ${FEE}`]
    expect(await standing(payer)).toEqual(billed)
    for (const event of events) await world.receive(event)
    await settled(payer)
    expect(await standing(payer)).toEqual(billed)
    expect(await world.requests(() => world.sync(payer))).toEqual([])
    await hearsLate(payer)
    expect(await standing(payer)).toEqual([...billed, `paid 20: ${LATE}`])
    expect(await world.requests(() => world.sync(payer))).toEqual([])
  },
)

test('a person who finalizes the draft at the moment its usage is taken off is paid what still stood on it, and the rest is billed apart', async () => {
  const { payer, draft } = await stoppedButNotMoved()
  const { stripe } = world.deps.provider
  let isFirst = true
  const del = async (...call: Parameters<typeof stripe.invoiceItems.del>) => {
    if (isFirst) await collect(draft)
    isFirst = false
    return stripe.invoiceItems.del(...call)
  }
  const invoiceItems = Object.create(stripe.invoiceItems, { del: { value: del } })
  const interrupted: Stripe = Object.create(stripe, { invoiceItems: { value: invoiceItems } })
  const deps = { ...world.deps, provider: { ...world.deps.provider, stripe: interrupted } }
  await syncSubscription(deps, payer.subscriptionId, { reason: 'test' })
  const billed = [`paid 2000: ${FEE}`, `paid 2100: 100 Seconds: 100 second, ${FEE}`]
  expect(await standing(payer)).toEqual(billed)
  await settled(payer)
  await hearsLate(payer)
  expect(await standing(payer)).toEqual([...billed, `paid 20: ${LATE}`])
  expect(await world.requests(() => world.sync(payer))).toEqual([])
})

test.each([
  ['paused still', false],
  ['resumed within the hour', true],
])('a draft that was kept waits for a person, with what stands on it: %s', async (_, isResumed) => {
  const max = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.stripe.subscriptions.update(max.subscription, {
    pause_collection: { behavior: 'keep_as_draft' },
  })
  await world.deliver()
  await world.turn(max, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(max, '100', '2026-01-15T00:00:00Z')
  await world.sync(max)
  await world.turn(max, '2026-02-10T00:10:00Z')
  await world.deliver()
  if (isResumed) {
    await world.stripe.subscriptions.update(max.subscription, { pause_collection: '' })
    await world.deliver()
  }
  await ask(max, 'cancel')
  await settled(max)
  expect(await standing(max)).toEqual([`paid 2000: ${FEE}`, `draft 2100: 100 Seconds: 100 second, ${FEE}`])
})

test.each([
  // Half of 1.00.
  ['once', { percent_off: 50, duration: 'once' }, 50],
  ['forever', { percent_off: 50, duration: 'forever' }, 50],
  // 1.00 less 0.30.
  ['amount', { amount_off: 30, currency: 'usd', duration: 'forever' }, 70],
  ['amount once', { amount_off: 30, currency: 'usd', duration: 'once' }, 70],
] as const)('what the stopped draft would have taken off is taken off: %s', async (_, coupon, total) => {
  const lea = await inDraftHour(coupon)
  await world.deliver()
  const { body } = await ask(lea, 'cancel/preview')
  await ask(lea, 'cancel')
  await settled(lea)
  expect((await world.atStripe(lea)).at(-1)?.invoice.total).toBe(total)
  expect(body.toBill).toMatchObject({ minor: `${total}` })
})

// Stripe finalizes no draft before every endpoint has taken `invoice.created`, for up to 72 hours.
// https://docs.stripe.com/billing/subscriptions/webhooks

/** The same five hours later: an endpoint took nothing. */
async function held(coupon?: Stripe.CouponCreateParams): Promise<Payer> {
  const { id } = await world.stripe.webhookEndpoints.create({
    ...{ url: 'http://127.0.0.1:1/hook', enabled_events: ['invoice.created'] },
  })
  const payer = await inDraftHour(coupon)
  await world.turn(payer, LATER)
  await world.stripe.webhookEndpoints.del(id)
  expect((await world.atStripe(payer)).at(-1)?.invoice.status).toBe('draft')
  return payer
}

const LATER = '2026-02-10T05:00:00Z'

async function settledLater(payer: Payer): Promise<void> {
  await world.deliver()
  await world.sync(payer)
  await world.turn(payer, '2026-02-10T09:00:00Z')
  await world.deliver()
  await world.sync(payer)
}

test('ended by us hours after a draft was made that Stripe holds: billed as previewed', async () => {
  const ned = await held({ percent_off: 50, duration: 'once' })
  await world.deliver()
  await moreUsage(ned)
  const { body } = await ask(ned, 'cancel/preview')
  // Half of 1.23 is 61.5 cents, and 62 are taken off.
  expect(body.toBill).toMatchObject({ minor: '61' })
  expect((await ask(ned, 'cancel')).body).toMatchObject({ state: 'done' })
  await settledLater(ned)
  expect(await standing(ned)).toEqual([
    `paid 2000: ${FEE}`,
    `draft 1000: ${FEE}`,
    'paid 61: 120 Seconds: 120 second, 3 Seconds: 3 second',
  ])
})

test('a draft that is final by now, of which nobody has told, is not previewed as one that the end stops', async () => {
  const ida = await inDraftHour({ percent_off: 50, duration: 'once' })
  await world.deliver()
  await moreUsage(ida)
  await world.sync(ida)
  await world.turn(ida, LATER)
  // What time it is is known, and nothing else.
  const events = await world.newEvents()
  const isOfClock = ({ type }: Stripe.Event) => type.startsWith('test_helpers.')
  for (const event of events.filter(isOfClock)) await world.receive(event)
  await world.drain()
  const { body } = await ask(ida, 'cancel/preview')
  // 1.20 of January are billed, and the coupon is used up.
  expect(body.toBill).toMatchObject({ minor: '3' })
  await ask(ida, 'cancel')
  for (const event of events) await world.receive(event)
  await settledLater(ida)
  expect((await standing(ida)).slice(1)).toEqual([
    `paid 1060: 120 Seconds: 120 second, ${FEE}`,
    'paid 3: 3 Seconds: 3 second',
  ])
})

// What a period owes that was closed for nothing comes after it.
const LATELY = ', reported late for 2026-02-10 to 2026-02-10'

test.each([
  ['as it happened', (events: Stripe.Event[]) => events, ''],
  ['the other way round', (events: Stripe.Event[]) => events.toReversed(), LATELY],
])('ended in the dashboard while a draft was held of which nothing was heard: %s', async (_, order, late) => {
  const oda = await held()
  await world.stripe.subscriptions.cancel(oda.subscription)
  for (const event of order(await world.newEvents())) {
    await world.receive(event)
    await world.drain()
  }
  await moreUsage(oda)
  await settledLater(oda)
  expect(await standing(oda)).toEqual([
    `paid 2000: ${FEE}`,
    `draft 2000: ${FEE}`,
    `paid 123: 120 Seconds: 120 second, 3 Seconds: 3 second${late}`,
  ])
})

test.each([
  ['while collection is paused', true, true],
  ['by hand', false, true],
  ['by hand, of which nothing was heard before the end', false, false],
])('ended hours after a draft was kept %s: each second is billed once', async (_, isPaused, isHeard) => {
  const late = isHeard ? '' : LATELY
  const pia = await world.register('plain', '2026-01-10T00:00:00Z')
  if (isPaused)
    await world.stripe.subscriptions.update(pia.subscription, {
      pause_collection: { behavior: 'keep_as_draft' },
    })
  await world.deliver()
  await world.turn(pia, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(pia, '100', '2026-01-15T00:00:00Z')
  await world.sync(pia)
  await world.turn(pia, '2026-02-10T00:10:00Z')
  const draft = (await world.atStripe(pia)).at(-1)?.invoice.id ?? ''
  if (!isPaused) await world.stripe.invoices.update(draft, { auto_advance: false })
  await world.turn(pia, LATER)
  if (isHeard) {
    await world.deliver()
    await moreUsage(pia)
    // What stands on the draft waits for a person.
    expect((await ask(pia, 'cancel/preview')).body.toBill).toMatchObject({ minor: '3' })
    await ask(pia, 'cancel')
  } else {
    await world.stripe.subscriptions.cancel(pia.subscription)
    await world.deliver()
    await moreUsage(pia)
  }
  await settledLater(pia)
  expect(await standing(pia)).toEqual([
    `paid 2000: ${FEE}`,
    `draft 2120: 120 Seconds: 120 second, ${FEE}`,
    `paid 3: 3 Seconds: 3 second${late}`,
  ])
  await world.stripe.invoices.finalizeInvoice(draft)
  await world.deliver()
  await world.sync(pia)
  expect(await standing(pia)).toEqual([
    `paid 2000: ${FEE}`,
    `open 2120: 120 Seconds: 120 second, ${FEE}`,
    `paid 3: 3 Seconds: 3 second${late}`,
  ])
  expect(await world.story(pia)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle open 2120',
    ...(isHeard
      ? ['2026-02-10 … 2026-02-10 subscription_cycle paid 3']
      : ['2026-02-10 … 2026-02-10 subscription_cycle paid 0', '2026-02-10 … 2026-03-10 manual paid 3']),
  ])
})

// What the draft would have used is had by the rest; a person who bills the draft all the same grants it a second time.
test('a draft that a person finalizes afterwards has the coupon for one invoice as well, and no usage', async () => {
  const amy = await inDraftHour({ percent_off: 50, duration: 'once' })
  await world.deliver()
  await ask(amy, 'cancel')
  await settled(amy)
  const [, draft] = await world.atStripe(amy)
  await world.stripe.invoices.finalizeInvoice(draft?.invoice.id ?? '')
  await world.deliver()
  await world.sync(amy)
  expect(await standing(amy)).toEqual([
    `paid 2000: ${FEE}`,
    `open 1000: ${FEE}`,
    'paid 50: 100 Seconds: 100 second',
  ])
  expect(await world.requests(() => world.sync(amy))).toEqual([])
})
