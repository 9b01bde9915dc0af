import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import type { TestDatabase } from '../../../test/support/database.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { doDue } from '../src/workflow/due.ts'
import { lookAt } from '../src/workflow/look.ts'
import { agreementInForce } from '../src/workflow/plan-change/agreed-terms.ts'
import { flatPlan } from './support/catalogs.ts'
import { onDatabase } from './support/installation.ts'
import { mortalConnection } from './support/mortal.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: {
    half: { name: 'Half', percentOff: '50', duration: 'forever' },
    tenth: { name: 'Tenth', percentOff: '10', duration: 'forever' },
  },
  plans: {
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
    starter: flatPlan('Starter', '0'),
  },
  addons: { backups: flatPlan('Backups', '3.00') },
})

const { installation } = await sharedInstallation(catalog)

/** Asks a process whose database is gone after so many statements. */
async function askMortal(statements: number, path: string, wish: object) {
  const connection = mortalConnection(installation.database.url, statements)
  const database = { ...installation.database, ...connection } as TestDatabase
  const own = await onDatabase(database, { ...installation.deps, ...connection })
  const { status } = await own.ask('PATCH', path, wish)
  const survived = !connection.died()
  await connection.close()
  return { status, survived }
}

/** Somebody looks after the lease has run out, without waiting for it. */
async function recover(): Promise<void> {
  await installation.database.pool.query(
    `update workflow set lease_until = clock_timestamp() - interval '1 second', next_attempt_at = null where ended_at is null`,
  )
  await installation.workflows.resumeDue()
}

const cases = [
  // What was paid by the bank's yes stands, whoever dies; there is one payment, one change, one contract.
  {
    name: 'an upgrade',
    coupons: [],
    stride: 2,
    wish: { plan: 'premium' },
    done: {
      subscription: { plan: 'premium', scheduledChange: null },
      invoices: ['subscription_create 1000 paid', 'subscription_update 1500 paid'],
      contracts: 2,
      state: 'effective',
    },
  },
  {
    name: 'a downgrade',
    coupons: [],
    stride: 2,
    wish: { plan: 'starter' },
    done: {
      subscription: { plan: 'basic', scheduledChange: { plan: 'starter' } },
      invoices: ['subscription_create 1000 paid'],
      contracts: 1,
      state: 'scheduled',
    },
  },
  {
    name: 'an add-on that is attached',
    coupons: [],
    // By the same statements as an upgrade, and a few of its own.
    stride: 7,
    wish: { addons: [{ addon: 'backups', quantity: 1 }] },
    done: {
      subscription: { plan: 'basic', addons: [{ addon: 'backups', version: 1, quantity: 1 }] },
      invoices: ['subscription_create 1000 paid', 'subscription_update 300 paid'],
      contracts: 2,
      state: 'effective',
    },
  },
  {
    name: 'a coupon that is taken off',
    coupons: ['half'],
    // By fewer statements than an upgrade.
    stride: 6,
    wish: { withoutCoupons: ['half'] },
    done: {
      subscription: { plan: 'basic' },
      invoices: ['subscription_create 500 paid'],
      contracts: 2,
      state: 'effective',
    },
  },
] as const

// Every statement is a place to die at; so many of them fit into the suite.
test.for(cases)(
  'killed after every $stride statements, $name is finished by the next process, once',
  async ({ coupons, wish, done, stride }) => {
    for (let statements = 1; ; statements += stride) {
      const ada = await newSubscriber(installation, 'basic', { coupons })
      const { status, survived } = await askMortal(statements, ada.path, wish)
      await recover()
      const changes = await ada.changes()
      const story = `after ${statements}`
      if (changes.length === 0) {
        // Killed before anything was recorded, nothing was.
        expect(await ada.read(), story).toMatchObject({ plan: 'basic', scheduledChange: null })
        expect(await ada.invoices(), story).toEqual(done.invoices.slice(0, 1))
      } else {
        expect(changes, story).toMatchObject([{ state: done.state }])
        expect(await ada.read(), story).toMatchObject(done.subscription)
        expect(await ada.invoices(), story).toEqual(done.invoices)
        expect(await ada.contracts(), story).toHaveLength(done.contracts)
        expect((await ada.atStripe()).subscriptions[0]?.discounts, story).toEqual([])
      }
      if (survived) {
        expect(status).toBe(200)
        expect(statements).toBeGreaterThan(20)
        return
      }
    }
  },
)

test('killed anywhere, a coupon is redeemed once, beside what the dashboard gave before the next process came', async () => {
  const { stripe } = installation.deps.provider
  const { rows } = await installation.database.pool.query(
    `select provider_id from mapping where entity_type = 'coupon' and entity_id = 'tenth'`,
  )
  for (let statements = 1; ; statements += 5) {
    const ada = await newSubscriber(installation, 'basic')
    const { survived } = await askMortal(statements, ada.path, { coupons: ['half'] })
    const story = `after ${statements}`
    const providerId = String((await ada.read()).providerId)
    const standing = async () => (await stripe.subscriptions.retrieve(providerId)).discounts.map(idOf)
    const kept = (await standing()).map((discount) => ({ discount }))
    await stripe.subscriptions.update(providerId, {
      discounts: [...kept, { coupon: rows[0].provider_id }],
    })
    await recover()
    await lookAt(installation.deps, { type: 'subscription', id: providerId })
    const changes = await ada.changes()
    const coupons = changes.length === 0 ? ['tenth'] : ['half', 'tenth']
    expect(changes, story).toMatchObject(changes.length === 0 ? [] : [{ state: 'effective' }])
    expect(await standing(), story).toHaveLength(coupons.length)
    const inForce = await agreementInForce(installation.deps.db, ada.id)
    const agreed = inForce?.agreement.discounts.map(({ coupon }) => coupon)
    expect(agreed?.toSorted(), story).toEqual(coupons)
    if (survived) return
  }
})

test('killed wherever, what is over lets its schedule go, and what is asked for meanwhile stands', async () => {
  const { stripe } = installation.deps.provider
  const { rows } = await installation.database.pool.query(
    `select provider_id as id from mapping join price on price.id = entity_id
     join plan_version on plan_version.id = plan_version_id where plan_key = 'starter'`,
  )
  const [price] = rows
  for (let statements = 1; ; statements += 16) {
    const ada = await newSubscriber(installation, 'basic')
    await ada.change({ plan: 'starter' })
    const providerId = String((await ada.read()).providerId)
    const { data } = await stripe.subscriptionItems.list({ subscription: providerId })
    await stripe.subscriptionItems.update(data[0]?.id ?? '', { price: price.id, proration_behavior: 'none' })
    await lookAt(installation.deps, { type: 'subscription', id: providerId })
    const { status, survived } = await askMortal(statements, ada.path, { plan: 'premium' })
    await recover()
    await doDue({ ...installation.deps, workflows: installation.workflows, requestSync: async () => {} })
    const story = `after ${statements}`
    expect((await stripe.subscriptions.retrieve(providerId)).schedule, story).toBeNull()
    const isChanged = (await ada.changes()).length > 1
    expect(await ada.read(), story).toMatchObject({
      ...{ plan: isChanged ? 'premium' : 'starter', scheduledChange: null },
    })
    if (!survived) continue
    expect(status).toBe(200)
    expect(statements).toBeGreaterThan(20)
    return
  }
})
