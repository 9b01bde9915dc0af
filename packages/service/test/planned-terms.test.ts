import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { idOf } from '../src/provider/stripe/field.ts'
import { doDue } from '../src/workflow/due.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// A phase of a schedule names all discounts and tax rates that are to be there:
// https://docs.stripe.com/api/subscription_schedules/update. What stands when it begins is to go on.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: { half: { name: 'Half', percentOff: '50', duration: 'forever' } },
  plans: { basic: flatPlan('Basic', '10.00'), premium: flatPlan('Premium', '25.00') },
})

const { installation } = await sharedInstallation(catalog)

const stripe = () => installation.deps.provider.stripe

/** On premium until the end of January; `plan` has it on basic from then on. */
async function subscriber(coupons: readonly string[] = []) {
  const ada = await newSubscriber(installation, 'premium', { coupons })
  const id = String((await ada.read()).providerId)
  const atStripe = () => stripe().subscriptions.retrieve(id)
  return {
    ...ada,
    providerId: id,
    atStripe,
    async plan() {
      expect(await ada.change({ plan: 'basic' })).toMatchObject({ status: 200 })
      expect(await ada.read()).toMatchObject({ plan: 'premium', scheduledChange: { plan: 'basic' } })
    },
    /** Of premium. */
    async item() {
      const { items } = await atStripe()
      return items.data.find(({ price }) => price.unit_amount === 2500)?.id ?? ''
    },
    /** What is planned, and the phase that runs before it. */
    async phases() {
      const { schedule } = await atStripe()
      const { phases } = await stripe().subscriptionSchedules.retrieve(idOf(schedule ?? ''))
      return phases
    },
    hear: () => lookAt(installation.deps, { type: 'subscription', id }),
    async renewed() {
      await ada.turn('2026-02-01T02:00:00Z')
      expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: null })
      return (await ada.invoices()).at(-1)
    },
  }
}

const coupon = async (percent: number) =>
  (await stripe().coupons.create({ percent_off: percent, duration: 'forever' })).id

const rate = async (percentage: number) =>
  (await stripe().taxRates.create({ display_name: 'Tax', percentage, inclusive: false })).id

const due = () =>
  doDue({ ...installation.deps, workflows: installation.workflows, requestSync: async () => {} })

test('a discount that the dashboard gave since goes on, and is planned to as soon as it is heard of', async () => {
  const ada = await subscriber()
  await ada.plan()
  await ada.turn('2026-01-10T00:00:00Z')
  await stripe().subscriptions.update(ada.providerId, { discounts: [{ coupon: await coupon(50) }] })
  const { discounts } = await ada.atStripe()
  await ada.hear()
  await due()
  expect((await ada.phases()).map((phase) => phase.discounts.map(({ discount }) => discount))).toEqual([
    discounts,
    discounts,
  ])
  expect(await ada.renewed()).toBe('subscription_cycle 500 paid')
  expect((await ada.atStripe()).discounts).toEqual(discounts)
})

test('one that it took since does not come back', async () => {
  const ada = await subscriber(['half'])
  await ada.plan()
  await stripe().subscriptions.update(ada.providerId, { discounts: '' })
  expect(await ada.renewed()).toBe('subscription_cycle 1000 paid')
  expect((await ada.atStripe()).discounts).toEqual([])
})

test('what an item has of its own, and tax rates, go on', async () => {
  const ada = await subscriber()
  await stripe().subscriptions.update(ada.providerId, { default_tax_rates: [await rate(10)] })
  await stripe().subscriptionItems.update(await ada.item(), { discounts: [{ coupon: await coupon(50) }] })
  await ada.plan()
  // 10.00, half of it, and a tenth more of that.
  expect(await ada.renewed()).toBe('subscription_cycle 550 paid')
})

test('the same where they were given since, and nobody told us', async () => {
  const ada = await subscriber()
  await ada.plan()
  await stripe().subscriptionItems.update(await ada.item(), {
    discounts: [{ coupon: await coupon(50) }],
    tax_rates: [await rate(20)],
  })
  // 5.00 and a fifth more.
  expect(await ada.renewed()).toBe('subscription_cycle 600 paid')
})

