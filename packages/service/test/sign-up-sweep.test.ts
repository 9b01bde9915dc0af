import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { erasureRoutes } from '../src/http/routes/erasure.ts'
import { signUpSweepRoutes } from '../src/http/routes/sign-up-sweeps.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { lookAt } from '../src/workflow/look.ts'
import { registerMissing } from '../src/workflow/sweep-sign-ups.ts'
import { flatPlan, smallCatalog } from './support/catalogs.ts'
import { atStripe } from './support/installation.ts'
import { sharedInstallation } from './support/shared.ts'

// Where the catalogue has a plan for signing up, nobody is a customer without a subscription for long.

const app = { currency: 'usd', products: { app: { name: 'App' } } } as const
const plans = { free: flatPlan('Free', '0'), team: flatPlan('Team', '9.00') }
const withSignUp = defineCatalog({ ...app, plans, signUp: { plan: 'free' } })

const { installation } = await sharedInstallation(withSignUp)
const parts = { ...installation.deps, workflows: installation.workflows }
signUpSweepRoutes(installation.app, parts)
erasureRoutes(installation.app, parts)

const ask = (path: string, body: object = {}) => installation.ask('POST', path, body)
const catalogIs = (catalog: typeof withSignUp) =>
  applyCatalog({ ...installation.deps, workflows: installation.workflows }, catalog)

/** A customer whom somebody made two hours ago. */
async function customer(externalId: string): Promise<string> {
  const { status, body } = await ask('/v1/customers', { externalId })
  expect(status).toBe(201)
  await age(externalId)
  return String(body.id)
}
const age = (externalId: string) =>
  installation.database.pool.query(
    `update customer set created_at = now() - interval '2 hours' where external_id = $1`,
    [externalId],
  )

async function register(externalId: string, wish: object): Promise<Record<string, unknown>> {
  const { body } = await ask('/v1/registrations', { externalId, ...wish })
  await age(externalId)
  return body
}

interface Sweep {
  readonly plan: string | null
  readonly customers: { externalId: string; registration: string | null; reason: string | null }[]
}
async function sweep(dryRun: boolean): Promise<Sweep> {
  const { status, body } = await ask('/v1/sign-up-sweeps', { dryRun })
  expect(status).toBe(200)
  return body as unknown as Sweep
}
const names = ({ customers }: Sweep) => customers.map(({ externalId }) => externalId)
const missing = async () => names(await sweep(true)).length

test('a customer whom nobody registered gets the plan for signing up, once', async () => {
  await customer('forgotten')
  // Whoever made this one may be about to register it.
  await ask('/v1/customers', { externalId: 'new' })
  expect(await missing()).toBe(1)
  expect(await sweep(true)).toMatchObject({
    plan: 'free',
    customers: [{ externalId: 'forgotten', registration: null }],
  })
  expect((await installation.ask('GET', '/v1/registrations')).body.data).toEqual([])

  const parts = { ...installation.deps, workflows: installation.workflows }
  const swept = await Promise.all([sweep(false), registerMissing(parts), registerMissing(parts)])
  expect(swept[0].plan).toBe('free')
  const { body } = await installation.ask('GET', '/v1/registrations')
  const [registration, ...others] = body.data as Record<string, unknown>[]
  expect(others).toEqual([])
  await installation.workflows.settled(await workflowOf(String(registration?.id)), 30)
  expect((await installation.ask('GET', `/v1/registrations/${registration?.id}`)).body).toMatchObject({
    externalId: 'forgotten',
    plan: 'free',
    state: 'completed',
    requestOrigin: 'lockstep/sign-up-sweep',
  })
  expect((await atStripe(installation)).subscriptions).toHaveLength(1)
  expect(await missing()).toBe(0)
  expect(names(await sweep(false))).toEqual([])
})

const declined = { plan: 'team', paymentMethod: 'pm_card_chargeDeclined' }
const asked = { plan: 'team', paymentMethod: 'pm_card_authenticationRequired' }

