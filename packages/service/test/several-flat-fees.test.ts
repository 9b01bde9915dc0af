import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { readInvoice } from '../src/invoice/read.ts'
import { readMigrations } from '../src/postgres/migrate.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { doDue } from '../src/workflow/due.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// Each item of a subscription has a number of its own, and Stripe bills it as often.
// https://docs.stripe.com/billing/subscriptions/quantities

const flat = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const
const each = (unitAmount: string) => ({ kind: 'recurring', model: 'perUnit', unitAmount }) as const
const addon = (name: string) => ({ name, product: 'app', interval: 'month' }) as const

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  addons: {
    extra: { ...addon('Extra'), prices: { each: each('3.00') } },
    kit: { ...addon('Kit'), prices: { one: each('2.00'), other: each('1.00') } },
    pair: { ...addon('Pair'), prices: { one: flat('4.00'), other: flat('1.00') } },
  },
  plans: {
    duo: { ...flatPlan('Duo', '0'), prices: { fee: flat('10.00'), care: flat('5.00') } },
    helped: {
      ...flatPlan('Helped', '0'),
      prices: {
        ...{ fee: flat('10.00'), care: flat('5.00') },
        support: { product: 'app', model: 'percentage', percent: '10' },
      },
    },
    grand: { ...flatPlan('Grand', '0'), prices: { fee: flat('25.00'), care: flat('12.00') } },
    office: { ...flatPlan('Office', '0'), prices: { base: flat('20.00'), seat: each('5.00') } },
    two: { ...flatPlan('Two', '0'), prices: { seat: each('5.00'), box: each('7.00') } },
    hall: {
      ...flatPlan('Hall', '0'),
      prices: {
        base: flat('20.00'),
        room: {
          ...({ kind: 'recurring', model: 'graduated' } as const),
          tiers: [{ upTo: null, unitAmount: '2.00', flatAmount: '7.00' }],
        },
      },
    },
    basic: flatPlan('Basic', '10.00'),
    shop: {
      ...flatPlan('Shop', '0'),
      prices: {
        ...{ base: flat('20.00'), seat: each('5.00') },
        support: { product: 'app', model: 'percentage', percent: '10' },
      },
    },
  },
})

const { installation } = await sharedInstallation(catalog)

type Ada = Awaited<ReturnType<typeof subscribed>>

async function subscribed(plan: string, options: { readonly quantity?: number } = {}) {
  const ada = await newSubscriber(installation, plan, options)
  return { ...ada, atProvider: String((await ada.read()).providerId) }
}

const itemsOf = async ({ atProvider }: Ada) => {
  const { items } = await installation.deps.provider.stripe.subscriptions.retrieve(atProvider)
  return items.data.map(({ id, price, quantity }) => ({ id, amount: price.unit_amount, quantity }))
}

const numbersOf = async (ada: Ada) => (await itemsOf(ada)).map(({ amount, quantity }) => [amount, quantity])

/** Somebody says in the dashboard how often an item is to be billed; 'none' takes it away. */
async function inDashboard(ada: Ada, amount: number, quantity: number | 'none') {
  const { subscriptionItems } = installation.deps.provider.stripe
  const item = (await itemsOf(ada)).find((one) => one.amount === amount)?.id ?? ''
  if (quantity === 'none') await subscriptionItems.del(item, { proration_behavior: 'none' })
  else await subscriptionItems.update(item, { quantity, proration_behavior: 'none' })
  await lookAt(installation.deps, { type: 'subscription', id: ada.atProvider })
}

/** What the current invoice says, and what Stripe says that it is going to bill. */
async function current({ id, atProvider }: Ada) {
  const { deps, database } = installation
  const { rows } = await database.pool.query<{ id: string }>(
    `select id from invoice where subscription_id = $1 and status = 'current'`,
    [id],
  )
  const shown = await readInvoice(deps.db, rows[0]?.id ?? '')
  const next = await deps.provider.stripe.invoices.createPreview({ subscription: atProvider })
  return { shown, here: Number(shown?.total.minor), there: next.total }
}

const feesEver = async ({ id }: Ada) => {
  const { rows } = await installation.database.pool.query<{ fee: number }>(
    'select fee::int from subscription_history where subscription_id = $1 order by ordinal',
    [id],
  )
  return rows.map(({ fee }) => fee)
}

