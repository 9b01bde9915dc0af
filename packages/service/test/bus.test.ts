import { createHash } from 'node:crypto'
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { newBell } from '../src/bell.ts'
import { openBus } from '../src/bus/open.ts'
import { drainBus } from '../src/bus/process.ts'
import { busMessageRoutes } from '../src/http/routes/bus-messages.ts'
import { listBusMessages, slowestSignUp } from '../src/store/bus-messages.ts'
import { findCustomer, readAddress } from '../src/store/customers.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { beginRegistration } from '../src/workflow/begin-registration.ts'
import type { Workflows } from '../src/workflow/workflows.ts'
import { atStripe } from './support/installation.ts'
import { mortalConnection } from './support/mortal.ts'
import { sharedInstallation } from './support/shared.ts'

const SUBJECT = 'auth.profile.created'
const DAY = 86_400

const pending = {
  name: 'Pending',
  audience: 'admin' as const,
  product: 'app' as const,
  interval: 'month' as const,
  trialDays: 31,
  prices: { fee: { kind: 'recurring' as const, model: 'flat' as const, amount: '0' } },
}
const { trialDays: _, ...untried } = pending
const paid = { ...untried, name: 'Paid', prices: { fee: { ...pending.prices.fee, amount: '9.00' } } }
const catalogOf = (plans: Record<string, typeof untried>) =>
  defineCatalog({
    currency: 'usd',
    products: { app: { name: 'App' } },
    plans,
    signUp: { plan: 'pending', afterTrial: 'expire' },
  })

const { installation } = await sharedInstallation(catalogOf({ pending }))
const { deps } = installation
const config = { bus: { natsUrl: undefined, profileSubject: SUBJECT } }
const bus = await openBus({ ...deps, config, bell: newBell() })
busMessageRoutes(installation.app, { ...deps, config, bell: newBell(), bus })

/** Works off what is due, now or so many seconds from now, and waits for the registrations that it began. */
async function drain(later = 0) {
  await drainOnce(later)
  const messages = await listBusMessages(installation.deps.db, { state: 'received', limit: 100 })
  for (const { outcome, registrationId } of messages)
    if (outcome === 'registering') await settled(registrationId)
  await drainOnce(later)
}

function drainOnce(later = 0) {
  const { deps, workflows } = installation
  return drainBus({ ...deps, clock: { now: () => deps.clock.now() + later }, workflows })
}

async function settled(registrationId: string | null | undefined) {
  const { rows } = await installation.database.pool.query<{ id: string }>(
    'select workflow_id as id from registration where id = $1',
    [registrationId],
  )
  await installation.workflows.settled(rows[0]?.id ?? '', 30)
  return (await installation.ask('GET', `/v1/registrations/${registrationId}`)).body
}

const profile = (id: string, data: object) => ({
  specversion: '1.0',
  id,
  source: 'auth',
  type: SUBJECT,
  time: '2026-01-31T09:30:00Z',
  data,
})
const publish = (message: object | string, name = 'n/a') =>
  bus.publish(SUBJECT, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)), name)

/** The messages so far whose sender's id begins so. */
async function kept(prefix: string) {
  const messages = await listBusMessages(installation.deps.db, { limit: 100 })
  return messages.filter(({ messageId }) => messageId.startsWith(prefix))
}

async function subscriptionsOf(externalId: string) {
  const { rows } = await installation.database.pool.query<{ providerId: string }>(
    `select m.provider_id as "providerId" from mapping m join customer c on c.id = m.entity_id
     where m.entity_type = 'customer' and c.external_id = $1`,
    [externalId],
  )
  const { subscriptions } = await atStripe(installation)
  return subscriptions.filter(({ customer }) => customer === rows[0]?.providerId)
}

test('a new profile is on its 31-day trial at once, however often the message comes', async () => {
  const message = profile('once', { externalId: 'ada', email: 'ada@example.org', favouriteColour: 'blue' })
  await Promise.all(Array.from({ length: 5 }, () => publish(message)))
  await Promise.all([drain(), drain(), drain()])

  const [row, ...others] = await kept('once')
  expect(others).toEqual([])
  expect(row).toMatchObject({ state: 'processed', outcome: 'registered', source: 'auth', content: null })
  const registration = await settled(row?.registrationId)
  expect(registration).toMatchObject({ externalId: 'ada', plan: 'pending', state: 'completed' })
  const [subscription, ...more] = await subscriptionsOf('ada')
  expect(more).toEqual([])
  expect(subscription).toMatchObject({ status: 'trialing', default_payment_method: null })
  expect((subscription?.trial_end ?? 0) - (subscription?.start_date ?? 0)).toBe(31 * DAY)
})

test('a second message of a user who has a subscription changes nothing', async () => {
  await publish(profile('again', { externalId: 'ada' }))
  await drain()
  expect(await kept('again')).toMatchObject([{ state: 'processed', outcome: 'subscribed before' }])
  expect(await subscriptionsOf('ada')).toHaveLength(1)
})

