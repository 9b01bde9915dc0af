import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { workflowKinds } from '../src/workflow/kinds.ts'
import { makeWorkflows } from '../src/workflow/workflows.ts'
import { flatPlan } from './support/catalogs.ts'
import { newServer } from './support/server.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// An end with money back, of a period that several invoices billed. On 12 January 20 of 31 days are left: 16.13 of
// premium's 25.00, 6.45 of basic's 10.00, 3.23 of small's 5.00; in yen 1,613, 645 and 323. An upgrade pays the difference.

const yen = (name: string, amount: string) => ({ ...flatPlan(name, amount), currency: 'jpy' }) as const
const dinars = (name: string, amount: string) => ({ ...flatPlan(name, amount), currency: 'kwd' }) as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: { half: { name: 'Half', percentOff: '50', duration: 'forever' } },
  plans: {
    small: flatPlan('Small', '5.00'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
    basic_yen: yen('Basic', '1000'),
    premium_yen: yen('Premium', '2500'),
    basic_dinars: dinars('Basic', '10.010'),
    premium_dinars: dinars('Premium', '25.030'),
    seats: {
      ...{ name: 'Seats', product: 'app', interval: 'month' },
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: '5.00' } },
    },
  },
})

const { installation } = await sharedInstallation(catalog)
subscriptionDeedRoutes(installation.app, { ...installation.deps, workflows: installation.workflows })

interface Shown {
  readonly minor: string
}
interface Answer {
  readonly toGiveBack: Shown
  readonly notGivenBack: readonly { reason: string; amount: Shown }[]
  readonly givenBack: { amount: Shown; notGivenBack: Answer['notGivenBack']; problem: unknown } | null
}
type How = 'credit' | 'refund'
type Subscriber = Awaited<ReturnType<typeof subscriberOn>>

const keptOf = (kept: Answer['notGivenBack']) => kept.map(({ reason, amount }) => `${reason} ${amount.minor}`)

async function subscriberOn(plan: string, options: { quantity?: number; coupons?: string[] } = {}) {
  const { stripe } = installation.deps.provider
  const ada = await newSubscriber(installation, plan, options)
  await ada.turn('2026-01-12T00:00:00Z')
  const { customer } = await ada.atStripe()
  const subscription = String((await ada.read()).providerId)
  /** Stripe's invoices, oldest first. */
  const theirs = async () => (await stripe.invoices.list({ subscription })).data.reverse()
  return {
    ...ada,
    subscription,
    atStripe: customer.id,
    theirs,
    /** In the dashboard, to a price of so much. */
    async turnTo(cents: number, how: 'always_invoice' | 'create_prorations') {
      const known = await stripe.subscriptions.retrieve(subscription)
      const [item] = known.items.data
      const price = await stripe.prices.create({
        ...{ product: idOf(item?.price.product ?? ''), currency: known.currency, unit_amount: cents },
        recurring: { interval: 'month' },
      })
      const items = [{ id: item?.id ?? '', price: price.id }]
      await stripe.subscriptions.update(subscription, { items, proration_behavior: how })
    },
    async refund(nth: number, amount?: number) {
      const invoice = (await theirs())[nth]?.id ?? ''
      const { data } = await stripe.invoicePayments.list({ invoice })
      const intent = idOf(data[0]?.payment.payment_intent ?? '')
      await stripe.refunds.create({ payment_intent: intent, ...(amount !== undefined && { amount }) })
    },
  }
}

/** What an end gives back: as previewed, as answered, on each invoice (oldest first), and what the customer has of it. */
async function ended(ada: Subscriber, how: How) {
  const wish = { when: 'now', unusedTime: how }
  const before = await balanceOf(ada)
  const preview = (await installation.ask('POST', `${ada.path}/cancel/preview`, wish))
    .body as unknown as Answer
  const { status, body } = await installation.ask('POST', `${ada.path}/cancel`, wish)
  const { givenBack } = body as unknown as Answer
  expect([status, givenBack?.amount, givenBack?.notGivenBack, givenBack?.problem]).toEqual([
    ...[200, preview.toGiveBack, preview.notGivenBack, null],
  ])
  return {
    ...(await notesOf(ada, before)),
    kept: keptOf(preview.notGivenBack),
    back: Number(preview.toGiveBack.minor),
  }
}

async function balanceOf({ atStripe }: Pick<Subscriber, 'atStripe'>) {
  const customer = await installation.deps.provider.stripe.customers.retrieve(atStripe)
  return 'balance' in customer ? customer.balance : Number.NaN
}

