// Refunds that nobody brings to their end by themselves are told to a person, with why.
import { expect, test } from 'vitest'
import { creditNoteRoutes } from '../src/http/routes/credit-notes.ts'
import { refundRoutes } from '../src/http/routes/refunds.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { erasePersonalData } from '../src/store/erasure.ts'
import { countStuckRefunds } from '../src/store/stuck-refunds.ts'
import { sqlTime } from '../src/store/time.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
for (const register of [refundRoutes, creditNoteRoutes])
  register(server.app, { ...world.deps, workflows: world.workflows })

async function refunded(paymentMethod: string) {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z', { paymentMethod })
  await world.deliver()
  const { invoice } = await world.read(payer, 'paid')
  const { body } = await ask('POST', `/v1/invoices/${invoice.id}/refunds?dryRun=false`, { amount: '20.00' })
  return { payer, invoice: invoice.id, refund: (body as unknown as { id: string }).id }
}

const ask = (method: 'GET' | 'POST', url: string, payload?: object) =>
  server.call({ method, url, ...(payload && { payload }) })

interface Stuck {
  readonly id: string
  readonly status: string
  readonly stuck: { readonly code: string }
}

async function stuck(more = ''): Promise<string[]> {
  const { body } = await ask('GET', `/v1/stuck-refunds?limit=100${more}`)
  return (body as { data: Stuck[] }).data.map(({ id, stuck: { code } }) => `${id} ${code}`)
}

const setStatus = (id: string, status: 'requires_action' | 'making') =>
  world.db
    .updateTable('refund')
    .set({ status, ...(status === 'making' && { providerRefundId: null }) })
    .where('id', '=', id)
    .execute()

test('one that the bank sends back is told of until it is given back in another way', async () => {
  const { payer, invoice, refund } = await refunded('pm_card_refundFail')
  expect(await stuck()).toEqual([])
  await world.turn(payer, '2026-01-10T02:00:00Z')
  await world.deliver()
  expect(await stuck()).toEqual([`${refund} failed`])
  expect(await countStuckRefunds(world.db, world.wall.time)).toEqual([{ stuck: 'failed', refunds: 1 }])
  const credit = (amount: string) =>
    ask('POST', `/v1/invoices/${invoice}/credit-notes?dryRun=false`, { amount, paidPart: 'outOfBand' })
  expect((await credit('19.99')).status).toBe(201)
  expect(await stuck()).toEqual([`${refund} failed`])
  expect((await credit('0.01')).status).toBe(201)
  expect(await stuck()).toEqual([])
})

test('one that a person acknowledges is told of no more, until it is stuck for another reason', async () => {
  const { payer, refund } = await refunded('pm_card_refundFail')
  const path = `/v1/stuck-refunds/${refund}/acknowledgement`
  const acknowledge = (reason: string, query = '?dryRun=false') => ask('POST', path + query, { reason })
  // Under way for a moment only, it needs nobody.
  expect(await acknowledge('Too early')).toMatchObject({ status: 409, body: { code: 'refund_not_stuck' } })
  expect(await ask('POST', '/v1/stuck-refunds/refund_none/acknowledgement', { reason: 'Why' })).toMatchObject(
    {
      ...{ status: 404, body: { code: 'refund_not_found' } },
    },
  )
  await setStatus(refund, 'requires_action')
  expect(await acknowledge('Called', '')).toMatchObject({ status: 200, body: { acknowledgement: null } })
  expect(await stuck()).toEqual([`${refund} actionRequired`])
  expect(await acknowledge('')).toMatchObject({ status: 400 })

  const said = { reason: 'Called', agent: null, by: expect.any(String), at: '2026-01-01T00:00:00Z' }
  const done = { status: 200, body: { id: refund, acknowledgement: said } }
  expect(await acknowledge('Called')).toMatchObject(done)
  // Twice, and in other words: the first stand.
  expect(await acknowledge('Never mind')).toMatchObject(done)
  expect(await stuck()).toEqual([])
  expect(await countStuckRefunds(world.db, world.wall.time)).toEqual([])
  expect(await stuck('&all=true')).toEqual([`${refund} actionRequired`])

  await world.turn(payer, '2026-01-10T02:00:00Z')
  await world.deliver()
  expect(await stuck()).toEqual([`${refund} failed`])
  expect(await acknowledge('Paid in cash')).toMatchObject({ status: 200 })
  expect(await stuck()).toEqual([])
  const { rows } = await world.pool.query('select stuck, reason from refund_acknowledgement order by stuck')
  expect(rows).toEqual([
    { stuck: 'actionRequired', reason: 'Called' },
    { stuck: 'failed', reason: 'Paid in cash' },
  ])
  // Who it was about may be forgotten; that it was acknowledged, and by whom, is not.
  await transaction(world.db, (trx) => erasePersonalData(trx, payer.customerId, world.wall.time))
  const erased = await world.pool.query(
    'select reason, acknowledged_by is not null as by from refund_acknowledgement',
  )
  expect(erased.rows).toEqual([
    { reason: 'erased', by: true },
    { reason: 'erased', by: true },
  ])
})

test('one that is under way for days is told of, until the provider tells of its end', async () => {
  const { payer, refund } = await refunded('pm_card_pendingRefund')
  const [created] = await world.db.selectFrom('refund').selectAll().where('id', '=', refund).execute()
  expect(created?.status).toBe('pending')
  const clockAt = (seconds: number) =>
    world.db
      .updateTable('testClock')
      .set({ frozenAt: sqlTime((created?.createdAt ?? 0) + seconds) })
      .where('providerId', '=', payer.testClock)
      .execute()
  await clockAt(5 * 86_400)
  expect(await stuck()).toEqual([])
  await clockAt(5 * 86_400 + 1)
  expect(await stuck()).toEqual([`${refund} pending`])
  await world.turn(payer, '2026-01-10T02:00:00Z')
  await world.deliver()
  expect(await stuck()).toEqual([])
})

test('one for which somebody has to act is told of at once, one without an answer after ten minutes', async () => {
  const asking = (await refunded('pm_card_visa')).refund
  const making = (await refunded('pm_card_visa')).refund
  await setStatus(asking, 'requires_action')
  expect(await stuck()).toEqual([`${asking} actionRequired`])
  const { createdAt } = await world.db
    .selectFrom('refund')
    .select('createdAt')
    .where('id', '=', making)
    .executeTakeFirstOrThrow()
  await setStatus(making, 'making')
  world.wall.time = createdAt + 600
  expect(await stuck()).toEqual([`${asking} actionRequired`])
  world.wall.time += 1
  expect(await stuck()).toEqual([`${making} unanswered`, `${asking} actionRequired`])
})

test('one that the bank sent back is told of until somebody has done something, be it a year', async () => {
  const { payer, refund } = await refunded('pm_card_refundFail')
  await world.turn(payer, '2026-01-10T02:00:00Z')
  await world.deliver()
  const others = (await stuck()).filter((one) => !one.startsWith(refund))
  await world.db
    .updateTable('testClock')
    .set({ frozenAt: sqlTime(1_799_539_200) }) // 2027-01-10
    .where('providerId', '=', payer.testClock)
    .execute()
  expect(await stuck()).toEqual([`${refund} failed`, ...others])
  const path = `/v1/stuck-refunds/${refund}/acknowledgement?dryRun=false`
  expect(await ask('POST', path, { reason: 'Paid in cash' })).toMatchObject({ status: 200 })
  expect(await stuck()).toEqual(others)
})