test.each<[string, (externalId: string) => Promise<unknown>]>([
  ['has a subscription', (user) => register(user, { plan: 'free' })],
  ['has one in another slot', (user) => register(user, { plan: 'free', slot: 'other' })],
  ['was refused', (user) => register(user, declined)],
  ['is asked by the bank', (user) => register(user, asked)],
  [
    'gave up',
    async (user) => {
      const { id } = await register(user, asked)
      expect(await ask(`/v1/registrations/${id}/cancel`)).toMatchObject({ body: { state: 'rolledBack' } })
    },
  ],
  [
    'ended it',
    async (user) => {
      const { subscription } = await register(user, { plan: 'free' })
      const { body } = await installation.ask('GET', `/v1/subscriptions/${subscription}`)
      const id = String(body.providerId)
      await installation.deps.provider.stripe.subscriptions.cancel(id)
      await lookAt(installation.deps, { type: 'subscription', id })
    },
  ],
  [
    'was erased',
    async (user) => {
      const id = await customer(user)
      expect((await ask(`/v1/customers/${id}/erasure?dryRun=false`)).status).toBe(200)
    },
  ],
])('one who %s is left alone', async (what, happened) => {
  await happened(what.replaceAll(' ', '_'))
  expect(await missing()).toBe(0)
  expect(await sweep(false)).toEqual({ dryRun: false, plan: 'free', customers: [] })
})

test('one who cannot be registered keeps nobody else waiting, and is named with the reason', async () => {
  await catalogIs(defineCatalog({ ...app, plans, signUp: { plan: 'team' } }))
  await customer('poor')
  await customer('poor_too')
  const { customers } = await sweep(false)
  expect(customers).toMatchObject([
    { externalId: 'poor', registration: null, reason: expect.stringContaining('payment method') },
    { externalId: 'poor_too', registration: null, reason: expect.stringContaining('payment method') },
  ])
  await catalogIs(withSignUp)
  const again = await sweep(false)
  expect(again.customers.map(({ registration }) => typeof registration)).toEqual(['string', 'string'])
})

test('however many cannot be registered, whoever comes after them is', async () => {
  const foreign = ['eur_1', 'eur_2', 'eur_3']
  for (const name of foreign) await customer(name)
  const pays = (currency: string | null) =>
    installation.database.pool.query(`update customer set currency = $1 where external_id = any($2)`, [
      currency,
      foreign,
    ])
  await pays('eur')
  for (const name of ['behind_1', 'behind_2', 'behind_3']) await customer(name)
  const parts = { ...installation.deps, workflows: installation.workflows }
  const sweep = async () => {
    const { customers } = await registerMissing(parts, { most: 2, mostRefusedNamed: 1, page: 2 })
    return customers.map(({ externalId, reason }) => [externalId, reason === null])
  }
  expect(await sweep()).toEqual([
    ['eur_1', false],
    ['behind_1', true],
    ['behind_2', true],
  ])
  expect(await sweep()).toEqual([
    ['eur_1', false],
    ['behind_3', true],
  ])
  await pays(null)
  expect(await sweep()).toEqual([
    ['eur_1', true],
    ['eur_2', true],
  ])
  expect(await sweep()).toEqual([['eur_3', true]])
})

test('where the catalogue has no plan for signing up, nobody must have one', async () => {
  await customer('free_to_choose')
  await catalogIs(smallCatalog)
  expect(await missing()).toBe(0)
  expect(await sweep(false)).toEqual({ dryRun: false, plan: null, customers: [] })
  await catalogIs(withSignUp)
})

async function workflowOf(registration: string): Promise<string> {
  const { rows } = await installation.database.pool.query<{ id: string }>(
    'select workflow_id as id from registration where id = $1',
    [registration],
  )
  return rows[0]?.id ?? ''
}
