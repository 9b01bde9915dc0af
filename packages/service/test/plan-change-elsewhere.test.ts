import { defineCatalog } from '@lockstep/core/catalog'
import type { ContractDocument } from '@lockstep/core/contract'
import { describe, expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { subscriptionStartRoutes } from '../src/http/routes/subscription-starts.ts'
import { readMigrations } from '../src/postgres/migrate.ts'
import { doDue } from '../src/workflow/due.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// Changes here of what somebody has touched in Stripe's dashboard before.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: {
    half: { name: 'Half', percentOff: '50', duration: 'forever' },
    tenth: { name: 'Tenth', percentOff: '10', duration: 'repeating', durationInMonths: 3 },
  },
  plans: {
    starter: flatPlan('Starter', '0'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
  },
  addons: {
    backups: {
      ...{ name: 'Backups', product: 'app', interval: 'month' },
      prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: '3.00' } },
    },
  },
})

const { installation } = await sharedInstallation(catalog)
const parts = { ...installation.deps, workflows: installation.workflows }
subscriptionDeedRoutes(installation.app, parts)
subscriptionStartRoutes(installation.app, parts)

const subscriber = (key: string) => newSubscriber(installation, key)
const stripe = () => installation.deps.provider.stripe

async function withoutCard(plan: string) {
  const ada = await subscriber(plan)
  const { customer } = await ada.atStripe()
  await stripe().customers.update(customer.id, { invoice_settings: { default_payment_method: '' } })
  await lookAt(installation.deps, { type: 'customer', id: customer.id })
  return ada
}

test('who has no card any more is asked for none where nothing is to be paid', async () => {
  const ada = await withoutCard('premium')
  expect(await ada.change({ coupons: ['tenth'] })).toMatchObject({ status: 200 })
  expect(await ada.change({ plan: 'basic' })).toMatchObject({ status: 200 })
  expect(await ada.read()).toMatchObject({ scheduledChange: { plan: 'basic' } })
  // Back to what still runs.
  expect(await ada.change({ plan: 'premium' })).toMatchObject({ status: 200 })
  expect(await ada.read()).toMatchObject({ plan: 'premium', scheduledChange: null })

  const ben = await withoutCard('basic')
  expect(await ben.change({ plan: 'premium' })).toMatchObject({
    status: 402,
    body: { code: 'payment_method_required' },
  })
})

/** What of a coupon the subscription has, and what is agreed on. */
async function discounted(plan: string) {
  const ada = await subscriber(plan)
  const providerId = String((await ada.read()).providerId)
  return {
    ...ada,
    providerId,
    atProvider: async () => (await stripe().subscriptions.retrieve(providerId)).discounts,
    async known() {
      const { rows } = await installation.deps.pool.query(
        'select discounts from subscription where id = $1',
        [ada.id],
      )
      return rows[0].discounts
    },
    async agreed() {
      const { rows } = await installation.deps.pool.query(
        'select document from contract where subscription_id = $1 order by sequence desc limit 1',
        [ada.id],
      )
      const { agreement } = JSON.parse(rows[0].document) as ContractDocument
      return agreement.discounts.map(({ coupon }) => coupon)
    },
    async giveHalfAtStripe() {
      const { rows } = await installation.deps.pool.query(
        `select provider_id from mapping where entity_type = 'coupon' and entity_id = 'half'`,
      )
      await stripe().subscriptions.update(providerId, { discounts: [{ coupon: rows[0].provider_id }] })
    },
  }
}

// https://docs.stripe.com/billing/collection-method
test('whose invoices are sent is asked for no card: the change is made, and its invoice is sent', async () => {
  const ada = await withoutCard('starter')
  const { providerId } = await ada.read()
  await stripe().subscriptions.update(String(providerId), {
    collection_method: 'send_invoice',
    days_until_due: 30,
  })
  await lookAt(installation.deps, { type: 'subscription', id: String(providerId) })
  const shown = await ada.preview({ plan: 'premium' })
  expect(shown).toMatchObject({
    status: 200,
    body: { needsPaymentPage: false, dueNow: { total: { minor: '2500' } } },
  })
  expect(await ada.change({ plan: 'premium', preview: shown.body.token })).toMatchObject({
    status: 200,
    body: { change: { state: 'effective' } },
  })
  const [latest] = (await stripe().invoices.list({ subscription: String(providerId) })).data
  expect(latest).toMatchObject({ total: 2500, amount_paid: 0, collection_method: 'send_invoice' })
})

