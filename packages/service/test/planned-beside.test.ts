import { defineCatalog } from '@lockstep/core/catalog'
import type { ContractDocument } from '@lockstep/core/contract'
import { describe, expect, test } from 'vitest'
import { readMigrations } from '../src/postgres/migrate.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { doDue } from '../src/workflow/due.ts'
import { lookAt } from '../src/workflow/look.ts'
import { replan } from '../src/workflow/plan-change/replan.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// What is changed directly on a subscription may be overwritten by its schedule when the next phase is entered:
// https://docs.stripe.com/billing/subscriptions/subscription-schedules#subscription-updates-when-a-schedule-is-attached

const each = (unitAmount: string) => ({ each: { kind: 'recurring', model: 'perUnit', unitAmount } }) as const
const seats = (name: string, unitAmount: string) => ({
  ...flatPlan(name, '0'),
  prices: each(unitAmount),
})
const monthly = { product: 'app', interval: 'month' } as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    large: seats('Large', '9.00'),
    middle: seats('Middle', '6.00'),
    small: seats('Small', '4.00'),
    solo: flatPlan('Solo', '2.00'),
    lone: flatPlan('Lone', '1.00'),
    annual: { ...flatPlan('Annual', '90.00'), interval: 'year' },
    grand: { ...seats('Grand', '900'), currency: 'jpy' },
    little: { ...seats('Little', '400'), currency: 'jpy' },
  },
  addons: {
    backups: { ...monthly, name: 'Backups', prices: each('3.00') },
    support: {
      ...{ ...monthly, name: 'Support' },
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '5.00' } },
    },
  },
})

const { installation } = await sharedInstallation(catalog)

const stripe = () => installation.deps.provider.stripe
const rows = async (text: string, ...values: unknown[]) =>
  (await installation.deps.pool.query(text, values)).rows
const due = () =>
  doDue({ ...installation.deps, workflows: installation.workflows, requestSync: async () => {} })

/** The provider's price of a plan or an add-on. */
async function priceOf(sold: string): Promise<string> {
  const [row] = await rows(
    `select provider_id from mapping join price on price.id = entity_id
       left join plan_version p on p.id = plan_version_id left join addon_version a on a.id = addon_version_id
     where $1 in (plan_key, addon_key)`,
    sold,
  )
  return row.provider_id
}

/** A customer on `plan` since the beginning of January, and the dashboard where somebody changes what they have. */
async function subscriber(plan: string, quantity: number, addons: readonly object[] = []) {
  const ada = await newSubscriber(installation, plan, { quantity, addons })
  const providerId = String((await ada.read()).providerId)
  const atStripe = () => stripe().subscriptions.retrieve(providerId)
  const itemOf = async (price: string) =>
    (await atStripe()).items.data.find((item) => item.price.id === price)?.id ?? ''
  const unbilled = { proration_behavior: 'none' } as const
  const standing = async () => {
    const { plan, quantity, addons } = await ada.read()
    const beside = addons as { addon: string; quantity: number }[]
    return [`${plan} ${quantity}`, ...beside.map((one) => `${one.addon} ${one.quantity}`)].join(', ')
  }
  const schedule = async () => {
    const { schedule } = await atStripe()
    return stripe().subscriptionSchedules.retrieve(idOf(schedule ?? ''))
  }
  return {
    ...ada,
    providerId,
    standing,
    schedule,
    hear: () => lookAt(installation.deps, { type: 'subscription', id: providerId }),
    async dashboard(change: Readonly<Record<string, number>>, instead?: string) {
      for (const [sold, quantity] of Object.entries(change)) {
        const price = await priceOf(sold)
        const id = await itemOf(instead === undefined ? price : await priceOf(instead))
        if (quantity === 0) await stripe().subscriptionItems.del(id, unbilled)
        else if (id) await stripe().subscriptionItems.update(id, { price, quantity, ...unbilled })
        else
          await stripe().subscriptionItems.create({ subscription: providerId, price, quantity, ...unbilled })
      }
    },
    async planned() {
      const { scheduledChange: planned } = await ada.read()
      if (planned === null) return null
      const { plan, quantity, addons } = planned as { plan: string; quantity: number; addons: object[] }
      const beside = addons as { addon: string; quantity: number }[]
      return [`${plan} ${quantity}`, ...beside.map((one) => `${one.addon} ${one.quantity}`)].join(', ')
    },
    /** What the planned phase of the schedule bills. */
    async comes() {
      const last = (await schedule()).phases.at(-1)
      const known = await rows(
        `select provider_id as price, coalesce(plan_key, addon_key) as sold from mapping join price on price.id = entity_id
           left join plan_version p on p.id = plan_version_id left join addon_version a on a.id = addon_version_id`,
      )
      const name = (price: string) => known.find((one) => one.price === price)?.sold ?? price
      return last?.items.map(({ price, quantity }) => `${name(idOf(price))} ${quantity}`).join(', ')
    },
    async renewed() {
      await ada.turn('2026-02-01T02:00:00Z')
      expect(await ada.read()).toMatchObject({ scheduledChange: null })
      return (await ada.invoices()).at(-1)
    },
    /** What was agreed on, in order. */
    async agreed() {
      const made = await rows(
        'select document from contract where subscription_id = $1 order by sequence',
        ada.id,
      )
      return made.map(({ document }) => {
        const { agreement } = JSON.parse(document) as ContractDocument
        const { plan, quantity, addons = [] } = agreement
        return [`${plan.key} ${quantity}`, ...addons.map((one) => `${one.key} ${one.quantity}`)].join(', ')
      })
    },
    async drift() {
      const { drifts } = await findDrift(installation.deps)
      return drifts.filter(({ providerId: its }) => its === providerId)
    },
  }
}

