import { defineCatalog } from '@lockstep/core/catalog'
import { describe, expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { makeSchedule } from '../src/provider/stripe/schedules.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import type { ChangeWish } from '../src/workflow/plan-change/wish.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { standingCall } from './support/standing-call.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

// While a change waits, for a page or for another worker, somebody changes the subscription at the provider.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    starter: flatPlan('Starter', '0'),
    basic: flatPlan('Basic', '10.00'),
    premium: flatPlan('Premium', '25.00'),
  },
})

const ASKS = 'pm_card_authenticationRequired'
const PAGE = { returnUrl: 'https://app.example/billing', cancelUrl: 'https://app.example/pricing' }

const { simulator, installation } = await sharedInstallation(catalog)

const stripe = () => installation.deps.provider.stripe

async function subscriber(plan: string, card: string) {
  const ada = await newSubscriber(installation, plan, { card })
  const providerId = String((await ada.read()).providerId)
  const change = async (id: unknown) => (await installation.ask('GET', `${ada.path}/changes/${id}`)).body
  return {
    ...ada,
    providerId,
    atProvider: () => stripe().subscriptions.retrieve(providerId),
    /** Asks for a change that waits for the customer; the answer is given and resolves with what becomes of it. */
    async waiting(wish: object, answer: () => Promise<void>) {
      const asked = await ada.change(wish)
      expect(asked.status).toBe(202)
      const { id } = asked.body.change as Body
      return async () => {
        await answer()
        await installation.ask('POST', `${ada.path}/changes/${id}/resume`, {})
        return change(id)
      }
    },
    async leaveCard() {
      const { sessions } = await ada.atStripe()
      simulator.control.completeCheckout(sessions[0]?.id ?? '', { card: 'pm_card_visa' })
    },
    /** A process that dies when it has recorded a change; the answer is the next one, which goes on. */
    async recorded(wish: ChangeWish) {
      const { deps, workflows } = installation
      const { changeId, workflowId } = await beginChange(deps, ada.id, wish, {
        ...{ operation: newId('operation'), requestedBy: 'test', mayGivePlans: false },
        ...{ requestOrigin: null, accepted: {} },
      })
      const goOn = async () => {
        await deps.pool.query(
          `update workflow set lease_until = clock_timestamp() - interval '1 second' where subject_id = $1`,
          [changeId],
        )
        await workflows.resumeDue()
        return change(changeId)
      }
      return Object.assign(goOn, { planning: `${workflowId}/schedule-at-provider` })
    },
    async setQuantity(quantity: number) {
      const [item] = (await stripe().subscriptions.retrieve(providerId)).items.data
      await stripe().subscriptions.update(providerId, {
        items: [{ id: item?.id ?? '', quantity }],
        proration_behavior: 'none',
      })
    },
    /** In the dashboard: three of it from the next period on. */
    async planThree() {
      const made = await stripe().subscriptionSchedules.create({ from_subscription: providerId })
      const [phase] = made.phases
      if (!phase) throw new Error('It has no phase.')
      const { start_date, end_date, items } = phase
      const price = idOf(items[0]?.price ?? '')
      return stripe().subscriptionSchedules.update(made.id, {
        phases: [
          { start_date, end_date, items: [{ price, quantity: 1 }] },
          { items: [{ price, quantity: 3 }], duration: { interval: 'month', interval_count: 1 } },
        ],
      })
    },
  }
}

const DAY = 86_400

const refused = (what: string) => ({
  state: 'refused',
  problem: { code: 'subscription_not_changeable', detail: expect.stringContaining(`(${what})`) },
})

