import { defineCatalog } from '@lockstep/core/catalog'
import { money } from '@lockstep/core/money'
import { expect, test } from 'vitest'
import { creditNoteRoutes } from '../src/http/routes/credit-notes.ts'
import { refundRoutes } from '../src/http/routes/refunds.ts'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { newId } from '../src/ids.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { lookAt } from '../src/workflow/look.ts'
import { beginRefund } from '../src/workflow/refund.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// Money of an invoice that later ones credit. On 12 January 20 of 31 days are left: 16.13 of premium's 25.00, 6.45 of
// basic's 10.00, 3.23 of small's 5.00; in yen 1,613, 645 and 323.

const yen = (name: string, amount: string) => ({ ...flatPlan(name, amount), currency: 'jpy' }) as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    small: flatPlan('Small', '5.00'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
    small_yen: yen('Small', '500'),
    basic_yen: yen('Basic', '1000'),
    premium_yen: yen('Premium', '2500'),
  },
})

const { installation } = await sharedInstallation(catalog)
const parts = { ...installation.deps, workflows: installation.workflows }
for (const register of [creditNoteRoutes, refundRoutes, subscriptionDeedRoutes])
  register(installation.app, parts)

async function subscriberOn(plan: string) {
  const { deps, ask } = installation
  const { stripe } = deps.provider
  const ada = await newSubscriber(installation, plan)
  await ada.turn('2026-01-12T00:00:00Z')
  const subscription = String((await ada.read()).providerId)
  /** Ours, of the invoice at Stripe that is so many after the first. */
  async function invoice(nth: number): Promise<string> {
    const { data } = await stripe.invoices.list({ subscription })
    const id = data.reverse()[nth]?.id ?? ''
    await lookAt(deps, { type: 'invoice', id })
    const { rows } = await deps.pool.query('select id from invoice where provider_invoice_id = $1', [id])
    return rows[0].id
  }
  const back = async (what: string, nth: number, body: object, deed = '') =>
    ask('POST', `/v1/invoices/${await invoice(nth)}/${what}${deed}`, body)
  const minor = (value: unknown) => Number((value as { minor?: string } | undefined)?.minor)
  return {
    ...ada,
    subscription,
    invoice,
    /** What could be refunded, and what was credited of it since. */
    async refundable(nth = 0) {
      const { body, status } = await back('refunds', nth, {})
      return status === 200 ? [minor(body.amount), minor(body.creditedSince)] : [body.code]
    },
    refund: (amount: string, nth = 0) => back('refunds', nth, { amount }, '?dryRun=false'),
    noted: (body: object, deed = '') => back('credit-notes', 0, { paidPart: 'balance', ...body }, deed),
    async balance() {
      const { customer } = await ada.atStripe()
      return 'balance' in customer ? customer.balance : Number.NaN
    },
    /** In the dashboard, to another plan of ours. */
    async turnTo(plan: string, how: 'always_invoice' | 'create_prorations') {
      const known = await stripe.subscriptions.retrieve(subscription)
      const [item] = known.items.data
      const price = await stripe.prices.create({
        product: idOf(item?.price.product ?? ''),
        currency: known.currency,
        unit_amount: plan === 'basic' ? 1000 : 500,
        recurring: { interval: 'month' },
      })
      const items = [{ id: item?.id ?? '', price: price.id }]
      await stripe.subscriptions.update(subscription, { items, proration_behavior: how })
    },
  }
}

const tooMuch = { status: 422, body: { code: 'refund_exceeds_payment' } }

test.each([
  ['dollars', '', ['25.00', '15.33', '15.32', '0.01']],
  ['yen', '_yen', ['2500', '1533', '1532', '1']],
] as const)(
  'what a downgrade credited in %s is not given back again, however often',
  async (_, in_, amounts) => {
    const [all, tooMany, rest, one] = amounts
    const ada = await subscriberOn(`premium${in_}`)
    await ada.change({ plan: `basic${in_}`, when: 'now' })
    // 16.13 are credited, and 6.45 billed instead.
    expect(await ada.balance()).toBe(-968)
    expect(await ada.refundable()).toEqual([1532, 968])
    for (const amount of [all, tooMany]) {
      expect(await ada.refund(amount)).toMatchObject(tooMuch)
      expect(await ada.noted({ amount }, '?dryRun=false')).toMatchObject(tooMuch)
    }
    expect(await ada.noted({})).toMatchObject({ status: 200, body: { total: { minor: '1532' } } })
    expect(await ada.refund(rest)).toMatchObject({ status: 201, body: { amount: { minor: '1532' } } })
    expect(await ada.refund(one)).toMatchObject(tooMuch)
    expect(await ada.noted({ amount: one }, '?dryRun=false')).toMatchObject(tooMuch)
    expect(await ada.balance()).toBe(-968)
  },
)