type Subscriber = Awaited<ReturnType<typeof subscriber>>

describe('seats that the dashboard changes while another plan is planned', () => {
  test('come with it, and are planned to as soon as they are heard of', async () => {
    const ada = await subscriber('large', 3)
    expect(await ada.change({ plan: 'small' })).toMatchObject({ status: 200 })
    await ada.turn('2026-01-10T00:00:00Z')
    await ada.dashboard({ large: 5 })
    await ada.hear()
    await due()
    expect([await ada.planned(), await ada.comes()]).toEqual(['small 5', 'small 5'])
    const [planned] = await ada.changes()
    expect(planned).toMatchObject({
      from: { plan: 'large', quantity: 5 },
      to: { plan: 'small', quantity: 5 },
    })
    expect(await ada.drift()).toEqual([])
    // 5 × 4.00, as a preview of the same says before it.
    const shown = await ada.preview({ plan: 'small' })
    expect(shown.body).toMatchObject({ nextInvoice: { total: { minor: '2000' } } })
    expect(await ada.renewed()).toBe('subscription_cycle 2000 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'large 5', 'small 5'])
    expect(await ada.changes()).toMatchObject([{ id: planned?.id, state: 'effective', to: { quantity: 5 } }])
    expect(await ada.drift()).toEqual([])
  })

  test('come with it where nobody told us', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.dashboard({ large: 5 })
    expect(await ada.renewed()).toBe('subscription_cycle 2000 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'large 5', 'small 5'])
    expect(await ada.drift()).toEqual([])
  })

  test('do not where their number is what is planned', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small', quantity: 2 })
    // Also where they were as many in between.
    for (const seats of [2, 5]) {
      await ada.dashboard({ large: seats })
      await ada.hear()
      await due()
      expect([await ada.planned(), await ada.comes()]).toEqual(['small 2', 'small 2'])
    }
    expect(await ada.renewed()).toBe('subscription_cycle 800 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'large 2', 'large 5', 'small 2'])
  })

  test('in yen, there and back again', async () => {
    const ada = await subscriber('grand', 3)
    await ada.change({ plan: 'little' })
    for (const seats of [7, 3, 4]) {
      await ada.dashboard({ grand: seats })
      await ada.hear()
      await ada.hear()
      await due()
      expect([await ada.planned(), await ada.comes()]).toEqual([`little ${seats}`, `little ${seats}`])
    }
    expect(await ada.renewed()).toBe('subscription_cycle 1600 paid')
  })
})

describe('a plan that the dashboard changes to while another one is planned', () => {
  test('lasts until that comes, with the seats of then', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.dashboard({ middle: 5 }, 'large')
    await ada.hear()
    await due()
    expect([await ada.standing(), await ada.planned(), await ada.comes()]).toEqual([
      ...['middle 5', 'small 5', 'small 5'],
    ])
    expect(await ada.renewed()).toBe('subscription_cycle 2000 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'middle 5', 'small 5'])
    expect(await ada.drift()).toEqual([])
  })

  test('stays where the plan is not what is planned', async () => {
    const ada = await subscriber('large', 3, [{ addon: 'support', quantity: 1 }])
    await ada.change({ addons: [{ addon: 'support', quantity: 0 }] })
    await ada.dashboard({ middle: 4 }, 'large')
    expect(await ada.renewed()).toBe('subscription_cycle 2400 paid')
    expect(await ada.agreed()).toEqual(['large 3, support 1', 'middle 4, support 1', 'middle 4'])
    expect(await ada.drift()).toEqual([])
  })

  test('says nothing of the seats of what comes where it has none', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.dashboard({ solo: 1 }, 'large')
    await ada.hear()
    await due()
    expect([await ada.standing(), await ada.planned(), await ada.comes()]).toEqual([
      ...['solo 1', 'small 3', 'small 3'],
    ])
    await ada.dashboard({ large: 4 }, 'solo')
    await ada.hear()
    await due()
    expect([await ada.planned(), await ada.comes()]).toEqual(['small 4', 'small 4'])
    expect(await ada.renewed()).toBe('subscription_cycle 1600 paid')
  })

  test('is what was planned, with other seats: nothing comes any more', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.turn('2026-01-10T00:00:00Z')
    await ada.dashboard({ small: 5 }, 'large')
    await ada.hear()
    await due()
    expect([await ada.standing(), await ada.planned()]).toEqual(['small 5', null])
    expect(await ada.changes()).toMatchObject([{ state: 'effective', to: { plan: 'small', quantity: 5 } }])
    await due()
    expect((await ada.atStripe()).subscriptions[0]).toMatchObject({ schedule: null })
    await ada.dashboard({ small: 6 })
    expect(await ada.renewed()).toBe('subscription_cycle 2400 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'small 5', 'small 6'])
    expect(await ada.changes()).toHaveLength(1)
  })
})

