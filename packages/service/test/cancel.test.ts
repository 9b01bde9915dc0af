import { expect, test, vi } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { newId } from '../src/ids.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { listHistory } from '../src/store/subscription-history.ts'
import { cancelSubscription } from '../src/workflow/deeds/cancel.ts'
import { workflowKinds } from '../src/workflow/kinds.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { decideChange } from '../src/workflow/plan-change/decide.ts'
import { makeWorkflows } from '../src/workflow/workflows.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world)
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

interface Answered {
  readonly status: number
  readonly body: {
    readonly state: string
    readonly code: string
    readonly errors: readonly { pointer: string; code: string }[]
    readonly subscription: Record<string, unknown>
    readonly givenBack: unknown
    readonly toBill: unknown
    readonly toGiveBack: unknown
    readonly usage: readonly { description: string }[]
    readonly unusedTime: readonly { amount: { minor: string } }[]
  }
}

async function ask(payer: Payer, verb: string, payload: object = {}, key?: string): Promise<Answered> {
  const url = `/v1/subscriptions/${payer.subscriptionId}/${verb}`
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  return server.call({ method: 'POST', url, payload, headers })
}

async function causes({ subscriptionId }: Payer): Promise<string[]> {
  const rows = await listHistory(world.db, subscriptionId, { limit: 100 })
  return rows
    .reverse()
    .map(({ status, cause, reason, actor }) =>
      [status, cause, reason, actor?.replace(/_.*/, '')].filter(Boolean).join(' '),
    )
}

test('ended now by us: usage is billed to the second, with the reason in the history and the place free', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(ada, '2026-01-20T00:20:00Z')
  await world.use(ada, '300', '2026-01-15T00:00:00Z')
  const preview = await ask(ada, 'cancel/preview', { when: 'now' })
  expect(preview.body).toMatchObject({
    endsAt: '2026-01-20T00:20:00Z',
    toBill: { minor: '300' },
    toGiveBack: { minor: '0' },
  })
  expect(preview.body.usage.map(({ description }) => description)).toEqual(['Seconds: 300 second'])
  const { status, body } = await ask(ada, 'cancel', { when: 'now', reason: 'nonPayment' })
  expect([status, body.state, body.givenBack]).toEqual([200, 'done', null])
  expect(body.subscription).toMatchObject({
    status: 'canceled',
    access: 'ended',
    endedAt: '2026-01-20T00:20:00Z',
  })
  await world.deliver()
  await go(ada, '2026-01-20T02:00:00Z')
  expect(await world.story(ada)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-01-20 subscription_cycle paid 300',
  ])
  expect(await causes(ada)).toEqual(['active registration', 'canceled cancel nonPayment admin'])
  expect(await ask(ada, 'cancel', { when: 'now' })).toMatchObject({
    status: 409,
    body: { code: 'subscription_over' },
  })
  expect(await ask(ada, 'resume')).toMatchObject({ status: 409, body: { code: 'subscription_over' } })
  const again = await world.registerAlso(ada, 'plain', 'default')
  expect(again.subscriptionId).not.toBe(ada.subscriptionId)
  // Whoever still asks the old one is told where the new one is, and not what both of them bill.
  const toOld = decideChange(world.deps, ada.subscriptionId, { plan: 'tiered' }, { mayGivePlans: true })
  await expect(toOld).rejects.toMatchObject({
    code: 'subscription_over',
    detail: expect.stringContaining(again.subscriptionId),
  })
})

test('a planned end is taken back, before it comes; asked twice, it is planned once', async () => {
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const planned = await ask(bob, 'cancel', {})
  expect(planned.body.subscription).toMatchObject({
    ...{ status: 'active', access: 'full', cancelAtPeriodEnd: true, cancelAt: '2026-02-10T00:00:00Z' },
  })
  expect(await world.requests(() => ask(bob, 'cancel', {}))).toEqual([])
  const resumed = await ask(bob, 'resume')
  expect(resumed.body.subscription).toMatchObject({ cancelAtPeriodEnd: false, cancelAt: null })
  expect(await ask(bob, 'resume')).toMatchObject({ status: 409, body: { code: 'nothing_to_resume' } })
  await go(bob, '2026-02-10T02:00:00Z')
  expect(await causes(bob)).toEqual([
    'active registration',
    'active cancel admin',
    'active cancelUndone admin',
  ])
})