/** Of each contract, newest first. */
async function changesAgreed(ada: Ada) {
  const contracts = await ada.contracts()
  const bodies = contracts.map(async ({ id }) => (await installation.ask('GET', `/v1/contracts/${id}`)).body)
  return (await Promise.all(bodies)).map(({ changes }) => changes)
}

test('what the dashboard changes of one fee alone is agreed on, and counted as a change of the period', async () => {
  const ada = await subscribed('grand')
  expect((await ada.change({ addons: [{ addon: 'pair', quantity: 1 }] })).status).toBe(200)
  await ada.turn('2026-02-11T00:00:00Z')
  await inDashboard(ada, 1200, 2)
  await inDashboard(ada, 100, 'none')
  expect((await changesAgreed(ada)).slice(0, 2)).toEqual([
    ['addons/pair/prices/other/number: 1 → none'],
    ['prices/care/number: 1 → 2'],
  ])
  const [newest] = await ada.contracts()
  const { body } = await installation.ask('GET', `/v1/contracts/${newest?.id}`)
  expect(body).toMatchObject({
    ...{ requestOrigin: 'provider', agreement: { itemNumbers: { care: 2, 'pair.other': null } } },
    text: expect.stringContaining('"format":"lockstep-contract-3"'),
  })
  await ada.turn('2026-02-15T00:00:00Z')
  const shown = await ada.preview({ addons: [{ addon: 'extra', quantity: 1 }] })
  expect(shown.body).toMatchObject({ secondOpinion: 'notAsked' })
})

test('what waits for the end of the period keeps the number that one fee has', async () => {
  const ada = await subscribed('office', { quantity: 3 })
  await inDashboard(ada, 2000, 2)
  const before = (await ada.contracts()).length
  expect((await ada.change({ quantity: 2, when: 'periodEnd' })).status).toBe(200)
  const { database } = installation
  const { rows } = await database.pool.query(
    'select item_numbers from plan_change where subscription_id = $1',
    [ada.id],
  )
  expect(rows).toEqual([{ item_numbers: { base: 2 } }])
  // Twice 20.00 and twice 5.00.
  expect((await current(ada)).here).toBe(5000)
  await ada.turn('2026-02-01T02:00:00Z')
  expect(await ada.changes()).toMatchObject([{ state: 'effective' }])
  expect(await ada.contracts()).toHaveLength(before + 1)
  expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 5000 paid')
})

test('the second fee stands there twice: it alone is shown and counted as often', async () => {
  const ada = await subscribed('helped')
  await inDashboard(ada, 500, 2)
  expect(await ada.read()).toMatchObject({ plan: 'helped', quantity: 1 })
  // 10.00 and twice 5.00, and a tenth of them.
  const { shown } = await current(ada)
  expect(shown?.lines).toMatchObject([
    { key: 'support', amount: { minor: 200n } },
    { key: 'fee', quantity: 1_000_000_000n, amount: { minor: 1000n } },
    { key: 'care', quantity: 2_000_000_000n, amount: { minor: 1000n } },
  ])
  expect(Number(shown?.total.minor)).toBe(2200)
  expect(await feesEver(ada)).toEqual([1500, 2000])
  await inDashboard(ada, 500, 1)
  await inDashboard(ada, 1000, 2)
  // Twice 10.00 and 5.00, and a tenth of them.
  expect((await current(ada)).here).toBe(2750)
  expect(await feesEver(ada)).toEqual([1500, 2000, 1500, 2500])
})

test.each<[amount: number, numbers: number[][], recurring: string, next: number]>([
  [
    1000,
    [
      [1000, 2],
      [500, 1],
      [300, 1],
    ],
    '28.00',
    2800,
  ],
  [
    500,
    [
      [1000, 1],
      [500, 2],
      [300, 1],
    ],
    '23.00',
    2300,
  ],
])(
  'who attaches something beside %i twice is charged for that alone',
  async (amount, numbers, recurring, next) => {
    const ada = await subscribed('duo')
    await inDashboard(ada, amount, 2)
    await ada.turn('2026-02-15T00:00:00Z')
    // 14 of 28 days are left: half of 3.00.
    const shown = await ada.preview({ addons: [{ addon: 'extra', quantity: 1 }] })
    expect(shown.body).toMatchObject({
      ...{ direction: 'upgrade', recurring: { amount: recurring }, secondOpinion: 'agrees' },
      dueNow: { total: { minor: '150' } },
    })
    const asked = { addons: [{ addon: 'extra', quantity: 1 }], preview: shown.body.token }
    expect((await ada.change(asked)).status).toBe(200)
    expect((await ada.invoices()).at(-1)).toBe('subscription_update 150 paid')
    expect(await numbersOf(ada)).toEqual(numbers)
    expect(await current(ada)).toMatchObject({ here: next, there: next })
  },
)