test('a plan that is had once, planned and made by the dashboard several times over, has taken effect', async () => {
  const ada = await subscriber('solo', 1)
  await ada.change({ plan: 'lone' })
  await ada.turn('2026-01-10T00:00:00Z')
  await ada.dashboard({ lone: 3 }, 'solo')
  await ada.hear()
  await due()
  expect([await ada.standing(), await ada.planned()]).toEqual(['lone 3', null])
  expect(await ada.changes()).toMatchObject([{ state: 'effective', to: { plan: 'lone', quantity: 3 } }])
  expect(await ada.renewed()).toBe('subscription_cycle 300 paid')
  expect(await ada.agreed()).toEqual(['solo 1', 'lone 3'])
  expect(await ada.drift()).toEqual([])
})

describe('add-ons that the dashboard changes while another plan is planned', () => {
  const backups = (quantity: number) => ({ addon: 'backups', quantity })

  test('come with it in the number of then, and what is taken off does not come back', async () => {
    const ada = await subscriber('large', 1, [backups(2), { addon: 'support', quantity: 1 }])
    await ada.change({ plan: 'small' })
    await ada.dashboard({ backups: 4, support: 0 })
    await ada.hear()
    await due()
    expect([await ada.planned(), await ada.comes()]).toEqual(['small 1, backups 4', 'small 1, backups 4'])
    // 4.00 and 4 × 3.00.
    expect(await ada.renewed()).toBe('subscription_cycle 1600 paid')
    expect(await ada.agreed()).toEqual([
      ...['large 1, backups 2, support 1', 'large 1, backups 4', 'small 1, backups 4'],
    ])
    expect(await ada.drift()).toEqual([])
  })

  test('come with it where they are put on, heard of or not', async () => {
    for (const isHeard of [true, false]) {
      const ada = await subscriber('large', 1)
      await ada.change({ plan: 'small' })
      await ada.dashboard({ backups: 2 })
      if (isHeard) {
        await ada.hear()
        await due()
        expect([await ada.planned(), await ada.comes()]).toEqual(['small 1, backups 2', 'small 1, backups 2'])
      }
      expect(await ada.renewed()).toBe('subscription_cycle 1000 paid')
      expect(await ada.agreed()).toEqual(['large 1', 'large 1, backups 2', 'small 1, backups 2'])
      expect(await ada.drift()).toEqual([])
    }
  })

  test('do not stay beside a year that is planned without them', async () => {
    const ada = await subscriber('large', 1, [backups(2)])
    await ada.change({ plan: 'annual', addons: [backups(0)], when: 'periodEnd' })
    expect([await ada.planned(), await ada.comes()]).toEqual(['annual 1', 'annual 1'])
    await ada.dashboard({ backups: 4 })
    await ada.hear()
    await due()
    expect([await ada.planned(), await ada.comes()]).toEqual(['annual 1', 'annual 1'])
    expect(await ada.renewed()).toBe('subscription_cycle 9000 paid')
    expect(await ada.agreed()).toEqual(['large 1, backups 2', 'large 1, backups 4', 'annual 1'])
    expect(await ada.drift()).toEqual([])
  })

  test('are as planned where they are what is planned', async () => {
    const ada = await subscriber('large', 2, [backups(5), { addon: 'support', quantity: 1 }])
    await ada.change({ addons: [backups(1), { addon: 'support', quantity: 0 }] })
    await ada.dashboard({ backups: 9, large: 3 })
    await ada.hear()
    await due()
    expect([await ada.planned(), await ada.comes()]).toEqual(['large 3, backups 1', 'large 3, backups 1'])
    // 27.00 and 3.00.
    expect(await ada.renewed()).toBe('subscription_cycle 3000 paid')
    expect(await ada.agreed()).toEqual([
      ...['large 2, backups 5, support 1', 'large 3, backups 9, support 1', 'large 3, backups 1'],
    ])
    expect(await ada.drift()).toEqual([])
  })
})