test('ended at a date in the middle of a period, which is billed until then and no fee after it', async () => {
  const eve = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(eve, '2026-01-12T00:00:00Z')
  await world.use(eve, '50', '2026-01-11T00:00:00Z')
  const { body } = await ask(eve, 'cancel', { at: '2026-02-20T06:00:00Z' })
  expect(body.subscription).toMatchObject({ cancelAt: '2026-02-20T06:00:00Z', cancelAtPeriodEnd: false })
  await world.sync(eve)
  await go(eve, '2026-02-10T02:00:00Z')
  await go(eve, '2026-02-20T05:00:00Z')
  await world.use(eve, '70', '2026-02-15T00:00:00Z')
  await world.sync(eve)
  await go(eve, '2026-02-20T06:00:00Z')
  await world.use(eve, '900', '2026-02-20T06:00:00Z')
  await world.sync(eve)
  await go(eve, '2026-02-20T09:00:00Z')
  expect(await world.story(eve)).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 2050',
    '2026-02-10 … 2026-02-20 subscription_cycle paid 70',
  ])
  expect((await causes(eve)).at(-1)).toBe('canceled plannedEnd')
  expect(await ask(eve, 'cancel', { at: '2026-01-01T00:00:00Z' })).toMatchObject({
    body: { code: 'subscription_over' },
  })
})

// 20.00 of 2026-01-10 to 2026-02-10, 31 days; 20.5 of them are left: 13.225… → 13.23.
test.each(['credit', 'refund'] as const)(
  'unused time is given back as %s, as much as previewed, once',
  async (how) => {
    const max = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.deliver()
    await go(max, '2026-01-20T12:00:00Z')
    const preview = await ask(max, 'cancel/preview', { when: 'now', unusedTime: how })
    expect(preview.body.toGiveBack).toEqual({ amount: '13.23', minor: '1323', currency: 'usd' })
    expect(preview.body.unusedTime.map(({ amount }) => amount.minor)).toEqual(['-1323'])
    const first = await ask(max, 'cancel', { when: 'now', unusedTime: how }, `back_${how}`)
    expect(first.body.givenBack).toEqual({
      ...{ how, amount: preview.body.toGiveBack, notGivenBack: [], problem: null },
    })
    expect((await ask(max, 'cancel', { when: 'now', unusedTime: how }, `back_${how}`)).body).toEqual(
      first.body,
    )
    const customer = await world.stripe.customers.retrieve(max.customer)
    const { data: charges } = await world.stripe.charges.list({ customer: max.customer })
    const { data: notes } = await world.stripe.creditNotes.list({ customer: max.customer })
    expect(notes.map(({ amount, memo }) => [amount, memo])).toEqual([[1323, 'Unused time']])
    // Written down with its name before it was made: whoever refunds beside it waits.
    const row = await world.db
      .selectFrom('creditNote')
      .select(['status', 'credited', 'refunded', 'providerCreditNoteId as provider'])
      .where('customerId', '=', max.customerId)
      .where('workflowId', 'is not', null)
      .executeTakeFirst()
    const back = how === 'credit' ? { credited: 1323n, refunded: 0n } : { credited: 0n, refunded: 1323n }
    expect(row).toEqual({ status: 'issued', provider: notes[0]?.id, ...back })
    expect({
      balance: 'balance' in customer && customer.balance,
      refunded: charges[0]?.amount_refunded,
    }).toEqual(how === 'credit' ? { balance: -1323, refunded: 0 } : { balance: 0, refunded: 1323 })
  },
)

test('nothing is given back twice: what was refunded before is not credited again', async () => {
  const kim = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const { data: charges } = await world.stripe.charges.list({ customer: kim.customer })
  await world.stripe.refunds.create({ charge: charges[0]?.id ?? '', amount: 1500 })
  await go(kim, '2026-01-20T12:00:00Z')
  // 20.00 − 15.00 is all that is left of what was paid.
  const { body } = await ask(kim, 'cancel', { when: 'now', unusedTime: 'credit' })
  expect(body.givenBack).toMatchObject({ amount: { minor: '500' } })
})