async function notesOf(ada: Subscriber, before = 0) {
  const { stripe } = installation.deps.provider
  const notes = (await stripe.creditNotes.list({ customer: ada.atStripe })).data
  const invoices = await ada.theirs()
  const of = (id: string) =>
    notes.filter(({ invoice }) => invoice === id).reduce((sum, { amount }) => sum + amount, 0)
  return {
    notes: invoices.map(({ id }) => of(id)),
    refunded: notes.flatMap(({ refunds }) => refunds).reduce((sum, one) => sum + one.amount_refunded, 0),
    credited: before - (await balanceOf(ada)),
  }
}

test.each<[How, string, string, number[]]>([
  ['credit', 'basic', 'premium', [645, 968]],
  ['refund', 'basic', 'premium', [645, 968]],
  ['credit', 'basic_yen', 'premium_yen', [645, 968]],
  ['refund', 'basic_yen', 'premium_yen', [645, 968]],
  // 20 of 31 days of 25.030 are 16.148, of 10.010 6.458: 9.690 were charged, and 16.150 go back in tens.
  ['credit', 'basic_dinars', 'premium_dinars', [6460, 9690]],
  ['refund', 'basic_dinars', 'premium_dinars', [6460, 9690]],
])('%s after an upgrade from %s to %s is of both invoices', async (how, from, to, notes) => {
  const ada = await subscriberOn(from)
  expect(await ada.change({ plan: to })).toMatchObject({ status: 200 })
  const back = notes.reduce((sum, note) => sum + note, 0)
  const given = how === 'credit' ? { credited: back, refunded: 0 } : { credited: 0, refunded: back }
  expect(await ended(ada, how)).toEqual({ notes, back, kept: [], ...given })
})

test('of three invoices in one second each gives what it was paid', async () => {
  const ada = await subscriberOn('small')
  await ada.change({ plan: 'basic' })
  await ada.change({ plan: 'premium' })
  // 5.00, 6.45 − 3.23 and 16.13 − 6.45.
  expect(await ended(ada, 'refund')).toMatchObject({ notes: [323, 322, 968], back: 1613, kept: [] })
})

test('later in the period the newest invoice pays first', async () => {
  const ada = await subscriberOn('basic')
  await ada.change({ plan: 'premium' })
  // 10 of the 20 days for which 16.13 were billed.
  await ada.turn('2026-01-22T00:00:00Z')
  expect(await ended(ada, 'credit')).toMatchObject({ notes: [0, 807], back: 807, kept: [] })
})

test('more seats, and half the price, twice', async () => {
  const seats = await subscriberOn('seats', { quantity: 2 })
  await seats.change({ quantity: 5 })
  expect(await ended(seats, 'credit')).toMatchObject({ notes: [645, 968], back: 1613, kept: [] })
  // 12.50 and 5.00: 8.06 and 3.23 are left, and 8.06 − 3.23 were paid.
  const half = await subscriberOn('basic', { coupons: ['half'] })
  await half.change({ plan: 'premium' })
  expect(await ended(half, 'refund')).toMatchObject({ notes: [323, 483], back: 806, kept: [] })
})

test('after a downgrade, what is left comes off what paid it', async () => {
  const ada = await subscriberOn('premium')
  await ada.change({ plan: 'basic', when: 'now' })
  expect(await balanceOf(ada)).toBe(-968)
  expect(await ended(ada, 'credit')).toMatchObject({ notes: [645, 0], back: 645, kept: [] })
})

test('what was paid from the balance is credited, and is said not to be refunded', async () => {
  for (const [how, expected] of [
    ['credit', { notes: [645, 0, 968], back: 1613, kept: [] }],
    ['refund', { notes: [645, 0, 0], back: 645, kept: ['notRefundable 968'] }],
  ] as const) {
    const ada = await subscriberOn('premium')
    await ada.change({ plan: 'basic', when: 'now' })
    await ada.change({ plan: 'premium' })
    expect(await balanceOf(ada)).toBe(0)
    expect(await ended(ada, how)).toMatchObject(expected)
  }
})

test('what was paid outside of Stripe is credited, and is said not to be refunded', async () => {
  const { stripe } = installation.deps.provider
  for (const [how, expected] of [
    ['credit', { notes: [645, 968], back: 1613, kept: [] }],
    ['refund', { notes: [645, 0], back: 645, kept: ['notRefundable 968'] }],
  ] as const) {
    const ada = await subscriberOn('basic')
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: ada.atStripe })
    await stripe.subscriptions.update(ada.subscription, { default_payment_method: bad.id })
    await ada.turnTo(2500, 'always_invoice')
    await stripe.invoices.pay((await ada.theirs())[1]?.id ?? '', { paid_out_of_band: true })
    await installation.deps.db
      .updateTable('subscription')
      .set({ status: 'active' })
      .where('id', '=', ada.id)
      .execute()
    expect(await ended(ada, how)).toMatchObject(expected)
  }
})

