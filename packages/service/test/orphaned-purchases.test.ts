import type Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newSimulator } from '../../../test/support/simulator.ts'
import { orphanRoutes } from '../src/http/routes/orphans.ts'
import { purchaseCatalog } from './support/catalogs.ts'
import { type Installation, newInstallation } from './support/installation.ts'

// Payment pages and the invoices of tickets: no noun of ours stands for them, only the call that made them.

let simulator: Simulator
let one: Installation

beforeAll(async () => {
  simulator = await newSimulator({ settings: { unlimitedClocks: true } })
  one = await newOne()
})
afterAll(async () => {
  await simulator.close()
  await one.close()
})

async function newOne(): Promise<Installation> {
  const made = await newInstallation(simulator, purchaseCatalog)
  orphanRoutes(made.app, made.deps)
  return made
}

const things = {
  'a page': { plan: 'team', paymentPage: { returnUrl: 'https://app.example/welcome' } },
  'an unpaid invoice': { plan: 'ticket', paymentMethod: 'pm_card_authenticationRequired' },
  'a paid invoice': { plan: 'ticket', paymentMethod: 'pm_card_visa' },
} as const
const everything = Object.keys(things) as (keyof typeof things)[]

interface Registered {
  readonly id: string
  readonly customerAtStripe: string
}

let users = 0
async function register(wish: object): Promise<Registered> {
  users += 1
  const { body } = await one.ask('POST', '/v1/registrations', { externalId: `user_${users}`, ...wish })
  const { rows } = await one.database.pool.query<{ id: string }>(
    `select provider_id as id from mapping where entity_id = $1`,
    [body.customer],
  )
  return { id: String(body.id), customerAtStripe: rows[0]?.id ?? '' }
}

const stripe = (): Stripe => one.deps.provider.stripe

/** The one page or invoice of a customer, whatever became of it. */
async function made({ customerAtStripe: customer }: Registered) {
  const { data: pages } = await stripe().checkout.sessions.list({ customer })
  const { data: invoices } = await stripe().invoices.list({ customer })
  const [object] = [...pages, ...invoices]
  if (!object) throw new Error('Nothing was made.')
  return object
}

/** What our own rows say of it: how far its registration came, and what its call made. */
async function rewrite(
  { id }: Registered,
  state: string,
  call: { state: string; made: string | null },
): Promise<void> {
  const { pool } = one.database
  await pool.query(
    `update workflow set state = $2, action = case when $2 = 'requiresAction' then action end,
       ended_at = case when $2 <> 'requiresAction' then clock_timestamp() end
     where subject_id = $1`,
    [id, state],
  )
  await pool.query(
    `update operation set state = $2, provider_object_id = $3,
       settled_at = case when $2 <> 'unknown' then coalesce(settled_at, clock_timestamp()) end
     where kind in ('checkout_session.create', 'invoice.create')
       and starts_with(id, (select id from workflow where subject_id = $1))`,
    [id, call.state, call.made],
  )
}

interface Found {
  readonly type: string
  readonly providerId: string
  readonly verdict: string
}
async function sweep({ ask }: Installation, dryRun = false) {
  const { status, body } = await ask('POST', '/v1/orphan-sweeps', { dryRun })
  expect(status).toBe(200)
  return body as unknown as { looked: number; orphans: Found[] }
}

/** What a sweep says of one object; undefined: it is no orphan. */
async function verdictOn({ id, object }: { id: string; object: string }, dryRun = false) {
  const { orphans } = await sweep(one, dryRun)
  const found = orphans.find(({ providerId }) => providerId === id)
  if (found) expect(found.type).toBe(object.replace('.', '_'))
  return found?.verdict
}

test.each(everything)('%s that waits or was paid has its row here', async (thing) => {
  const object = await made(await register(things[thing]))
  expect(await verdictOn(object)).toBeUndefined()
})