test('what was paid outside of Stripe is credited at an end', async () => {
  const ida = await world.register('plain', '2026-01-31T00:00:00Z')
  const { customer, subscription } = ida
  const bad = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
  await world.stripe.subscriptions.update(subscription, { default_payment_method: bad.id })
  await go(ida, '2026-02-28T02:00:00Z')
  const { data } = await world.stripe.invoices.list({ subscription, limit: 1 })
  await world.stripe.invoices.pay(data[0]?.id ?? '', { paid_out_of_band: true })
  await world.deliver()
  // 742 of the 744 hours until 31 March are left: 19.946 of 20.00.
  const { body } = await ask(ida, 'cancel', { when: 'now', unusedTime: 'credit' })
  expect(body.givenBack).toMatchObject({ how: 'credit', amount: { minor: '1995' }, problem: null })
  expect(await world.stripe.customers.retrieve(customer)).toMatchObject({ balance: -1995 })
})

test('what went to the balance and what was refunded beside it count together', async () => {
  for (const how of ['credit', 'refund'] as const) {
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.deliver()
    const { invoice } = await world.read(payer, 'paid')
    const { data: charges } = await world.stripe.charges.list({ customer: payer.customer })
    const note = { invoice: invoice.providerInvoiceId ?? '', amount: 900, credit_amount: 900 }
    await world.stripe.creditNotes.create(note)
    await world.stripe.refunds.create({ charge: charges[0]?.id ?? '', amount: 900 })
    await go(payer, '2026-01-20T12:00:00Z')
    // 20.00 − 9.00 − 9.00, though 13.23 of the time are unused.
    const { body } = await ask(payer, 'cancel', { when: 'now', unusedTime: how })
    expect(body.givenBack).toMatchObject({ how, amount: { minor: '200' } })
  }
})

/** Ends it now; at the last moment before the provider is told, something else happens. */
async function cancelWhile(
  { subscriptionId }: Payer,
  unusedTime: 'keep' | 'credit',
  meanwhile: () => Promise<unknown>,
): Promise<Answered> {
  const { stripe } = world.deps.provider
  const interrupted = Object.create(stripe, {
    subscriptions: {
      value: Object.create(stripe.subscriptions, {
        cancel: {
          value: async (...call: Parameters<typeof stripe.subscriptions.cancel>) => {
            await meanwhile()
            return stripe.subscriptions.cancel(...call)
          },
        },
      }),
    },
  }) as typeof stripe
  const deps = { ...world.deps, provider: { ...world.deps.provider, stripe: interrupted } }
  const workflows = makeWorkflows(
    deps,
    workflowKinds({ ...deps, drainInbox: async () => {}, doDue: async () => 0 } as never),
  )
  const there = await newServer(deps)
  subscriptionDeedRoutes(there.app, { ...deps, workflows })
  const url = `/v1/subscriptions/${subscriptionId}/cancel`
  const answered = await there.call({ method: 'POST', url, payload: { when: 'now', unusedTime } })
  await workflows.close()
  return answered as Answered
}

test('what somebody refunds while it ends is not given back as well', async () => {
  const dan = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(dan, '2026-01-20T12:00:00Z')
  const { data } = await world.stripe.charges.list({ customer: dan.customer })
  const answered = await cancelWhile(dan, 'credit', () =>
    world.stripe.refunds.create({ charge: data[0]?.id ?? '' }),
  )
  expect(answered).toMatchObject({
    status: 200,
    body: {
      subscription: { status: 'canceled' },
      givenBack: {
        amount: { minor: '0' },
        notGivenBack: [{ reason: 'givenBack', amount: { minor: '1323' } }],
        problem: null,
      },
    },
  })
  expect(await world.stripe.customers.retrieve(dan.customer)).toMatchObject({ balance: 0 })
})