describe('the moment in which it comes', () => {
  /** On Stripe's side alone: nobody here is told, and nothing is done that is due. */
  const stripeTurns = async ({ atStripe }: Pick<Subscriber, 'atStripe'>, to: string) => {
    const [subscription] = (await atStripe()).subscriptions
    const clock = idOf(subscription?.test_clock ?? '')
    await stripe().testHelpers.testClocks.advance(clock, { frozen_time: Date.parse(to) / 1000 })
    const isReady = async () => (await stripe().testHelpers.testClocks.retrieve(clock)).status
    await expect.poll(isReady).toBe('ready')
  }

  test('seats that are changed in the next one are what came of it', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.turn('2026-01-31T23:59:00Z')
    await stripeTurns(ada, '2026-02-01T00:00:00Z')
    await ada.dashboard({ small: 5 })
    await ada.hear()
    expect(await ada.renewed()).toBe('subscription_cycle 1200 paid')
    expect(await ada.standing()).toBe('small 5')
    expect(await ada.changes()).toMatchObject([{ state: 'effective', to: { plan: 'small', quantity: 5 } }])
    expect(await ada.agreed()).toEqual(['large 3', 'small 5'])
    expect((await ada.atStripe()).subscriptions[0]).toMatchObject({ schedule: null })
    expect(await ada.drift()).toEqual([])
  })

  test('of seats that are changed in the last one, and not heard of, all say what is billed', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.turn('2026-01-31T23:59:59Z')
    await ada.dashboard({ large: 5 })
    await stripeTurns(ada, '2026-02-01T00:00:00Z')
    expect(await ada.renewed()).toBe('subscription_cycle 1200 paid')
    expect(await ada.standing()).toBe('small 3')
    expect(await ada.agreed()).toEqual(['large 3', 'small 3'])
    expect(await ada.drift()).toEqual([])
  })

  test('it takes effect as its schedule was told last, where whoever wrote it down anew died then', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.turn('2026-01-31T23:59:00Z')
    await ada.dashboard({ large: 5 })
    await ada.hear()
    await rewrite(ada)
    expect([await ada.planned(), await ada.comes()]).toEqual(['small 5', 'small 3'])
    // The schedule's own event, and whoever looks at it, does not take it for somebody else's.
    await lookAt(installation.deps, { type: 'subscription_schedule', id: (await ada.schedule()).id })
    expect(await ada.planned()).toBe('small 5')
    await stripeTurns(ada, '2026-02-01T00:00:00Z')
    await ada.hear()
    expect(await ada.changes()).toMatchObject([{ state: 'effective', to: { plan: 'small', quantity: 3 } }])
    expect(await ada.renewed()).toBe('subscription_cycle 1200 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'large 5', 'small 3'])
    expect(await ada.drift()).toEqual([])
  })

  test('and is told by whoever comes next, where there is still time', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.dashboard({ large: 5 })
    await ada.hear()
    await rewrite(ada)
    await lookAt(installation.deps, { type: 'subscription_schedule', id: (await ada.schedule()).id })
    await due()
    expect([await ada.planned(), await ada.comes()]).toEqual(['small 5', 'small 5'])
    expect(await rows('select still_told from plan_change where subscription_id = $1', ada.id)).toEqual([
      { still_told: null },
    ])
    expect(await ada.renewed()).toBe('subscription_cycle 2000 paid')
  })
})

