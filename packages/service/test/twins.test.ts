import { expect, onTestFinished, test } from 'vitest'
import type { TestDatabase } from '../../../test/support/database.ts'
import { comingOf } from '../src/http/coming.ts'
import { newId } from '../src/ids.ts'
import { connect } from '../src/postgres/connect.ts'
import type { Came } from '../src/store/coming.ts'
import { beginRegistration } from '../src/workflow/begin-registration.ts'
import type { WantedRegistration } from '../src/workflow/wanted-registration.ts'
import { purchaseCatalog } from './support/catalogs.ts'
import { onDatabase } from './support/installation.ts'
import { sharedInstallation } from './support/shared.ts'

const { installation } = await sharedInstallation(purchaseCatalog)

const wishOf = (externalId: string, plan = 'team'): WantedRegistration => ({
  externalId,
  plan,
  quantity: 1,
  paymentMethod: 'pm_card_visa',
})

/**
 * A process whose first question about a table waits until it is let go: for it, the table is one of another schema,
 * which is locked, and is gone when the lock is.
 */
async function held(table: string) {
  const { database, deps } = installation
  const lock = await database.pool.connect()
  await lock.query(`create schema if not exists held; create table held.${table} (like public.${table})`)
  await lock.query(`begin; lock table held.${table} in access exclusive mode`)
  const url = new URL(database.url)
  url.searchParams.set('options', '-c timezone=UTC -c search_path=held,public')
  const connection = connect(url.href)
  const process = await onDatabase({ ...database, ...connection } as TestDatabase, { ...deps, ...connection })
  onTestFinished(async () => {
    lock.release(true)
    await connection.close()
  })
  const waiting = async () => {
    const { rowCount } = await database.pool.query(
      `select from pg_locks where not granted and relation = 'held.${table}'::regclass`,
    )
    return rowCount
  }
  return {
    ask: process.ask,
    waits: () => expect.poll(waiting, { timeout: 60_000 }).toBe(1),
    letGo: () => lock.query(`drop table held.${table}; commit`),
  }
}

test('a sign-up whose first question waits in the database, for longer than its twin takes, learns of that', async () => {
  const { ask, waits, letGo } = await held('registration')
  const late = ask('POST', '/v1/registrations', wishOf('ada'))
  await waits()
  const { status, body } = await installation.ask('POST', '/v1/registrations', wishOf('ada'))
  expect([status, body.state]).toEqual([201, 'completed'])
  await letGo()
  expect(await late).toMatchObject({ status: 201, body: { id: body.id } })
})

test('so it is with a ticket, which is not bought a second time', async () => {
  const { ask, waits, letGo } = await held('registration')
  const late = ask('POST', '/v1/registrations', wishOf('tim', 'ticket'))
  await waits()
  const { status, body } = await installation.ask('POST', '/v1/registrations', wishOf('tim', 'ticket'))
  expect([status, body.state]).toEqual([201, 'completed'])
  await letGo()
  expect(await late).toMatchObject({ status: 201, body: { id: body.id } })
})

test('so it is with a change of a plan', async () => {
  const { body: registered } = await installation.ask('POST', '/v1/registrations', wishOf('eve'))
  const path = `/v1/subscriptions/${registered.subscription}`
  const change = { plan: 'free', when: 'now' }
  const { ask, waits, letGo } = await held('plan_change')
  const late = ask('PATCH', path, change)
  await waits()
  const { status, body } = await installation.ask('PATCH', path, change)
  expect(status).toBe(200)
  await letGo()
  const { id } = body.change as { id: string }
  expect(await late).toMatchObject({ status: 200, body: { change: { id } } })
})

test('who knew that it is over wants another one, however early the database’s clock says they came', async () => {
  const again = (wish: WantedRegistration, came?: Came) =>
    beginRegistration(installation.deps, wish, { operation: newId('operation'), mayGivePlans: false, came })
  const early = (knew: boolean): Came => ({ waitedSeconds: () => 3600, knew: () => knew })

  const { body: subscribed } = await installation.ask('POST', '/v1/registrations', wishOf('joe'))
  expect(await again(wishOf('joe'), early(false))).toEqual({ registrationId: subscribed.id })
  await expect(again(wishOf('joe'), early(true))).rejects.toMatchObject({ code: 'subscription_exists' })
  await expect(again(wishOf('joe'))).rejects.toMatchObject({ code: 'subscription_exists' })

  const { body: bought } = await installation.ask('POST', '/v1/registrations', wishOf('jim', 'ticket'))
  expect(await again(wishOf('jim', 'ticket'), early(false))).toEqual({ registrationId: bought.id })
  expect((await again(wishOf('jim', 'ticket'), early(true))).registrationId).not.toBe(bought.id)
})

test('what an answer tells is known to whoever comes after it, and to nobody who came before', () => {
  const [before, teller] = [comingOf({ elapsedTime: 0 }), comingOf({ elapsedTime: 0 })]
  teller.tells('registration_1')
  expect(comingOf({ elapsedTime: 0 }).knew('registration_1')).toBe(false)
  teller.answers()
  expect(comingOf({ elapsedTime: 0 }).knew('registration_1')).toBe(true)
  expect(comingOf({ elapsedTime: 0 }).knew('registration_2')).toBe(false)
  expect([before.knew('registration_1'), teller.knew('registration_1')]).toEqual([false, false])
  // It came long ago, and is taken in only now.
  expect(comingOf({ elapsedTime: 3_600_000 }).knew('registration_1')).toBe(false)
  // Told again, it was told the first time all the same.
  const after = comingOf({ elapsedTime: 0 })
  after.tells('registration_1')
  after.answers()
  expect(after.knew('registration_1')).toBe(true)
})