test('what a change in the dashboard credits while it ends is not given back as well', async () => {
  const dan = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(dan, '2026-01-20T12:00:00Z')
  const { items } = await world.stripe.subscriptions.retrieve(dan.subscription)
  const [item] = items.data
  const less = await world.stripe.prices.create({
    ...{ product: idOf(item?.price.product ?? ''), currency: 'usd', unit_amount: 500 },
    recurring: { interval: 'month' },
  })
  const answered = await cancelWhile(dan, 'credit', () =>
    world.stripe.subscriptions.update(dan.subscription, {
      items: [{ id: item?.id ?? '', price: less.id }],
      proration_behavior: 'always_invoice',
    }),
  )
  // 20.5 of 31 days are left: 13.23 of 20.00. Of that the change has credited all but 3.31, which are unused of the new price.
  expect(answered).toMatchObject({
    status: 200,
    body: {
      subscription: { status: 'canceled' },
      givenBack: {
        amount: { minor: '331' },
        notGivenBack: [{ reason: 'givenBack', amount: { minor: '992' } }],
        problem: null,
      },
    },
  })
  expect(await world.stripe.customers.retrieve(dan.customer)).toMatchObject({ balance: -1323 })
})

test('its plan does not change while it ends, nor does it end while its plan changes', async () => {
  const fay = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const change = (plan: string) => {
    const asked = { operation: newId('operation'), requestedBy: 'test', mayGivePlans: false }
    const more = { requestOrigin: null, accepted: {} }
    return beginChange(world.deps, fay.subscriptionId, { plan }, { ...asked, ...more })
  }
  const { workflowId, written } = await change('tiered')
  expect(await ask(fay, 'cancel', { when: 'now' })).toMatchObject({
    status: 409,
    body: { code: 'subscription_changing' },
  })
  if (!written) throw new Error('It was begun before.')
  world.workflows.beginAs(written)
  expect(await world.workflows.settled(workflowId, 60)).toMatchObject({ state: 'completed' })
  const refused: unknown[] = []
  const { status } = await cancelWhile(fay, 'keep', async () => {
    refused.push(await change('plain').catch((error: unknown) => error))
  })
  expect([status, ...refused]).toMatchObject([200, { code: 'subscription_changing' }])
})

test('what nobody paid is not given back, a date has to come, and one way has to be chosen', async () => {
  const joe = await world.register('trying', '2026-01-01T00:00:00Z')
  await world.deliver()
  const faults = async (payload: object) => {
    const { status, body } = await ask(joe, 'cancel', payload)
    return [status, ...body.errors.map(({ pointer, code }) => `${pointer} ${code}`)]
  }
  expect(await faults({ when: 'now', unusedTime: 'credit' })).toEqual([400, '#/unusedTime not_paid'])
  expect(await faults({ when: 'periodEnd', unusedTime: 'refund' })).toEqual([400, '#/unusedTime not_unused'])
  expect(await faults({ at: '2025-01-01T00:00:00Z', unusedTime: 'refund' })).toEqual([
    ...[400, '#/at not_in_future', '#/unusedTime not_unused'],
  ])
  expect(await faults({ when: 'now', at: '2026-03-01T00:00:00Z' })).toEqual([400, '#/at ambiguous'])
  const absent = { ...joe, subscriptionId: 'subscription_none' }
  expect((await ask(absent, 'cancel')).body.code).toBe('subscription_not_found')
})

test('two who ask at once get one deed; one who wants something else is told to wait', async () => {
  const ivy = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  let answers: Answered[] = []
  const calls = await world.requests(async () => {
    answers = await Promise.all(Array.from({ length: 4 }, () => ask(ivy, 'cancel', { when: 'now' })))
  })
  // Whoever came after its end is told that it is over.
  expect(answers.map(({ status, body }) => (status === 200 ? body.subscription.status : body.code))).toEqual(
    expect.arrayContaining(['canceled']),
  )
  expect(answers.every(({ status, body }) => status === 200 || body.code === 'subscription_over')).toBe(true)
  expect(calls.filter((call) => call.startsWith('DELETE'))).toHaveLength(1)
})

test('ended in the dashboard while we were about to: nothing is given back, and the history says who', async () => {
  const lea = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(lea, '2026-01-20T12:00:00Z')
  await world.stripe.subscriptions.cancel(lea.subscription, { prorate: true, invoice_now: true })
  const { body } = await ask(lea, 'cancel', { when: 'now', unusedTime: 'credit' })
  expect(body).toMatchObject({ state: 'done', givenBack: null, subscription: { status: 'canceled' } })
  expect((await world.stripe.creditNotes.list({ customer: lea.customer })).data).toEqual([])
})

