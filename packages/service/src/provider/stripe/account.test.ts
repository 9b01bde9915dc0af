import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../../../test/support/database.ts'
import { newSimulator } from '../../../../../test/support/simulator.ts'
import { openProvider } from './account.ts'
import { endpointOf } from './client.ts'

let database: TestDatabase
let simulator: Simulator
beforeAll(async () => {
  database = await newDatabase()
  simulator = await newSimulator()
})
afterAll(async () => {
  await simulator.close()
  await database.drop()
})

const open = (apiKey: string, apiBase = simulator.url) => openProvider(database, { apiKey, apiBase })

test('a live key is never sent to a simulator', async () => {
  await expect(open('sk_live_x')).rejects.toThrow(/live key/)
  await expect(open('rk_live_x')).rejects.toThrow(/live key/)
  expect(simulator.control.requests().total).toBe(0)
})

test('the first account that is opened is written down; another one or another mode is refused', async () => {
  const provider = await open('sk_test_x')
  expect(provider).toMatchObject({ livemode: false, account: 'acct_simulated' })
  expect((await open('sk_test_y')).instance).toBe(provider.instance)

  await database.pool.query(`update installation set provider_account = 'acct_other'`)
  await expect(open('sk_test_x')).rejects.toThrow(/acct_other/)
  await database.pool.query('update installation set livemode = true')
  await expect(open('sk_test_x')).rejects.toThrow(/this database holds live data/)
})

test.each([
  ['POST', '/v1/customers', 'POST /v1/customers'],
  ['GET', '/v1/customers/cus_QXg1o8vlGyF4Hs?expand[0]=x', 'GET /v1/customers/:id'],
  ['POST', '/v1/invoices/in_1PgafmB7WZ01zgkW/pay', 'POST /v1/invoices/:id/pay'],
  [
    'POST',
    '/v1/test_helpers/test_clocks/clock_1Pgafm/advance',
    'POST /v1/test_helpers/test_clocks/:id/advance',
  ],
  ['POST', '/v1/payment_methods/pm_card_visa/attach', 'POST /v1/payment_methods/:id/attach'],
  ['GET', '/v1/invoices/create_preview', 'GET /v1/invoices/create_preview'],
])('%s %s counts as %s', (method, path, endpoint) => {
  expect(endpointOf(method, path)).toBe(endpoint)
})