test('a coupon that is given here stands at once, and is agreed on once, also beside one of the dashboard', async () => {
  const ada = await discounted('basic')
  const { providerId } = ada
  await ada.giveHalfAtStripe()
  await lookAt(installation.deps, { type: 'subscription', id: providerId })
  expect(await ada.change({ coupons: ['tenth'] })).toMatchObject({ status: 200 })
  expect(await ada.known()).toEqual(await ada.atProvider())
  expect(await ada.agreed()).toEqual(['half', 'tenth'])
  expect(await ada.contracts()).toHaveLength(3)

  // Looked at once more, nothing new is agreed on.
  await lookAt(installation.deps, { type: 'subscription', id: providerId })
  expect(await ada.contracts()).toHaveLength(3)
})

test.each<[string, (ada: Awaited<ReturnType<typeof discounted>>) => Promise<unknown>]>([
  ['an end', ({ path }) => installation.ask('POST', `${path}/cancel`, { when: 'periodEnd' })],
  ['a pause', ({ path }) => installation.ask('POST', `${path}/pause`, { collection: 'void' })],
  ['a change', (ada) => ada.change({ plan: 'premium' })],
])('a coupon of the dashboard that nobody told us of is heard of by the answer to %s', async (_, does) => {
  const ada = await discounted('basic')
  await ada.giveHalfAtStripe()
  expect(await does(ada)).toMatchObject({ status: 200 })
  expect(await ada.atProvider()).toHaveLength(1)
  expect(await ada.known()).toEqual(await ada.atProvider())
  expect(await ada.agreed()).toEqual(['half'])
})

test.each([
  ['by an event', (id: string) => lookAt(installation.deps, { type: 'subscription', id })],
  // Whoever asked for that has no part in the change.
  [
    'by the answer to something else',
    (_: string, path: string) => installation.ask('POST', `${path}/resume`, {}),
  ],
])(
  'what the dashboard changed without a bill, heard of %s, gives nothing back of time that was not paid',
  async (_, hear) => {
    const ada = await subscriber('premium')
    expect(await installation.ask('POST', `${ada.path}/cancel`, { when: 'periodEnd' })).toMatchObject({
      status: 200,
    })
    const { providerId } = await ada.read()
    const { data } = await stripe().subscriptionItems.list({ subscription: String(providerId) })
    const { rows } = await installation.deps.pool.query(
      `select provider_id from mapping join price on price.id = entity_id
       join plan_version on plan_version.id = plan_version_id where plan_key = 'starter'`,
    )
    const { subscriptions, intents } = await ada.atStripe()
    await stripe().refunds.create({ payment_intent: intents[0]?.id ?? '' })
    await stripe().subscriptionItems.update(data[0]?.id ?? '', {
      price: rows[0].provider_id,
      proration_behavior: 'none',
    })
    await hear(subscriptions[0]?.id ?? '', ada.path)
    await installation.ask('POST', `${ada.path}/resume`, {})
    expect(await ada.read()).toMatchObject({ plan: 'starter', cancelAt: null })
    // To more, and yet 25.00 that went back to the card would be credited, and 10.00 charged.
    expect(await ada.change({ plan: 'basic' })).toMatchObject({
      status: 409,
      body: { code: 'subscription_not_changeable' },
    })
  },
)

test('what ended in the dashboard, and nobody told us, begins anew', async () => {
  const ada = await subscriber('basic')
  await stripe().subscriptions.cancel(String((await ada.read()).providerId))
  const anew = await installation.ask('POST', `${ada.path}/reactivate`, {})
  expect(anew).toMatchObject({ status: 201, body: { plan: 'basic', status: 'active' } })
  expect(await ada.read()).toMatchObject({ status: 'canceled' })
  expect(await installation.ask('POST', `/v1/subscriptions/${anew.body.id}/reactivate`, {})).toMatchObject({
    status: 409,
    body: { code: 'subscription_live' },
  })
})