/** What is done before the schedule is told, and no more. */
async function rewrite({ id }: Subscriber) {
  const [row] = await rows(
    'select c.id, w.input from plan_change c join workflow w on w.id = c.workflow_id where c.subscription_id = $1',
    id,
  )
  return replan(installation.deps, row.id, row.input)
}

describe('a schedule that somebody changes in the dashboard', () => {
  test('is theirs from then on, and what they do to the seats beside it changes nothing of it', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    const { id, phases } = await ada.schedule()
    const [runs] = phases
    await stripe().subscriptionSchedules.update(id, {
      phases: [
        {
          items: [{ price: await priceOf('large'), quantity: 3 }],
          ...{ start_date: runs?.start_date ?? 0, end_date: runs?.end_date ?? 0 },
        },
        {
          items: [{ price: await priceOf('middle'), quantity: 2 }],
          duration: { interval: 'month', interval_count: 1 },
        },
      ],
    })
    await ada.dashboard({ large: 5 })
    await ada.hear()
    await due()
    expect(await ada.planned()).toBe('middle 2')
    expect(await ada.renewed()).toBe('subscription_cycle 1200 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'large 5', 'middle 2'])
    expect(await ada.drift()).toEqual([])
  })

  test('is not told anew where they planned more behind it: it comes as it was', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    const { id, phases } = await ada.schedule()
    const price = await priceOf('middle')
    await stripe().subscriptionSchedules.update(id, {
      phases: [
        ...phases.map(({ items, start_date, end_date }) => ({
          items: items.map((item) => ({ price: idOf(item.price), quantity: item.quantity ?? 1 })),
          ...{ start_date, end_date },
        })),
        { items: [{ price, quantity: 1 }], duration: { interval: 'month', interval_count: 1 } },
      ],
    })
    await ada.dashboard({ large: 5 })
    await ada.hear()
    await due()
    expect(await ada.planned()).toBe('small 3')
    // Until ten minutes before it comes that may be otherwise.
    expect(
      await rows(
        `select due_at::text as at from due where kind = 'planned-terms' and settled_at is null
      and subject_id = (select id from plan_change where subscription_id = $1)`,
        ada.id,
      ),
    ).toEqual([{ at: '2026-01-31 23:50:00+00' }])
    await ada.turn('2026-02-01T02:00:00Z')
    expect(await ada.standing()).toBe('small 3')
    expect(await ada.agreed()).toEqual(['large 3', 'large 5', 'small 3'])
  })

  test('is told anew where the phase that runs was split in two, as Stripe may do with a direct change', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.turn('2026-01-10T00:00:00Z')
    const { id, phases } = await ada.schedule()
    const [runs, comes] = phases
    const large = await priceOf('large')
    const now = Date.UTC(2026, 0, 10) / 1000
    await stripe().subscriptionSchedules.update(id, {
      proration_behavior: 'none',
      phases: [
        { items: [{ price: large, quantity: 3 }], start_date: runs?.start_date ?? 0, end_date: now },
        { items: [{ price: large, quantity: 5 }], start_date: now, end_date: comes?.start_date ?? 0 },
        {
          items: [{ price: await priceOf('small'), quantity: 3 }],
          ...{ start_date: comes?.start_date ?? 0, end_date: comes?.end_date ?? 0 },
        },
      ],
    })
    expect((await ada.schedule()).current_phase?.start_date).toBe(now)
    await ada.hear()
    await due()
    expect([await ada.planned(), await ada.comes()]).toEqual(['small 5', 'small 5'])
    expect(await ada.renewed()).toBe('subscription_cycle 2000 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'large 5', 'small 5'])
  })

  test('and released there, it does not come: the seats of the dashboard go on', async () => {
    const ada = await subscriber('large', 3)
    await ada.change({ plan: 'small' })
    await ada.dashboard({ large: 5 })
    await stripe().subscriptionSchedules.release((await ada.schedule()).id)
    await ada.hear()
    await due()
    expect(await ada.planned()).toBeNull()
    expect(await ada.renewed()).toBe('subscription_cycle 4500 paid')
    expect(await ada.agreed()).toEqual(['large 3', 'large 5'])
    expect(await ada.drift()).toEqual([])
  })
})