describe('what waited for a page is not made where meanwhile', () => {
  test.for([
    {
      name: 'the number became another',
      what: 'what it pays for',
      params: (item: string) => ({ items: [{ id: item, quantity: 5 }] }),
    },
    {
      name: 'an end was planned',
      what: 'its planned end',
      params: () => ({ cancel_at_period_end: true }),
    },
    {
      name: 'its invoices are not collected any more',
      what: 'whether its invoices are collected',
      params: () => ({ pause_collection: { behavior: 'void' as const } }),
    },
  ])('$name', async ({ what, params }) => {
    const ada = await subscriber('starter', '')
    const finish = await ada.waiting({ plan: 'premium', paymentPage: PAGE }, ada.leaveCard)
    const [item] = (await ada.atProvider()).items.data
    await stripe().subscriptions.update(ada.providerId, params(item?.id ?? ''))
    const before = await ada.atProvider()
    expect(await finish()).toMatchObject(refused(what))
    expect(await ada.atProvider()).toEqual(before)
    expect(await ada.invoices()).toEqual(['subscription_create 0 paid'])
    expect(await ada.contracts()).toHaveLength(what === 'what it pays for' ? 2 : 1)
  })

  test('the period is another', async () => {
    const ada = await subscriber('starter', '')
    await ada.turn('2026-01-31T20:00:00Z')
    const finish = await ada.waiting({ plan: 'premium', paymentPage: PAGE }, ada.leaveCard)
    await ada.turn('2026-02-01T04:00:00Z')
    expect(await finish()).toMatchObject(refused('its period'))
    expect(await ada.read()).toMatchObject({ plan: 'starter' })
  })

  test('nothing happened to it, it is made', async () => {
    const ada = await subscriber('starter', '')
    const finish = await ada.waiting({ plan: 'premium', paymentPage: PAGE }, ada.leaveCard)
    await stripe().subscriptions.update(ada.providerId, { description: 'Ours' })
    expect(await finish()).toMatchObject({ state: 'effective', problem: null })
    expect((await ada.invoices()).at(-1)).toBe('subscription_update 2500 paid')
  })
})

test.for([{ plan: 'premium' }, { plan: 'starter' }])(
  'nor what another process goes on with: $plan',
  async (wish) => {
    const ada = await subscriber('basic', 'pm_card_visa')
    const goOn = await ada.recorded(wish)
    const [item] = (await ada.atProvider()).items.data
    await stripe().subscriptions.update(ada.providerId, {
      items: [{ id: item?.id ?? '', quantity: 2 }],
      proration_behavior: 'none',
    })
    expect(await goOn()).toMatchObject(refused('what it pays for'))
    expect(await ada.atProvider()).toMatchObject({ schedule: null, items: { data: [{ quantity: 2 }] } })
  },
)

describe('what a process had begun to plan when it died', () => {
  const now = () => installation.deps.clock.now()

  test.for([{ state: 'refused' }, { state: 'unknown' }] as const)(
    'and what became of that is $state: what somebody else planned meanwhile stays',
    async ({ state }) => {
      const ada = await subscriber('basic', 'pm_card_visa')
      const goOn = await ada.recorded({ plan: 'starter' })
      await standingCall(installation.deps.db, goOn.planning, state, now() - DAY)
      const { id, phases } = await ada.planThree()
      expect(await goOn()).toMatchObject({
        state: 'refused',
        problem: { code: 'subscription_not_changeable' },
      })
      expect(await stripe().subscriptionSchedules.retrieve(id)).toMatchObject({
        status: 'active',
        phases: phases.map(({ items }) => ({ items: items.map(({ quantity }) => ({ quantity })) })),
        metadata: {},
      })
    },
  )

  test('a schedule that somebody else has told is not taken for the one that was to be made', async () => {
    const ada = await subscriber('basic', 'pm_card_visa')
    const operation = `${ada.id}/test`
    await standingCall(installation.deps.db, operation, 'unknown', now() - DAY)
    await ada.planThree()
    const wanted = { operation, subscriptionId: ada.id, providerSubscription: ada.providerId }
    await expect(makeSchedule(installation.deps, wanted)).rejects.toMatchObject({ code: 'provider_refused' })
  })

  test('and was refused: who sees that the number is another by now plans nothing', async () => {
    const ada = await subscriber('basic', 'pm_card_visa')
    const goOn = await ada.recorded({ plan: 'starter' })
    await standingCall(installation.deps.db, goOn.planning, 'refused', now())
    await ada.setQuantity(2)
    expect(await goOn()).toMatchObject(refused('what it pays for'))
    expect((await ada.atProvider()).schedule).toBeNull()
  })

  test('a schedule that nothing was told yet is let go where the number is another by now', async () => {
    const ada = await subscriber('basic', 'pm_card_visa')
    const goOn = await ada.recorded({ plan: 'starter' })
    const { id: made } = await stripe().subscriptionSchedules.create({ from_subscription: ada.providerId })
    await standingCall(installation.deps.db, goOn.planning, { made }, now())
    await ada.setQuantity(2)
    expect(await goOn()).toMatchObject(refused('what it pays for'))
    expect(await ada.atProvider()).toMatchObject({ schedule: null, items: { data: [{ quantity: 2 }] } })
    // What is asked for then is planned.
    expect(await ada.change({ plan: 'starter', quantity: 1 })).toMatchObject({ status: 200 })
    expect(await ada.read()).toMatchObject({ scheduledChange: { plan: 'starter' } })
  })
})