test('another plan is held against all that is paid, and has each of its fees once', async () => {
  const ada = await subscribed('grand')
  await inDashboard(ada, 1200, 2)
  await ada.turn('2026-02-15T00:00:00Z')
  expect(await current(ada)).toMatchObject({ here: 4900, there: 4900 })
  // 15.00 instead of 25.00 and twice 12.00, for half of the period: 7.50 less 24.50.
  const less = await ada.preview({ plan: 'duo', when: 'now' })
  expect(less.body).toMatchObject({ direction: 'downgrade', recurring: { amount: '15.00' } })
  expect(less.body).toMatchObject({ dueNow: { total: { minor: '-1700' } }, secondOpinion: 'agrees' })
  expect((await ada.change({ plan: 'duo', when: 'now', preview: less.body.token })).status).toBe(200)
  expect(await numbersOf(ada)).toEqual([
    [1000, 1],
    [500, 1],
  ])
})

test('more seats leave alone how often the flat fee beside them stands there', async () => {
  const ada = await subscribed('office', { quantity: 3 })
  await inDashboard(ada, 2000, 2)
  expect(await ada.read()).toMatchObject({ quantity: 3 })
  await ada.turn('2026-02-15T00:00:00Z')
  // Twice 20.00 and three times 5.00.
  expect(await current(ada)).toMatchObject({ here: 5500, there: 5500 })
  // 5.00 for half of the period.
  const more = await ada.preview({ quantity: 4 })
  expect(more.body).toMatchObject({
    ...{ recurring: { amount: '60.00' }, secondOpinion: 'agrees', dueNow: { total: { minor: '250' } } },
  })
  expect((await ada.change({ quantity: 4 })).status).toBe(200)
  expect(await numbersOf(ada)).toEqual([
    [2000, 2],
    [500, 4],
  ])
  expect(await current(ada)).toMatchObject({ here: 6000, there: 6000 })
})

test('of what is sold by number there are none where its item was taken away, whatever the flat fee beside it says', async () => {
  const ada = await subscribed('office', { quantity: 3 })
  await inDashboard(ada, 500, 'none')
  expect(await ada.read()).toMatchObject({ quantity: 0 })
  expect(await current(ada)).toMatchObject({ here: 2000, there: 2000 })
  await inDashboard(ada, 2000, 3)
  expect(await current(ada)).toMatchObject({ here: 6000, there: 6000 })
  expect(await feesEver(ada)).toEqual([3500, 2000, 6000])
  const { drifts } = await findDrift(installation.deps)
  expect(drifts.filter(({ entityId }) => entityId === ada.id)).toEqual([])
  // What comes with a change of something else is that alone; two seats are had by asking for them.
  expect((await ada.change({ addons: [{ addon: 'extra', quantity: 1 }] })).status).toBe(200)
  expect(await current(ada)).toMatchObject({ here: 6300, there: 6300 })
  expect((await ada.change({ quantity: 2 })).status).toBe(200)
  expect(await numbersOf(ada)).toEqual([
    [2000, 3],
    [300, 1],
    [500, 2],
  ])
  expect(await current(ada)).toMatchObject({ here: 7300, there: 7300 })
})

test('a share is one of the fees whose items stand there', async () => {
  const ada = await subscribed('shop', { quantity: 3 })
  await inDashboard(ada, 500, 'none')
  const { shown } = await current(ada)
  // A tenth of 20.00.
  expect(shown?.lines.find(({ key }) => key === 'support')?.amount.minor).toBe(200n)
  expect(Number(shown?.total.minor)).toBe(2200)
})