test('what was planned by a version that did not look before it came is looked at too', async () => {
  const [ada, ben] = [await subscriber('large', 3), await subscriber('large', 3)]
  for (const { change, id } of [ada, ben]) {
    await change({ plan: 'small' })
    // As that version left it.
    await rows(
      `delete from due using plan_change c where due.subject_id = c.id and kind = 'planned-terms' and subscription_id = $1`,
      id,
    )
    await rows(
      `update workflow set input = input - 'stood' from plan_change c where c.workflow_id = workflow.id and subscription_id = $1`,
      id,
    )
    await rows('update plan_change set from_item_numbers = null where subscription_id = $1', id)
  }
  await ben.turn('2026-02-01T02:00:00Z')
  const migration = (await readMigrations()).find(({ name }) => name === '0148_planned_looks.sql')
  const looks = `select subscription_id as id, due.due_at::text as at from due join plan_change c on c.id = subject_id
    where kind = 'planned-terms' and subscription_id = any($1)`
  for (const _ of ['once', 'again']) {
    await rows(migration?.text ?? '')
    expect(await rows(looks, [ada.id, ben.id])).toEqual([{ id: ada.id, at: '2026-01-31 23:50:00+00' }])
  }
  await ada.dashboard({ large: 5, backups: 2 })
  // 5 × 4.00 and 2 × 3.00.
  expect(await ada.renewed()).toBe('subscription_cycle 2600 paid')
  expect(await ada.agreed()).toEqual(['large 3', 'large 5, backups 2', 'small 5, backups 2'])
})

test('of two subscriptions of a customer, the one that was changed is planned anew', async () => {
  const ada = await subscriber('large', 3)
  const { externalId, testClock } = (await installation.ask('GET', `/v1/customers/${ada.customer}`)).body
  const second = { externalId, testClock, slot: 'second', plan: 'middle', quantity: 2 }
  const { status, body } = await installation.ask('POST', '/v1/registrations', second)
  expect([status, body.state]).toEqual([201, 'completed'])
  await ada.change({ plan: 'small' })
  const path = `/v1/subscriptions/${body.subscription}`
  expect(await installation.ask('PATCH', path, { plan: 'small' })).toMatchObject({ status: 200 })
  await ada.dashboard({ large: 5 })
  await ada.hear()
  await due()
  expect([await ada.planned(), await ada.comes()]).toEqual(['small 5', 'small 5'])
  expect((await installation.ask('GET', path)).body).toMatchObject({
    ...{ plan: 'middle', quantity: 2, scheduledChange: { plan: 'small', quantity: 2 } },
  })
  expect(await ada.renewed()).toBe('subscription_cycle 2000 paid')
  expect((await installation.ask('GET', path)).body).toMatchObject({ plan: 'small', quantity: 2 })
})