test('of two downgrades both are counted', async () => {
  const ada = await subscriberOn('premium')
  await ada.change({ plan: 'basic', when: 'now' })
  await ada.change({ plan: 'small', when: 'now' })
  // 16.13 − 6.45, and then 6.45 − 3.23, which the first downgrade had billed of the same money.
  expect(await ada.balance()).toBe(-968 - 322)
  expect(await ada.refundable()).toEqual([2500 - 968 - 322, 968 + 322])
  expect(await ada.refund('12.11')).toMatchObject(tooMuch)
  expect(await ada.refund('12.10')).toMatchObject({ status: 201 })
})

test('after an upgrade all of both payments can go back, and after a downgrade from it no more than is left', async () => {
  const ada = await subscriberOn('basic')
  await ada.change({ plan: 'premium' })
  expect([await ada.refundable(0), await ada.refundable(1)]).toEqual([
    [1000, 0],
    [968, 0],
  ])
  await ada.change({ plan: 'small', when: 'now' })
  // 16.13 − 3.23 are on the balance: 9.68 of them the upgrade had brought in, 3.22 the first invoice.
  expect(await ada.balance()).toBe(-1290)
  expect([await ada.refundable(0), await ada.refundable(1)]).toEqual([
    [1000 - 322, 322],
    [0, 1290],
  ])
})

test('what the dashboard credited waits to be billed, or takes off a renewal, and counts all the same', async () => {
  const ada = await subscriberOn('premium')
  await ada.turnTo('basic', 'create_prorations')
  expect([await ada.balance(), await ada.refundable()]).toEqual([0, [1532, 968]])
  await ada.turn('2026-02-01T02:00:00Z')
  // Of the renewal's 10.00 0.32 are left, which is less than can be charged: it waits on the balance.
  expect(await ada.invoices()).toEqual(['subscription_create 2500 paid', 'subscription_cycle 32 paid'])
  expect([await ada.refundable(0), await ada.refundable(1)]).toEqual([
    [1532, 968],
    ['refund_exceeds_payment'],
  ])
})

test('what an end in the dashboard credits counts, and what an end by us credits, once', async () => {
  const ada = await subscriberOn('premium')
  await installation.deps.provider.stripe.subscriptions.cancel(ada.subscription, {
    prorate: true,
    invoice_now: true,
  })
  // From the moment on that Stripe says so, and not only from when the draft's hour is over and the balance has it.
  expect([await ada.balance(), await ada.refundable()]).toEqual([0, [887, 1613]])
  await ada.turn('2026-01-12T02:00:00Z')
  expect([await ada.balance(), await ada.refundable()]).toEqual([-1613, [887, 1613]])
  const bob = await subscriberOn('premium')
  await installation.ask('POST', `${bob.path}/cancel`, { when: 'now', unusedTime: 'credit' })
  expect([await bob.balance(), await bob.refundable()]).toEqual([-1613, [887, 0]])
})

test('a refund that was recorded and not told yet gives nothing back of what was credited meanwhile', async () => {
  const { deps, workflows } = installation
  const ada = await subscriberOn('premium')
  const invoice = await deps.db
    .selectFrom('invoice')
    .selectAll()
    .where('id', '=', await ada.invoice(0))
    .executeTakeFirstOrThrow()
  const wanted = { id: newId('refund'), amount: money(2500n, 'usd'), reason: null }
  // Whoever began it stands still before the first step.
  let carryOut = () => {}
  const begin: typeof workflows.begin = (...run) => {
    carryOut = () => workflows.begin(...run)
  }
  const workflow = await beginRefund({ ...deps, workflows: { ...workflows, begin } }, invoice, wanted)
  await ada.turnTo('basic', 'always_invoice')
  carryOut()
  expect(await workflows.settled(workflow, 60)).toMatchObject({
    state: 'rolledBack',
    problem: { code: 'refund_exceeds_payment', detail: expect.stringContaining('At most 15.32 usd') },
  })
  expect([await ada.balance(), await ada.refundable()]).toEqual([-968, [1532, 968]])
})
