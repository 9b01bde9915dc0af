import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { drainBus } from '../src/bus/process.ts'
import { receive } from '../src/bus/receive.ts'
import { erasureRoutes } from '../src/http/routes/erasure.ts'
import { busFigures, listBusMessages } from '../src/store/bus-messages.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'

// A parked registration waits for a person, who may go on with it. Until then it holds its place, and
// whoever meets it is told so: nothing may happen meanwhile that stands against its going on.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: { free: flatPlan('Free', '0') },
  signUp: { plan: 'free' },
})

const { simulator, installation } = await sharedInstallation(catalog)
erasureRoutes(installation.app, { ...installation.deps, workflows: installation.workflows })

const drain = () => drainBus({ ...installation.deps, workflows: installation.workflows })

async function deliver(id: string, externalId: string) {
  const body = Buffer.from(JSON.stringify({ externalId, email: `${externalId}@example.org` }))
  const name = { source: 'test', id }
  await receive({ ...installation.deps, nudge: () => {} }, { subject: 'auth.profile.created', body, name })
}

async function messageOf(id: string) {
  const messages = await listBusMessages(installation.deps.db, { limit: 100 })
  return messages.find(({ messageId }) => messageId === id)
}

/** The registration of a message, stopped at Stripe and put before a person. */
async function parkedRegistration(message: string, externalId: string) {
  simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/subscriptions', times: 6 })
  await deliver(message, externalId)
  await drain()
  const { registrationId: id } = (await messageOf(message)) ?? {}
  const { pool } = installation.database
  const stopped = () =>
    pool.query(
      `select w.id from registration r join workflow w on w.id = r.workflow_id
       where r.id = $1 and w.problem is not null and w.lease_until is null`,
      [id],
    )
  await expect.poll(async () => (await stopped()).rows).toHaveLength(1)
  await pool.query(
    `update workflow set state = 'parked', ended_at = clock_timestamp() - interval '1 minute' where subject_id = $1`,
    [id],
  )
  simulator.control.clearFaults()
  return String(id)
}

test('it holds its place against a request, a message and an erasure, and then goes on', async () => {
  const id = await parkedRegistration('first', 'ada')
  await drain()
  expect(await messageOf('first')).toMatchObject({ state: 'received', outcome: 'registration parked' })
  // It is before a person already: no alarm for the message too.
  expect(await busFigures(installation.deps.db)).toMatchObject({ waiting: 0, parked: 0, oldestAt: null })

  const wanted = { externalId: 'ada', plan: 'free' }
  expect(await installation.ask('POST', '/v1/registrations', wanted)).toMatchObject({
    status: 409,
    body: {
      code: 'registration_in_progress',
      detail: `${id} of this customer is parked: a person has to look, and resume or cancel it.`,
    },
  })
  await deliver('second', 'ada')
  await drain()
  const second = await messageOf('second')
  expect(second).toMatchObject({ state: 'received', outcome: null, content: { externalId: 'ada' } })
  expect(second?.problem).toMatchObject({ code: 'registration_in_progress' })

  const { body } = await installation.ask('GET', '/v1/customers?externalId=ada')
  const [customer] = body.data as { id: string }[]
  const erasure = `/v1/customers/${customer?.id}/erasure?dryRun=false`
  expect(await installation.ask('POST', erasure)).toMatchObject({
    status: 409,
    body: { errors: [{ code: 'registration_running' }] },
  })

  expect(await installation.ask('POST', `/v1/registrations/${id}/resume`, {})).toMatchObject({
    body: { state: 'completed' },
  })
  await drain()
  expect(await messageOf('first')).toMatchObject({ state: 'processed', outcome: 'registered', content: null })
})

test('given up by a person, it leaves the message to one', async () => {
  const id = await parkedRegistration('third', 'bob')
  await drain()
  await installation.ask('POST', `/v1/registrations/${id}/cancel`, {})
  await drain()
  expect(await messageOf('third')).toMatchObject({
    state: 'parked',
    registrationId: id,
    content: { externalId: 'bob' },
    problem: { code: 'registration_canceled' },
  })
})