test('what is left of several flat fees is no number of the plan', async () => {
  const ada = await subscribed('duo')
  await inDashboard(ada, 500, 'none')
  await inDashboard(ada, 1000, 2)
  expect(await ada.read()).toMatchObject({ quantity: 1 })
  expect(await current(ada)).toMatchObject({ here: 2000, there: 2000 })
})

test('a fee that was taken away there is neither shown nor put back by a change of something else', async () => {
  const ada = await subscribed('grand')
  await inDashboard(ada, 1200, 'none')
  expect(await current(ada)).toMatchObject({ here: 2500, there: 2500 })
  expect((await ada.change({ addons: [{ addon: 'extra', quantity: 2 }] })).status).toBe(200)
  expect(await numbersOf(ada)).toEqual([
    [2500, 1],
    [300, 2],
  ])
  expect((await current(ada)).here).toBe(3100)
})

test('two fees of an add-on are counted each by itself, and left alone when another comes', async () => {
  const ada = await subscribed('grand')
  expect((await ada.change({ addons: [{ addon: 'pair', quantity: 1 }] })).status).toBe(200)
  await inDashboard(ada, 100, 3)
  // 37.00, 4.00 and three times 1.00.
  expect((await current(ada)).here).toBe(4400)
  expect(await ada.read()).toMatchObject({ addons: [{ addon: 'pair', quantity: 1 }] })
  expect((await feesEver(ada)).at(-1)).toBe(4400)
  expect((await ada.change({ addons: [{ addon: 'extra', quantity: 1 }] })).status).toBe(200)
  expect(await numbersOf(ada)).toEqual([
    [2500, 1],
    [1200, 1],
    [400, 1],
    [100, 3],
    [300, 1],
  ])
})

test('each is had once again by asking for one', async () => {
  const ada = await subscribed('grand')
  await inDashboard(ada, 1200, 2)
  await ada.turn('2026-02-15T00:00:00Z')
  expect((await ada.change({ quantity: 1, when: 'now' })).status).toBe(200)
  expect(await changesAgreed(ada)).toEqual([['prices/care/number: 2 → 1'], ['prices/care/number: 1 → 2'], []])
  expect(await ada.changes()).toMatchObject([
    { state: 'effective', contract: (await ada.contracts())[0]?.id },
  ])
  expect(await numbersOf(ada)).toEqual([
    [2500, 1],
    [1200, 1],
  ])
  expect(await current(ada)).toMatchObject({ shown: { lines: [{ key: 'fee' }, { key: 'care' }] } })
  expect((await feesEver(ada)).at(-1)).toBe(3700)
})

test('of two prices by number each is shown, counted and changed from by the number of its own item', async () => {
  const ada = await subscribed('two', { quantity: 2 })
  await inDashboard(ada, 700, 5)
  expect(await ada.read()).toMatchObject({ quantity: 5 })
  // Twice 5.00 and five times 7.00; before it was twice both.
  const { shown, here, there } = await current(ada)
  expect([here, there]).toEqual([4500, 4500])
  expect(shown?.lines).toMatchObject([
    { key: 'seat', quantity: 2_000_000_000n, amount: { minor: 1000n } },
    { key: 'box', quantity: 5_000_000_000n, amount: { minor: 3500n } },
  ])
  expect(await feesEver(ada)).toEqual([2400, 4500])
  await ada.turn('2026-02-15T00:00:00Z')
  // Half of 3.00 for half of the period.
  const more = await ada.preview({ addons: [{ addon: 'extra', quantity: 1 }] })
  expect(more.body).toMatchObject({
    ...{ direction: 'upgrade', recurring: { amount: '48.00' }, secondOpinion: 'agrees' },
    dueNow: { total: { minor: '150' } },
  })
  const asked = { addons: [{ addon: 'extra', quantity: 1 }], preview: more.body.token }
  expect((await ada.change(asked)).status).toBe(200)
  expect(await numbersOf(ada)).toEqual([
    [500, 2],
    [700, 5],
    [300, 1],
  ])
  expect(await current(ada)).toMatchObject({ here: 4800, there: 4800 })
  // Six of both: 30.00, 42.00 and 3.00.
  const six = await ada.preview({ quantity: 6 })
  expect(six.body).toMatchObject({ direction: 'upgrade', recurring: { amount: '75.00' } })
  expect((await ada.change({ quantity: 6, preview: six.body.token })).status).toBe(200)
  expect(await current(ada)).toMatchObject({ here: 7500, there: 7500 })
  expect((await feesEver(ada)).slice(-2)).toEqual([4800, 7500])
})