test('what the dashboard changed and nobody billed yet is dropped with the end, and all that was paid goes back', async () => {
  const less = await subscriberOn('premium')
  await less.turnTo(1000, 'create_prorations')
  expect(await ended(less, 'credit')).toMatchObject({ notes: [1613], back: 1613, kept: [] })
  const more = await subscriberOn('basic')
  await more.turnTo(2500, 'create_prorations')
  expect(await ended(more, 'credit')).toMatchObject({ notes: [645], back: 645, kept: [] })
})

test.each<[How, string]>([
  ['credit', 'premium'],
  ['refund', 'premium'],
  ['credit', 'premium_yen'],
])('%s on %s: what a renewal carried of the month before paid for the one that ends', async (how, plan) => {
  const ada = await subscriberOn(plan)
  await ada.turnTo(2000, 'create_prorations')
  // 20.00 less 16.13 and with 12.90 for January: 16.77. Of 672 hours of February 670 are left: 19.94 of 20.00.
  await ada.turn('2026-02-01T02:00:00Z')
  const [, renewal] = await ada.theirs()
  expect([renewal?.amount_paid, renewal?.status]).toEqual([1677, 'paid'])
  expect(await ended(ada, how)).toMatchObject({ notes: [317, 1677], back: 1994, kept: [] })
})

test('what was added and taken away again is no reason to keep what was paid for the rest', async () => {
  const ada = await subscriberOn('premium')
  const { stripe } = installation.deps.provider
  const [item] = (await stripe.subscriptions.retrieve(ada.subscription)).items.data
  const billed = { proration_behavior: 'always_invoice' } as const
  const { id } = await stripe.subscriptionItems.create({
    ...{ subscription: ada.subscription, quantity: 1, ...billed },
    price_data: {
      ...{ product: idOf(item?.price.product ?? ''), currency: 'usd', unit_amount: 1000 },
      recurring: { interval: 'month' },
    },
  })
  await ada.turn('2026-01-12T12:00:00Z')
  await stripe.subscriptionItems.del(id, billed)
  // Of 6.45 for 480 hours 468 are left: 6.29.
  expect(await balanceOf(ada)).toBe(-629)
  // Of 744 hours of 25.00 468 are left: 15.73.
  expect(await ended(ada, 'credit')).toMatchObject({ notes: [1573, 0, 0], back: 1573, kept: [] })
})

test('what the dashboard added and took away in one second was paid by nobody, and takes nothing of what was', async () => {
  const ada = await subscriberOn('premium')
  const { stripe } = installation.deps.provider
  const [item] = (await stripe.subscriptions.retrieve(ada.subscription)).items.data
  const unbilled = { proration_behavior: 'create_prorations' } as const
  const { id } = await stripe.subscriptionItems.create({
    ...{ subscription: ada.subscription, quantity: 1, ...unbilled },
    price_data: {
      ...{ product: idOf(item?.price.product ?? ''), currency: 'usd', unit_amount: 1000 },
      recurring: { interval: 'month' },
    },
  })
  await stripe.subscriptionItems.del(id, unbilled)
  // 6.45 charged and credited; 16.13 − 3.23 go to the balance, of the first invoice.
  await ada.turnTo(500, 'always_invoice')
  expect(await balanceOf(ada)).toBe(-1290)
  await ada.turnTo(2500, 'always_invoice')
  // 12.90 from the balance, and 3.23 of the first.
  expect(await ended(ada, 'credit')).toMatchObject({ notes: [323, 0, 1290], back: 1613, kept: [] })
})

test('what was refunded before is said, and what is left of the others goes back', async () => {
  const ada = await subscriberOn('basic')
  await ada.change({ plan: 'premium' })
  await ada.refund(1)
  expect(await ended(ada, 'refund')).toMatchObject({ notes: [645, 0], back: 645, kept: ['givenBack 968'] })
})