/** In the dashboard, beside what is ours. */
async function add(subscription: string, amount: number) {
  const product = await stripe().products.create({ name: 'Consulting' })
  await stripe().subscriptionItems.create({
    subscription,
    price_data: { ...monthly, product: product.id, unit_amount: amount },
    proration_behavior: 'none',
  })
}
const monthly = { currency: 'usd', recurring: { interval: 'month' } } as const

test('items of somebody else go on, whenever they came', async () => {
  const ada = await subscriber()
  await add(ada.providerId, 9900)
  const shown = await ada.preview({ plan: 'basic' })
  expect(shown.body).toMatchObject({ nextInvoice: { total: { minor: '10900' } } })
  await ada.plan()
  await add(ada.providerId, 700)
  // 10.00, 99.00 and 7.00.
  expect(await ada.renewed()).toBe('subscription_cycle 11600 paid')
})

test('but what came in the place of the plan is not billed beside what is planned', async () => {
  const ada = await subscriber()
  await add(ada.providerId, 9900)
  await ada.plan()
  const plan = await ada.item()
  await add(ada.providerId, 3000)
  await stripe().subscriptionItems.del(plan, { proration_behavior: 'none' })
  expect(await ada.renewed()).toBe('subscription_cycle 10900 paid')
})

test('how it is collected goes on as well', async () => {
  const ada = await subscriber()
  await ada.plan()
  const collected = { collection_method: 'send_invoice', days_until_due: 30 } as const
  await stripe().subscriptions.update(ada.providerId, collected)
  expect(await ada.renewed()).toBe('subscription_cycle 1000 open')
  expect(await ada.atStripe()).toMatchObject(collected)
})

test('and what its invoices say: whether tax is calculated, and the words', async () => {
  const ada = await subscriber()
  const { customer } = await ada.atStripe()
  const address = { country: 'DE', postal_code: '10115' }
  await stripe().customers.update(idOf(customer), { address })
  await stripe().subscriptions.update(ada.providerId, { description: 'For the desk' })
  await ada.plan()
  const worded = { description: 'For the shelf', invoice_settings: { footer: 'Thanks', ...shown('4711') } }
  await stripe().subscriptions.update(ada.providerId, { ...worded, automatic_tax: { enabled: true } })
  // 10.00 and 19 %, which it is in Germany.
  expect(await ada.renewed()).toBe('subscription_cycle 1190 paid')
  expect(await ada.atStripe()).toMatchObject({ ...worded, automatic_tax: { enabled: true } })
})

const shown = (number: string) => ({ custom_fields: [{ name: 'Order', value: number }] })

test('also where that is no more', async () => {
  const ada = await subscriber()
  const { customer } = await ada.atStripe()
  const address = { country: 'DE', postal_code: '10115' }
  await stripe().customers.update(idOf(customer), { address })
  const worded = { description: 'For the desk', automatic_tax: { enabled: true } }
  await stripe().subscriptions.update(ada.providerId, worded)
  await ada.plan()
  await stripe().subscriptions.update(ada.providerId, { description: '', automatic_tax: { enabled: false } })
  expect(await ada.renewed()).toBe('subscription_cycle 1000 paid')
  expect(await ada.atStripe()).toMatchObject({ automatic_tax: { enabled: false } })
})

test('and so does what somebody planned there to begin with the change', async () => {
  const ada = await subscriber()
  await ada.plan()
  const { schedule } = await ada.atStripe()
  const planned = await coupon(20)
  const phases = await ada.phases()
  await stripe().subscriptionSchedules.update(idOf(schedule ?? ''), {
    phases: phases.map(({ start_date, end_date, items }, index) => ({
      ...{ start_date, end_date, items: items.map(({ price }) => ({ price: idOf(price) })) },
      ...(index === 1 && { discounts: [{ coupon: planned }] }),
    })),
  })
  await stripe().subscriptions.update(ada.providerId, { discounts: [{ coupon: await coupon(50) }] })
  // 10.00, half of it, and a fifth less of that.
  expect(await ada.renewed()).toBe('subscription_cycle 400 paid')
})