test('fewer of both at the end of the period are forecast as that', async () => {
  const ada = await subscribed('two', { quantity: 2 })
  await inDashboard(ada, 700, 5)
  expect((await ada.change({ quantity: 1, when: 'periodEnd' })).status).toBe(200)
  // 5.00 and 7.00.
  expect((await current(ada)).here).toBe(1200)
  await ada.turn('2026-02-15T00:00:00Z')
  expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1200 paid')
})

test('two prices by number of an add-on are counted each by itself', async () => {
  const ada = await subscribed('basic')
  expect((await ada.change({ addons: [{ addon: 'kit', quantity: 2 }] })).status).toBe(200)
  await inDashboard(ada, 100, 4)
  // 10.00, twice 2.00 and four times 1.00.
  expect(await current(ada)).toMatchObject({ here: 1800, there: 1800 })
  expect(await ada.read()).toMatchObject({ addons: [{ addon: 'kit', quantity: 4 }] })
  expect((await feesEver(ada)).at(-1)).toBe(1800)
  await inDashboard(ada, 200, 'none')
  expect(await current(ada)).toMatchObject({ here: 1400, there: 1400 })
})

test('none of a price by tiers costs the flat amount of the first, and what has no item costs nothing', async () => {
  const ada = await subscribed('hall', { quantity: 3 })
  const item = (await itemsOf(ada)).find(({ quantity }) => quantity === 3)?.id ?? ''
  const { subscriptionItems } = installation.deps.provider.stripe
  const look = () => lookAt(installation.deps, { type: 'subscription', id: ada.atProvider })
  await subscriptionItems.update(item, { quantity: 0, proration_behavior: 'none' })
  await look()
  expect(await current(ada)).toMatchObject({ here: 2700, there: 2700 })
  await subscriptionItems.del(item, { proration_behavior: 'none' })
  await look()
  const { shown, here, there } = await current(ada)
  expect([here, there]).toEqual([2000, 2000])
  expect(shown?.lines).toMatchObject([{ key: 'base' }])
  expect(await feesEver(ada)).toEqual([3300, 2700, 2000])
})

test('where nothing but an add-on is left, nothing is counted of the plan', async () => {
  const ada = await subscribed('basic')
  expect((await ada.change({ addons: [{ addon: 'extra', quantity: 1 }] })).status).toBe(200)
  await inDashboard(ada, 1000, 'none')
  expect(await current(ada)).toMatchObject({ here: 300, there: 300 })
  expect((await feesEver(ada)).at(-1)).toBe(300)
})

test('what an older version wrote of the numbers is looked at again, where the items say something else', async () => {
  const { database, deps, workflows } = installation
  const [ada, other] = [await subscribed('duo'), await subscribed('office', { quantity: 3 })]
  await inDashboard(ada, 500, 2)
  // It took the greatest number of the items for the quantity.
  for (const table of ['subscription', 'subscription_history'])
    await database.pool.query(
      `update ${table} set quantity = 2, item_numbers = '{}' where ${table === 'subscription' ? 'id' : 'subscription_id'} = $1
        and quantity = 1 and item_numbers <> '{}'`,
      [ada.id],
    )
  expect((await current(ada)).here).toBe(1500)
  const mark = (await readMigrations()).find(({ name }) => name === '0141_numbers_unread.sql')
  await database.pool.query(mark?.text ?? '')
  const { rows } = await database.pool.query(
    `select subject_id as id from due where kind = 'subscription.numbers' and subject_id = any($1)`,
    [[ada.id, other.id]],
  )
  expect(rows).toEqual([{ id: ada.id }])
  await doDue({ ...deps, workflows, requestSync: async () => {} })
  expect(await ada.read()).toMatchObject({ quantity: 1 })
  // 10.00 and twice 5.00.
  expect(await current(ada)).toMatchObject({ here: 2000, there: 2000 })
  expect((await feesEver(ada)).at(-1)).toBe(2000)
})