/** Ends it now; before the provider is told of that, or of each credit note, something else happens. */
async function endedWhile(
  ada: Subscriber,
  how: How,
  { cancel: atEnd, create: atNote }: { cancel?: () => Promise<unknown>; create?: () => Promise<unknown> },
) {
  const { deps } = installation
  const { stripe } = deps.provider
  const cancel = async (...call: Parameters<typeof stripe.subscriptions.cancel>) => {
    await atEnd?.()
    return stripe.subscriptions.cancel(...call)
  }
  const create = async (...call: Parameters<typeof stripe.creditNotes.create>) => {
    await atNote?.()
    return stripe.creditNotes.create(...call)
  }
  const subscriptions = Object.create(stripe.subscriptions, { cancel: { value: cancel } })
  const creditNotes = Object.create(stripe.creditNotes, { create: { value: create } })
  const interrupted = Object.create(stripe, {
    subscriptions: { value: subscriptions },
    creditNotes: { value: creditNotes },
  }) as typeof stripe
  const there = { ...deps, provider: { ...deps.provider, stripe: interrupted } }
  const kinds = workflowKinds({ ...there, drainInbox: async () => {}, doDue: async () => 0 } as never)
  const workflows = makeWorkflows(there, kinds)
  const server = await newServer(there)
  subscriptionDeedRoutes(server.app, { ...there, workflows })
  const payload = { when: 'now', unusedTime: how }
  const { body } = await server.call({ method: 'POST', url: `${ada.path}/cancel`, payload })
  await workflows.close()
  const { givenBack } = body as unknown as Answer
  return {
    ...(await notesOf(ada)),
    back: Number(givenBack?.amount.minor),
    kept: keptOf(givenBack?.notGivenBack ?? []),
    problem: givenBack?.problem,
  }
}

test('what somebody refunds while it ends is given back once, and the rest all the same', async () => {
  const ada = await subscriberOn('basic')
  await ada.change({ plan: 'premium' })
  expect(await endedWhile(ada, 'credit', { cancel: () => ada.refund(1, 500) })).toEqual({
    ...{ notes: [645, 468], back: 1113, kept: ['givenBack 500'], problem: null },
    ...{ credited: 1113, refunded: 0 },
  })
  const bob = await subscriberOn('basic')
  await bob.change({ plan: 'premium' })
  expect(await endedWhile(bob, 'refund', { cancel: () => bob.refund(0) })).toMatchObject({
    ...{ notes: [0, 968], back: 968, kept: ['givenBack 645'], problem: null },
  })
})

test('what is refunded in the moment of the call is met by a smaller note, and what is refused for good is said', async () => {
  const ada = await subscriberOn('basic')
  await ada.change({ plan: 'premium' })
  let refunds = 0
  const once = async () => {
    refunds += 1
    if (refunds === 1) await ada.refund(1, 500)
  }
  expect(await endedWhile(ada, 'credit', { create: once })).toEqual({
    ...{ notes: [645, 468], back: 1113, kept: ['givenBack 500'], problem: null },
    ...{ credited: 1113, refunded: 0 },
  })
  const bob = await subscriberOn('basic')
  await bob.change({ plan: 'premium' })
  const { stripe } = installation.deps.provider
  let tries = 0
  const refuse = async () => {
    tries += 1
    // Refused by the provider for a reason that stays.
    if (tries === 1) await stripe.creditNotes.create({ invoice: 'in_none', amount: 1 })
  }
  expect(await endedWhile(bob, 'credit', { create: refuse })).toMatchObject({
    ...{ notes: [645, 0], back: 645, kept: ['refused 968'] },
    problem: { detail: expect.stringContaining('resource_missing') },
  })
})

test('of an upgrade that was voided, or given up, what was paid before goes back, and the rest is said not to be paid', async () => {
  const { stripe } = installation.deps.provider
  for (const giveUp of ['voidInvoice', 'markUncollectible'] as const) {
    const ada = await subscriberOn('basic')
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: ada.atStripe })
    await stripe.subscriptions.update(ada.subscription, { default_payment_method: bad.id })
    await ada.turnTo(2500, 'always_invoice')
    await stripe.invoices[giveUp]((await ada.theirs())[1]?.id ?? '')
    await installation.deps.db
      .updateTable('subscription')
      .set({ status: 'active' })
      .where('id', '=', ada.id)
      .execute()
    expect(await ended(ada, 'credit')).toMatchObject({ notes: [645, 0], back: 645, kept: ['notPaid 968'] })
  }
})

test('what a change in the dashboard credits while it ends is given back once, and what it left all the same', async () => {
  const ada = await subscriberOn('basic')
  await ada.change({ plan: 'premium' })
  // 16.13 − 3.23 are on the balance, and 3.23 of small are unused: of the first invoice, 3.22 of which were credited.
  expect(await endedWhile(ada, 'credit', { cancel: () => ada.turnTo(500, 'always_invoice') })).toEqual({
    ...{ notes: [323, 0, 0], back: 323, kept: ['givenBack 1290'], problem: null },
    ...{ credited: 1613, refunded: 0 },
  })
})