test('where the customer is comes with the profile; what is written otherwise is let pass', async () => {
  const address = { line1: 'Invalidenstraße 43', city: 'Berlin', postalCode: '10115', country: 'DE' }
  await publish(profile('lives-here', { externalId: 'here', address }))
  await publish(profile('lives-there', { externalId: 'there', address: 'Invalidenstraße 43, Berlin' }))
  await drain()
  expect(await kept('lives')).toMatchObject([{ outcome: 'registered' }, { outcome: 'registered' }])
  const { db } = installation.deps
  const addressOf = async (who: string) => readAddress(db, (await findCustomer(db, who))?.id ?? '')
  expect(await addressOf('here')).toMatchObject(address)
  expect(await addressOf('there')).toBeNull()
})

test('a body without an envelope goes by the name that the bus gave it', async () => {
  await publish({ externalId: 'bob' }, 'plain-7')
  await publish({ externalId: 'bob' }, 'plain-7')
  await drain()
  expect(await kept('plain-7')).toMatchObject([{ source: 'local', outcome: 'registered', sentAt: null }])
})

test.each([
  ['poison-json', '{"externalId": ', 'invalid_request', []],
  ['poison-list', '[]', 'invalid_request', ['#']],
  ['poison-empty', '{}', 'invalid_request', ['#/externalId']],
  ['poison-type', '{"externalId": 7, "email": "nobody"}', 'invalid_request', ['#/externalId', '#/email']],
  ['poison-nul', '{"externalId": "a\\u0000b"}', 'invalid_request', ['#/externalId']],
  ['poison-half', '{"externalId": "x", "name": "\\ud800"}', 'invalid_request', ['#/name']],
  ['poison-clock', '{"externalId": "x", "testClock": "\\u0000"}', 'invalid_request', ['#/testClock']],
  ['poison-card', '{"externalId": "x", "name": "4242 4242 4242 4242"}', 'invalid_request', ['#/name']],
])('%s is parked with every fault, and nothing of it is kept', async (name, body, code, pointers) => {
  await publish(body, name)
  await publish({ externalId: `after-${name}` }, `fine-${name}`)
  await drain()
  const [row] = await kept(name)
  expect(row).toMatchObject({ state: 'parked', outcome: 'unreadable', content: null, problem: { code } })
  const { faults } = (row?.problem ?? { faults: [] }) as { faults: { pointer: string }[] }
  expect(faults.map(({ pointer }) => pointer)).toEqual(pointers)
  expect(await kept(`fine-${name}`)).toMatchObject([{ state: 'processed' }])

  const retried = await installation.ask('POST', `/v1/bus-messages/${row?.id}/retry`)
  expect(retried).toMatchObject({ status: 409, body: { code: 'bus_message_unreadable' } })
})

test.each([
  ['a name with a NUL', 'a\0b'],
  ['a name without an end', 'x'.repeat(100_000)],
])('%s does no harm: it goes by its digest, once', async (_, name) => {
  const subscriber = { externalId: `named_${name.length}` }
  await publish(subscriber, name)
  await publish(subscriber, name)
  // In an envelope it is none, so that the body is read as it is.
  await publish(profile(name, subscriber), name)
  await drain()
  const digest = `sha256:${createHash('sha256').update(name).digest('hex')}`
  expect(await kept(digest)).toMatchObject([{ state: 'processed', outcome: 'registered' }])
})

test('no card number reaches the database', async () => {
  await publish({ externalId: 'canary', name: 'Ada 4000-0000-0000-0002' }, 'canary')
  const { rows } = await installation.database.pool.query(
    `select from bus_message m where m::text ~ '4000.?0000.?0000.?0002|4242.?4242.?4242.?4242'`,
  )
  expect(rows).toEqual([])
})

test('a plan that is not there yet parks the message; a retry goes on with it', async () => {
  await publish(profile('early', { externalId: 'eve', plan: 'later' }))
  await drain()
  const [row] = await kept('early')
  expect(row).toMatchObject({ state: 'parked', outcome: 'refused', problem: { code: 'plan_unknown' } })

  const { deps, workflows } = installation
  await applyCatalog({ ...deps, workflows }, catalogOf({ pending, later: { ...pending, name: 'Later' } }))
  const retried = await installation.ask('POST', `/v1/bus-messages/${row?.id}/retry`)
  expect(retried).toMatchObject({ status: 202, body: { state: 'received', problem: null } })
  await drain()
  expect(await kept('early')).toMatchObject([{ state: 'processed', outcome: 'registered' }])
  expect((await installation.ask('GET', '/v1/bus-messages/none')).status).toBe(404)
})

test('a process that died after it began the registration leaves one, not two', async () => {
  const { deps, workflows } = installation
  await publish(profile('died', { externalId: 'dan' }))
  const [message] = await kept('died')
  const wanted = { externalId: 'dan', plan: 'pending', quantity: 1, slot: 'default' }
  const asked = { operation: `bus/${message?.id}`, mayGivePlans: true }
  const begun = await beginRegistration(deps, wanted, asked)

  const known = { registrationId: begun.registrationId }
  await drainOnce()
  expect(await kept('died')).toMatchObject([{ state: 'received', outcome: 'registering', ...known }])
  if (begun.workflow) workflows.begin(begun.workflow.id, begun.workflow.holder)
  await drain()
  expect(await kept('died')).toMatchObject([{ state: 'processed', outcome: 'registered', ...known }])
})

