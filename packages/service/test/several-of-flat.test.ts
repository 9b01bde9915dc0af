import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { readInvoice } from '../src/invoice/read.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// Here a flat fee is sold once. In Stripe's dashboard its item may be given any number, and Stripe bills the fee as often.
// https://docs.stripe.com/billing/subscriptions/quantities

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  addons: {
    extra: {
      ...{ name: 'Extra', product: 'app', interval: 'month' },
      prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: '3.00' } },
    },
  },
  plans: {
    basic: flatPlan('Basic', '10.00'),
    middle: flatPlan('Middle', '15.00'),
    premium: flatPlan('Premium', '25.00'),
    helped: {
      ...flatPlan('Helped', '10.00'),
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '10.00' },
        support: { product: 'app', model: 'percentage', percent: '10' },
      },
    },
  },
})

const { installation } = await sharedInstallation(catalog)

/** Somebody made two of it in the dashboard; since February they are paid for. */
async function withTwo(plan: string) {
  const ada = await newSubscriber(installation, plan)
  const { stripe } = installation.deps.provider
  const atProvider = String((await ada.read()).providerId)
  const { items } = await stripe.subscriptions.retrieve(atProvider)
  await stripe.subscriptionItems.update(String(items.data[0]?.id), {
    quantity: 2,
    proration_behavior: 'none',
  })
  await lookAt(installation.deps, { type: 'subscription', id: atProvider })
  expect(await ada.read()).toMatchObject({ plan, quantity: 2 })
  await ada.turn('2026-02-15T00:00:00Z')
  return { ...ada, atProvider }
}

async function current({ id }: { readonly id: string }) {
  const { deps, database } = installation
  const { rows } = await database.pool.query<{ id: string }>(
    `select id from invoice where subscription_id = $1 and status = 'current'`,
    [id],
  )
  return readInvoice(deps.db, rows[0]?.id ?? '')
}

const previewed = async ({ atProvider }: { readonly atProvider: string }) =>
  (await installation.deps.provider.stripe.invoices.createPreview({ subscription: atProvider })).total

test('the fee is shown and counted as often as Stripe bills it', async () => {
  const ada = await withTwo('basic')
  expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_cycle 2000 paid'])
  const shown = await current(ada)
  expect([Number(shown?.total.minor), await previewed(ada)]).toEqual([2000, 2000])
  expect(shown?.lines).toMatchObject([{ key: 'fee', quantity: 2_000_000_000n, amount: { minor: 2000n } }])
  // What recurring revenue is made of.
  const { rows } = await installation.database.pool.query<{ fee: number }>(
    'select distinct fee::int from subscription_history where subscription_id = $1 order by fee',
    [ada.id],
  )
  expect(rows.map(({ fee }) => fee)).toEqual([1000, 2000])
})

test('a share of the fee is one of all that is billed', async () => {
  const ada = await withTwo('helped')
  const shown = await current(ada)
  const support = shown?.lines.find(({ key }) => key === 'support')
  // A tenth of 20.00.
  expect(support?.amount.minor).toBe(200n)
  expect(JSON.stringify(support?.derivation)).toContain('20')
})

test('a change is held against all that is paid: 15.00 is less than twice 10.00, 25.00 is more', async () => {
  const ada = await withTwo('basic')
  expect((await ada.preview({ plan: 'middle', quantity: 1 })).body).toMatchObject({
    ...{ direction: 'downgrade', takesEffect: 'periodEnd' },
  })
  // 14 of 28 days are left: 12.50 of 25.00 less 10.00 of 20.00.
  const more = await ada.preview({ plan: 'premium', quantity: 1 })
  expect(more.body).toMatchObject({
    ...{ direction: 'upgrade', secondOpinion: 'agrees', dueNow: { total: { minor: '250' } } },
  })
  expect((await ada.change({ plan: 'premium', quantity: 1, preview: more.body.token })).status).toBe(200)
  expect((await ada.invoices()).at(-1)).toBe('subscription_update 250 paid')
  expect(await ada.read()).toMatchObject({ plan: 'premium', quantity: 1 })
})

test('who attaches something beside it keeps both, and one is had again by asking for it', async () => {
  const ada = await withTwo('basic')
  expect((await ada.change({ addons: [{ addon: 'extra', quantity: 1 }] })).status).toBe(200)
  expect(await ada.read()).toMatchObject({ quantity: 2, addons: [{ addon: 'extra', quantity: 1 }] })
  const shown = await current(ada)
  expect([Number(shown?.total.minor), await previewed(ada)]).toEqual([2300, 2300])
  expect((await ada.change({ quantity: 2 })).body).toMatchObject({ code: 'quantity_invalid' })
  expect((await ada.change({ quantity: 1, when: 'now' })).status).toBe(200)
  expect(await previewed(ada)).toBe(1300)
})