describe('an add-on that the dashboard put on and nobody told us of', () => {
  async function withBackups(plan: string) {
    const ada = await subscriber(plan)
    const { rows } = await installation.deps.pool.query(
      `select provider_id from mapping join price on price.id = entity_id
       join addon_version on addon_version.id = addon_version_id where addon_key = 'backups'`,
    )
    await stripe().subscriptionItems.create({
      ...{ subscription: String((await ada.read()).providerId), price: rows[0].provider_id, quantity: 1 },
      proration_behavior: 'none',
    })
    return ada
  }
  const backups = [{ addon: 'backups', quantity: 2 }]

  test('is counted otherwise by a change that gives something back', async () => {
    const ada = await withBackups('premium')
    const wish = { plan: 'basic', addons: backups, when: 'now' }
    expect(await ada.change(wish)).toMatchObject({ status: 200 })
    expect(await ada.read()).toMatchObject({ plan: 'basic', addons: backups })
  })

  test('is a reason to ask again where the provider refuses a second item of it', async () => {
    const ada = await withBackups('basic')
    const wish = { plan: 'premium', addons: backups }
    expect(await ada.change(wish)).toMatchObject({
      status: 409,
      body: { code: 'subscription_not_changeable' },
    })
    expect(await ada.read()).toMatchObject({ plan: 'basic', addons: [{ addon: 'backups', quantity: 1 }] })
    expect(await ada.change(wish)).toMatchObject({ status: 200 })
    expect(await ada.read()).toMatchObject({ plan: 'premium', addons: backups })
  })
})