/** How the call is recorded that made it. */
const calls = {
  lost: { state: 'unknown', made: null },
  'given up': { state: 'refused', made: null },
  another: { state: 'succeeded', made: 'another_one' },
} as const

test.each<[keyof typeof things, string, keyof typeof calls, string, string]>([
  // what stands at Stripe, how far its registration came, what its call made, the verdict, what it is afterwards
  ['a page', 'requiresAction', 'lost', 'wait', 'open'],
  ['a page', 'parked', 'lost', 'wait', 'open'],
  ['a page', 'completed', 'lost', 'adopt', 'open'],
  ['a page', 'completed', 'another', 'park', 'open'],
  ['a page', 'rolledBack', 'lost', 'remove', 'expired'],
  ['a page', 'rolledBack', 'given up', 'remove', 'expired'],
  ['an unpaid invoice', 'requiresAction', 'lost', 'wait', 'open'],
  ['an unpaid invoice', 'completed', 'lost', 'adopt', 'open'],
  ['an unpaid invoice', 'completed', 'another', 'park', 'open'],
  ['an unpaid invoice', 'rolledBack', 'given up', 'remove', 'void'],
  ['a paid invoice', 'completed', 'lost', 'adopt', 'paid'],
  ['a paid invoice', 'completed', 'another', 'park', 'paid'],
  ['a paid invoice', 'rolledBack', 'given up', 'park', 'paid'],
])('%s, its registration %s, its call %s: %s, and it is %s', async (thing, state, call, verdict, status) => {
  const registered = await register(things[thing])
  const object = await made(registered)
  await rewrite(registered, state, calls[call])
  expect(await verdictOn(object, true)).toBe(verdict)
  expect(await verdictOn(object)).toBe(verdict)
  expect((await made(registered)).status).toBe(status)
  // What was settled stays so: it is none any more, or it is over.
  const settled: Record<string, string | undefined> = { adopt: undefined, remove: 'leave' }
  expect(await verdictOn(object)).toBe(verdict in settled ? settled[verdict] : verdict)
})

describe('of a registration that nobody here knows', () => {
  test.each(everything)('%s is put before a person', async (thing) => {
    const registered = await register(things[thing])
    const object = await made(registered)
    const metadata = { lockstep_operation: 'workflow_0/x', lockstep_workflow: 'workflow_0' }
    if (object.object === 'invoice') await stripe().invoices.update(object.id, { metadata })
    else await stripe().checkout.sessions.update(object.id, { metadata })
    expect(await verdictOn(object)).toBe('park')
    expect((await made(registered)).status).toBe(object.status)
  })

  test('a draft is put before a person, and closed when that one has deleted it', async () => {
    const { customerAtStripe: customer } = await register({ plan: 'free' })
    const draft = await stripe().invoices.create({
      customer,
      auto_advance: false,
      metadata: { lockstep_instance: one.deps.provider.instance, lockstep_workflow: 'workflow_0' },
    })
    expect(await verdictOn(draft)).toBe('park')
    await stripe().invoices.del(draft.id)
    expect(await verdictOn(draft)).toBeUndefined()
    const { body } = await one.ask('GET', '/v1/orphans?state=left')
    expect(body.data).toContainEqual(expect.objectContaining({ type: 'invoice', providerId: draft.id }))
  })
})

test('on a test clock they are found by its customers', async () => {
  const clock = await one.ask('POST', '/v1/test-clocks', { frozenTime: '2020-02-29T00:00:00Z' })
  const registered = await register({ ...things['a page'], testClock: clock.body.id })
  const page = await made(registered)
  await rewrite(registered, 'rolledBack', calls['given up'])
  expect(await verdictOn(page)).toBe('remove')
  expect((await made(registered)).status).toBe('expired')
})

test('those of another installation are not even looked at', async () => {
  for (const thing of everything) await register(things[thing])
  const two = await newOne()
  try {
    expect(await sweep(two)).toMatchObject({ looked: 0, orphans: [] })
  } finally {
    await two.close()
  }
})