// A price that is archived is sold to nobody any more: https://docs.stripe.com/products-prices/manage-prices#archive-price
describe('what Stripe refuses to plan', () => {
  const archived = async (plan: string) => {
    const { rows } = await installation.deps.pool.query(
      `select m.provider_id as id from mapping m join price p on p.id = m.entity_id
         join plan_version v on v.id = p.plan_version_id and v.plan_key = $1`,
      [plan],
    )
    await stripe().prices.update(rows[0].id, { active: false })
    return () => stripe().prices.update(rows[0].id, { active: true })
  }

  test('leaves no schedule that was made for it, and what is asked for next is planned', async () => {
    const ada = await subscriber('premium', 'pm_card_visa')
    const takeBack = await archived('basic')
    expect(await ada.change({ plan: 'basic' })).toMatchObject({ body: { code: 'provider_refused' } })
    expect((await ada.atProvider()).schedule).toBeNull()
    await takeBack()
    expect(await ada.change({ plan: 'starter' })).toMatchObject({ status: 200 })
    expect(await ada.read()).toMatchObject({ scheduledChange: { plan: 'starter' } })
  })

  test('leaves what was planned before as it was', async () => {
    const ada = await subscriber('premium', 'pm_card_visa')
    await ada.change({ plan: 'starter' })
    const { schedule } = await ada.atProvider()
    const takeBack = await archived('basic')
    expect(await ada.change({ plan: 'basic' })).toMatchObject({ body: { code: 'provider_refused' } })
    expect((await ada.atProvider()).schedule).toBe(schedule)
    expect(await ada.read()).toMatchObject({ scheduledChange: { plan: 'starter' } })
    await takeBack()
  })
})

test('what pays for it since is kept where the customer tells the bank no', async () => {
  const ada = await subscriber('basic', 'pm_card_visa')
  const finish = await ada.waiting({ plan: 'premium', paymentMethod: ASKS }, async () => {
    const { intents } = await ada.atStripe()
    const asking = intents.find(({ status }) => status === 'requires_action')
    simulator.control.authenticate(asking?.id ?? '', 'fail')
  })
  const { customer } = await ada.atStripe()
  const { id } = await stripe().paymentMethods.attach('pm_card_mastercard', { customer: customer.id })
  await stripe().subscriptions.update(ada.providerId, { default_payment_method: id })
  expect(await finish()).toMatchObject({ state: 'refused', problem: { code: 'payment_not_confirmed' } })
  expect(await ada.atProvider()).toMatchObject({ default_payment_method: id })
})

describe('what the bank asks about is given up where meanwhile', () => {
  test.for([
    {
      name: 'an end was planned',
      what: 'its planned end',
      move: (id: string) => stripe().subscriptions.update(id, { cancel_at_period_end: true }),
    },
    {
      name: 'its invoices are not collected any more',
      what: 'whether its invoices are collected',
      move: (id: string) =>
        stripe().subscriptions.update(id, { pause_collection: { behavior: 'void' as const } }),
    },
  ])('$name: nothing is left to be paid, and the card before pays', async ({ what, move }) => {
    const ada = await subscriber('basic', 'pm_card_visa')
    const finish = await ada.waiting({ plan: 'premium', paymentMethod: ASKS }, async () => {
      await move(ada.providerId)
    })
    expect(await finish()).toMatchObject(refused(what))
    expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 1500 void'])
    expect(await ada.atProvider()).toMatchObject({
      ...{ pending_update: null, default_payment_method: null },
      items: { data: [{ price: { unit_amount: 1000 } }] },
    })
  })

  test('it ended: nothing of it pays for anything any more, and nobody has to look at it', async () => {
    const ada = await subscriber('basic', 'pm_card_visa')
    const finish = await ada.waiting({ plan: 'premium', paymentMethod: ASKS }, async () => {
      await stripe().subscriptions.cancel(ada.providerId)
    })
    expect(await finish()).toMatchObject(refused('its status'))
    expect(await ada.invoices()).toEqual(['subscription_create 1000 paid', 'subscription_update 1500 void'])
  })
})