describe('a change that was planned here and is made in the dashboard before it is due', () => {
  /** The provider's price of a plan. */
  async function priceOf(plan: string): Promise<string> {
    const { rows } = await installation.deps.pool.query(
      `select provider_id from mapping join price on price.id = entity_id
       join plan_version on plan_version.id = plan_version_id where plan_key = $1`,
      [plan],
    )
    return rows[0].provider_id
  }

  /** From premium to basic at the end of January; the dashboard makes something of it in the middle, without a bill. */
  async function madeEarly(plan = 'basic') {
    const ada = await subscriber('premium')
    await ada.change({ plan: 'basic' })
    await ada.turn('2026-01-10T00:00:00Z')
    const providerId = String((await ada.read()).providerId)
    const make = async (other: string) => {
      const { data } = await stripe().subscriptionItems.list({ subscription: providerId })
      const price = await priceOf(other)
      await stripe().subscriptionItems.update(data[0]?.id ?? '', { price, proration_behavior: 'none' })
    }
    const schedule = async () => {
      const { data } = await stripe().subscriptionSchedules.list({
        customer: (await ada.atStripe()).customer.id,
      })
      return data.map(({ status }) => status)
    }
    await make(plan)
    const hear = () => lookAt(installation.deps, { type: 'subscription', id: providerId })
    return { ada, providerId, make, schedule, hear }
  }

  const due = () =>
    doDue({ ...installation.deps, workflows: installation.workflows, requestSync: async () => {} })

  test('is not made once more: its schedule lets go', async () => {
    const { ada, make, schedule, hear } = await madeEarly()
    await hear()
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: null })
    expect(await ada.changes()).toMatchObject([{ state: 'effective', effectiveAt: '2026-01-10T00:00:00Z' }])
    await due()
    expect(await schedule()).toEqual(['released'])
    await make('premium')
    await hear()
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'premium' })
    expect(await ada.invoices()).toEqual(['subscription_create 2500 paid', 'subscription_cycle 2500 paid'])
  })

  test('is not made once more either where it was made so before schedules were let go of', async () => {
    const { ada, make, schedule, hear } = await madeEarly()
    await hear()
    const { pool } = installation.deps
    // As it was left by a version that waited for the end of the period.
    const since = 'select c.id from plan_change c where c.id = due.subject_id and c.subscription_id = $1'
    const late = `update due set due_at = '2026-02-01' where kind = 'planned-change' and exists (${since})`
    expect((await pool.query(late, [ada.id])).rowCount).toBe(1)
    const migration = (await readMigrations()).find(({ name }) => name === '0129_left_schedules.sql')
    await pool.query(migration?.text ?? '')
    await due()
    expect(await schedule()).toEqual(['released'])
    await make('premium')
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'premium' })
  })

  test.each([{ when: 'now' }, { when: 'periodEnd' }] as const)(
    'does not undo an upgrade ($when) that is asked for at once',
    async ({ when }) => {
      const { ada, hear } = await madeEarly()
      await hear()
      const up = await ada.change({ plan: 'premium', when })
      expect(up).toMatchObject({ status: 200 })
      await due()
      expect(await ada.read()).toMatchObject(
        when === 'now'
          ? { plan: 'premium', scheduledChange: null }
          : { plan: 'basic', scheduledChange: { plan: 'premium', takesEffectAt: '2026-02-01T00:00:00Z' } },
      )
      await ada.turn('2026-02-01T02:00:00Z')
      expect(await ada.read()).toMatchObject({ plan: 'premium', scheduledChange: null })
      expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 2500 paid')
      await ada.turn('2026-03-01T02:00:00Z')
      expect(await ada.read()).toMatchObject({ plan: 'premium' })
    },
  )

  test('does not undo what is asked for before anybody told us', async () => {
    const { ada, schedule } = await madeEarly()
    const back = await ada.change({ plan: 'premium' })
    expect(back).toMatchObject({ status: 409 })
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: null })
    await due()
    expect(await schedule()).toEqual(['released'])
    expect(await ada.change({ plan: 'premium' })).toMatchObject({ status: 200 })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'premium' })
  })

  test('nor does what is planned next change it back', async () => {
    const { ada, hear } = await madeEarly('basic')
    // Something else is planned in the place of what was, before anybody told us that it is made.
    expect(await ada.change({ plan: 'starter', when: 'periodEnd' })).toMatchObject({ status: 200 })
    await hear()
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: { plan: 'starter' } })
    await due()
    await ada.turn('2026-01-20T00:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: { plan: 'starter' } })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'starter', scheduledChange: null })
    expect(await ada.invoices()).toEqual(['subscription_create 2500 paid', 'subscription_cycle 0 paid'])
  })

  test('nor takes away what the dashboard gave meanwhile, to all of it and to an item', async () => {
    const { ada, providerId, hear } = await madeEarly('premium')
    const coupon = await stripe().coupons.create({ percent_off: 10, duration: 'forever' })
    const discounts = [{ coupon: coupon.id }]
    const { data } = await stripe().subscriptionItems.list({ subscription: providerId })
    await stripe().subscriptions.update(providerId, { discounts })
    await stripe().subscriptionItems.update(data[0]?.id ?? '', { discounts })
    await hear()
    const given = async () => {
      const { discounts: all, items } = await stripe().subscriptions.retrieve(providerId)
      return [all.length, items.data.map((item) => item.discounts.length)]
    }
    expect(await given()).toEqual([1, [1]])
    expect(await ada.change({ plan: 'starter' })).toMatchObject({ status: 200 })
    expect(await given()).toEqual([1, [1]])
  })

  test('nor is one lost that the dashboard planned in the same schedule', async () => {
    const { ada, providerId, schedule, hear } = await madeEarly()
    const [of] = (await stripe().subscriptionSchedules.list({ limit: 1 })).data
    const [runs, comes] = of?.phases ?? []
    const { data } = await stripe().subscriptionItems.list({ subscription: providerId })
    await stripe().subscriptionSchedules.update(of?.id ?? '', {
      phases: [
        {
          items: [{ price: data[0]?.price.id ?? '' }],
          ...{ start_date: runs?.start_date ?? 0, end_date: runs?.end_date ?? 0 },
        },
        {
          items: [{ price: await priceOf('starter') }],
          ...{ start_date: comes?.start_date ?? 0, end_date: comes?.end_date ?? 0 },
        },
      ],
    })
    await hear()
    await due()
    expect(await schedule()).toEqual(['active'])
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: { plan: 'starter' } })
    // Who planned it there undoes it there.
    expect(await ada.change({ plan: 'premium' })).toMatchObject({ status: 409 })
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'starter', scheduledChange: null })
  })

  test('still comes where something else was made of it meanwhile', async () => {
    const { ada, schedule, hear } = await madeEarly('starter')
    await hear()
    await due()
    expect(await ada.read()).toMatchObject({ plan: 'starter', scheduledChange: { plan: 'basic' } })
    expect(await schedule()).toEqual(['active'])
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.read()).toMatchObject({ plan: 'basic', scheduledChange: null })
    expect(await schedule()).toEqual(['released'])
  })
})