test('ended in the dashboard just before our call, and the look at it fails: nothing is given back when it is tried again', async () => {
  const mia = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(mia, '2026-01-20T12:00:00Z')
  const { stripe } = world.deps.provider
  const cancel = stripe.subscriptions.cancel.bind(stripe.subscriptions)
  vi.spyOn(stripe.subscriptions, 'cancel').mockImplementationOnce((async (
    ...call: Parameters<typeof cancel>
  ) => {
    await world.stripe.subscriptions.cancel(mia.subscription)
    const path = `/v1/subscriptions/${mia.subscription}`
    world.simulator.control.fail({ kind: 'error_500', method: 'GET', path, probability: 1 })
    return cancel(...call)
  }) as never)
  const wish = {
    subscriptionId: mia.subscriptionId,
    wanted: { when: 'now', unusedTime: 'credit' },
    actor: 'test',
    asks: 'admin',
    reason: null,
    operation: newId('operation'),
  } as const
  const asked = cancelSubscription({ ...world.deps, workflows: world.workflows }, wish)
  const ofDeed = `id in (select workflow_id from subscription_deed where subscription_id = '${mia.subscriptionId}')`
  const failed = async () =>
    (
      await world.pool.query(
        `select from workflow where ended_at is null and problem is not null and ${ofDeed}`,
      )
    ).rowCount
  await expect.poll(failed).toBe(1)
  world.simulator.control.clearFaults()
  await world.pool.query(
    `update workflow set lease_until = clock_timestamp() - interval '1 second', next_attempt_at = null where ${ofDeed}`,
  )
  await world.workflows.resumeDue()
  expect(await asked).toMatchObject({ state: 'done', result: { givenBack: null } })
  expect((await world.stripe.creditNotes.list({ customer: mia.customer })).data).toEqual([])
})

// Stripe heeds no idempotency key with DELETE: told again, it says that there is no such subscription any more.
// https://docs.stripe.com/api/idempotent_requests
test('ended by us, and the answer is lost: what is unused is given back', async () => {
  const noa = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(noa, '2026-01-20T12:00:00Z')
  const path = `/v1/subscriptions/${noa.subscription}`
  world.simulator.control.fail({ kind: 'timeout_after_commit', method: 'DELETE', path })
  const { body } = await ask(noa, 'cancel', { when: 'now', unusedTime: 'credit' })
  // 20.00 of 31 days, of which 20.5 are left: 13.225… → 13.23.
  expect(body.givenBack).toMatchObject({ amount: { minor: '1323' }, notGivenBack: [], problem: null })
})

test('a schedule lets go before the end is planned', async () => {
  const sam = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptionSchedules.create({ from_subscription: sam.subscription })
  const { body } = await ask(sam, 'cancel', {})
  expect(body.subscription).toMatchObject({ cancelAtPeriodEnd: true })
  expect((await world.stripe.subscriptions.retrieve(sam.subscription)).schedule).toBeNull()
})

test('collection is paused and goes on; access does not change meanwhile', async () => {
  const ned = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const paused = await ask(ned, 'pause', { collection: 'void', resumesAt: '2026-03-01T00:00:00Z' })
  expect(paused.body.subscription).toMatchObject({
    ...{ status: 'active', access: 'full', collection: 'void', collectionResumesAt: '2026-03-01T00:00:00Z' },
  })
  await go(ned, '2026-02-10T02:00:00Z')
  expect((await world.story(ned)).at(-2)).toBe('2026-01-10 … 2026-02-10 subscription_cycle void 2000')
  expect((await ask(ned, 'resume')).body.subscription).toMatchObject({ collection: 'charging' })
  await go(ned, '2026-03-10T02:00:00Z')
  expect((await world.story(ned)).at(-2)).toBe('2026-02-10 … 2026-03-10 subscription_cycle paid 2000')
  expect(await causes(ned)).toEqual(['active registration', 'active pause admin', 'active resume admin'])
})