test('a registration that comes to nothing is not called done: the profile is kept, and can be tried again', async () => {
  const { deps, workflows } = installation
  await applyCatalog({ ...deps, workflows }, catalogOf({ pending, paid }))
  // Known at Stripe, and without a payment method there.
  const known = await installation.ask('POST', '/v1/registrations', {
    externalId: 'una',
    plan: 'pending',
    slot: 'other',
  })
  await publish({ ...profile('undone', { externalId: 'una', plan: 'paid' }), time: '1999-12-31T23:59:59Z' })
  await drain()
  const [row] = await kept('undone')
  expect(row).toMatchObject({ state: 'parked', outcome: 'refused', content: { externalId: 'una' } })
  expect(await settled(row?.registrationId)).toMatchObject({ state: 'rolledBack' })
  expect(row?.problem).toMatchObject({ code: 'payment_method_required' })
  // What nobody got is no sign-up: none is counted that was not.
  const slowest = () => slowestSignUp(deps.db, 0)
  expect(await slowest()).toBeLessThan(20 * 365 * DAY)

  const { body } = await installation.ask('GET', `/v1/customers/${known.body.customer}`)
  const { stripe } = deps.provider
  const customer = String(body.providerId)
  const { id: card } = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: card } })
  await installation.ask('POST', `/v1/bus-messages/${row?.id}/retry`)
  await drain()
  const [again] = await kept('undone')
  expect(again).toMatchObject({ state: 'processed', outcome: 'registered', content: null, problem: null })
  expect(again?.registrationId).not.toBe(row?.registrationId)
  expect(await subscriptionsOf('una')).toHaveLength(2)
  expect(await slowest()).toBeGreaterThan(20 * 365 * DAY)
})

test('a drain that lost its database leaves its messages to the next one, at once', async () => {
  const { deps, workflows, database } = installation
  let broken = 0
  for (let statements = 1; statements < 12; statements += 1) {
    await publish(profile(`broken-${statements}`, { externalId: `broken_${statements}` }))
    const connection = mortalConnection(database.url, statements)
    await drainBus({ ...deps, ...connection, workflows }).catch(() => {
      broken += 1
    })
    await connection.close()
    await drain()
    expect(await kept(`broken-${statements}`)).toMatchObject([{ state: 'processed', outcome: 'registered' }])
  }
  expect(broken).toBeGreaterThan(5)
})

test('a burst waits in its table: so many are begun at once, and none is left in the end', async () => {
  const { deps, workflows } = installation
  const burst = Array.from({ length: 40 }, (_, n) => ({ externalId: `burst_${n}` }))
  for (const [n, who] of burst.entries()) await publish(profile(`burst-${n}`, who))
  const begun: { id: string; holder: string }[] = []
  const hands: (() => void)[] = []
  const slow: Workflows = {
    ...workflows,
    begin: (id, holder) => void begun.push({ id, holder }),
    stopped: () => new Promise((resolve) => hands.push(resolve)),
  }
  await drainBus({ ...deps, workflows: slow })
  expect(begun).toHaveLength(16)
  // Full, it takes no more on, however often it looks.
  await drainBus({ ...deps, workflows: slow })
  expect(begun).toHaveLength(16)
  for (const { id, holder } of begun) workflows.begin(id, holder)
  await Promise.all(begun.map(({ id }) => workflows.settled(id, 30)))
  for (const stop of hands) stop()

  for (let rounds = 0; rounds < 10; rounds += 1) await drain()
  const messages = await listBusMessages(deps.db, { limit: 100 })
  const ended = messages.filter(({ messageId }) => messageId.startsWith('burst-')).map(({ state }) => state)
  expect(ended).toEqual(Array(burst.length).fill('processed'))
})

test('bus and HTTP at once: one subscription, and everybody learns of the same', async () => {
  const body = { externalId: 'eli', plan: 'pending' }
  await Promise.all(Array.from({ length: 4 }, (_, n) => publish(profile(`race-${n}`, { externalId: 'eli' }))))
  const [, ...answers] = await Promise.all([
    drain(),
    ...Array.from({ length: 4 }, () => installation.ask('POST', '/v1/registrations', body)),
  ])
  const known = new Set(answers.map(({ body: { id, code } }) => id ?? code))
  // Who comes when it is done is told so.
  known.delete('subscription_exists')

  const [registrationId] = (await kept('race')).flatMap(
    ({ registrationId: id }) => id ?? known.values().next().value,
  )
  expect(await settled(registrationId as string)).toMatchObject({ state: 'completed' })
  // Whoever met the registration under way looks again later.
  await drain(60)
  const messages = await kept('race')
  expect(messages.map(({ state }) => state)).toEqual(Array(4).fill('processed'))
  const named = messages.flatMap(({ registrationId: id }) => id ?? [])
  expect(new Set([...named, ...known])).toEqual(new Set([registrationId]))
  expect(await subscriptionsOf('eli')).toHaveLength(1)
})
