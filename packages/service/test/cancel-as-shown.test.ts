// With the token of a preview an end is done as it was shown, or not at all. Of 20.00 for the 31 days from 10 January, 21 days
// are left on the 20th: 13.548. Fifty minutes later it is 20.00 × 30,190 of 44,640 minutes, 13.526.
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world)
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

interface Shown {
  readonly token: string
  readonly expiresAt: string
  readonly toBill: { readonly minor: string }
  readonly toGiveBack: { readonly minor: string }
}

interface Answered {
  readonly status: number
  readonly body: Shown & {
    readonly code: string
    readonly detail: string
    readonly preview: Shown
    readonly givenBack: { readonly amount: { readonly minor: string } } | null
    readonly subscription: { readonly status: string; readonly cancelAtPeriodEnd: boolean }
  }
}

function ask(payer: Payer, verb: string, payload: object, key?: string): Promise<Answered> {
  const url = `/v1/subscriptions/${payer.subscriptionId}/${verb}`
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  return server.call({ method: 'POST', url, payload, headers })
}

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

const refund = { when: 'now', unusedTime: 'refund' }

async function shown(wish: object = refund) {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '300', '2026-01-15T00:00:00Z')
  const { status, body } = await ask(payer, 'cancel/preview', wish)
  expect(status).toBe(200)
  return { payer, preview: body }
}

const statusOf = async ({ subscription }: Payer) =>
  (await world.stripe.subscriptions.retrieve(subscription)).status

test('what was shown is given back, though time has gone on', async () => {
  const { payer, preview } = await shown()
  expect([preview.toBill.minor, preview.toGiveBack.minor]).toEqual(['300', '1355'])
  expect(preview.expiresAt).toBe('2026-01-20T01:00:00Z')
  await go(payer, '2026-01-20T00:50:00Z')
  expect((await ask(payer, 'cancel/preview', refund)).body.toGiveBack.minor).toBe('1353')
  const wish = { ...refund, preview: preview.token }
  const { status, body } = await ask(payer, 'cancel', wish, 'the-same-request-of-ada')
  expect([status, body.givenBack?.amount.minor]).toEqual([200, '1355'])
  expect(body.subscription.status).toBe('canceled')
  const again = await ask(payer, 'cancel', wish, 'the-same-request-of-ada')
  expect([again.status, again.body.givenBack?.amount.minor]).toEqual([200, '1355'])
})

const meanwhile: readonly [string, (payer: Payer) => Promise<unknown>][] = [
  ['something is used', (payer) => world.use(payer, '1', '2026-01-19T00:00:00Z')],
  [
    'money is given back',
    async ({ subscription }) => {
      const { data } = await world.stripe.invoices.list({ subscription })
      return world.stripe.creditNotes.create({ invoice: data[0]?.id ?? '', amount: 100, refund_amount: 100 })
    },
  ],
  [
    'a coupon is given in the dashboard, of which nobody has told',
    async ({ subscription }) => {
      const coupon = await world.stripe.coupons.create({ percent_off: 10, duration: 'forever' })
      return world.stripe.subscriptions.update(subscription, { discounts: [{ coupon: coupon.id }] })
    },
  ],
  ['an hour goes by', (payer) => go(payer, '2026-01-20T01:00:01Z')],
]

test.each(meanwhile)('where %s in between nothing is done, and there is a new preview', async (_, change) => {
  const { payer, preview } = await shown()
  await change(payer)
  const stale = await ask(payer, 'cancel', { ...refund, preview: preview.token })
  expect([stale.status, stale.body.code]).toEqual([409, 'preview_stale'])
  expect(await statusOf(payer)).toBe('active')
  const { toGiveBack, token } = stale.body.preview
  const done = await ask(payer, 'cancel', { ...refund, preview: token })
  expect([done.status, done.body.givenBack?.amount]).toEqual([200, toGiveBack])
})

test('a token holds for one wish of one subscription, and has to be ours', async () => {
  const { payer, preview } = await shown()
  const other = await shown()
  const [version, payload] = preview.token.split('.')
  for (const [body, token] of [
    [{ when: 'now' }, preview.token],
    [{}, preview.token],
    [{ when: 'now', unusedTime: 'credit' }, preview.token],
    [refund, other.preview.token],
    [refund, `${version}.${payload}.${Buffer.alloc(32).toString('base64url')}`],
    [refund, preview.token.replace('end1', 'preview1')],
    [refund, ''],
  ] as const) {
    const { status, body: answer } = await ask(payer, 'cancel', { ...body, preview: token })
    expect([status, answer.code]).toEqual([409, 'preview_stale'])
  }
  expect(await statusOf(payer)).toBe('active')
})

test('an end with the period holds to its date, whatever is used until then', async () => {
  const { payer, preview } = await shown({})
  await world.use(payer, '1', '2026-01-19T00:00:00Z')
  const { status, body } = await ask(payer, 'cancel', { preview: preview.token })
  expect([status, body.subscription.cancelAtPeriodEnd]).toEqual([200, true])
})

test('of two who send the same token one ends it, and nothing is given back twice', async () => {
  const { payer, preview } = await shown()
  const wish = { ...refund, preview: preview.token }
  const both = await Promise.all([ask(payer, 'cancel', wish), ask(payer, 'cancel', wish)])
  for (const { status } of both) expect([200, 202, 409]).toContain(status)
  await world.deliver()
  const { data } = await world.stripe.creditNotes.list({ customer: payer.customer })
  expect(data.map(({ amount }) => amount)).toEqual([1355])
  expect(await statusOf(payer)).toBe('canceled')
})
