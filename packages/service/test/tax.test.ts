import { defineCatalog } from '@lockstep/core/catalog'
import type { Simulator } from 'stripe-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type AvalaraDouble, startAvalara } from '../../../test/support/avalara.ts'
import { newSimulator } from '../../../test/support/simulator.ts'
import { avalara } from '../src/tax/avalara.ts'
import type { Tax, WhenTaxIsDown } from '../src/tax/port.ts'
import { stripeTax } from '../src/tax/stripe-tax.ts'
import { type Installation, newInstallation, onDatabase } from './support/installation.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App', taxCode: 'txcd_10103001' } },
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '100.00' } },
    },
    concert: {
      name: 'Concert',
      product: 'app',
      interval: 'month',
      purchase: 'event_ticket',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '100.00' } },
    },
  },
})
const IRVINE = { line1: '1000 main', city: 'Irvine', state: 'CA', country: 'US' }

let simulator: Simulator
let double: AvalaraDouble
let plain: Installation

beforeAll(async () => {
  simulator = await newSimulator()
  double = await startAvalara()
  plain = await newInstallation(simulator, catalog)
})
afterEach(() => double.fail(null))
afterAll(async () => {
  await double.close()
  await simulator.close()
  await plain.close()
})

const taxedBy = (tax: Tax) => onDatabase(plain.database, { ...plain.deps, tax })
const byAvalara = (whenDown: WhenTaxIsDown) =>
  taxedBy({
    port: avalara({ apiBase: double.url, accountId: '2000000001', licenseKey: 'secret' }),
    whenDown,
  })

let count = 0
function wanted(body: object) {
  count += 1
  return { externalId: `user_${count}`, plan: 'team', paymentMethod: 'pm_card_visa', ...body }
}

async function customerOf({ customer }: Record<string, unknown>) {
  const { body } = await plain.ask('GET', `/v1/customers/${customer}`)
  return plain.deps.provider.stripe.customers.retrieve(String(body.providerId))
}

describe('Avalara', () => {
  test('is asked before the customer is made, and what it says goes with the customer', async () => {
    const { ask } = await byAvalara('block')
    const { status, body } = await ask('POST', '/v1/registrations', wanted({ address: IRVINE }))
    expect(status).toBe(201)
    const steps = (body.steps as { name: string }[]).map(({ name }) => name)
    expect(steps.slice(0, 4)).toEqual([
      'record user',
      'reserve membership',
      'assess tax',
      'create customer at provider',
    ])
    expect(body.tax).toMatchObject({ provider: 'avalara', status: 'assessed' })
    // Basic, as "account:license key".
    expect(double.requests.at(-1)).toEqual({
      authorization: 'Basic MjAwMDAwMDAwMTpzZWNyZXQ=',
      body: { line1: '1000 main', city: 'Irvine', region: 'CA', country: 'US' },
    })
    expect(await customerOf(body)).toMatchObject({
      address: { line1: '1000 main', city: 'Irvine', state: 'CA', country: 'US' },
      metadata: { lockstep_tax_authorities: 'ORANGE (County), CALIFORNIA (State)' },
    })
  })

  test('an address that it does not find is refused, and the user stays', async () => {
    const { ask } = await byAvalara('block')
    const answer = await ask('POST', '/v1/registrations', wanted({ address: { country: 'US', line1: 'x' } }))
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'tax_address_invalid', errors: [{ pointer: '#/address' }] },
    })
  })

  test('away, with the policy to go on untaxed, the registration is completed and flagged', async () => {
    double.fail(503)
    const { ask } = await byAvalara('untaxed')
    const { status, body } = await ask('POST', '/v1/registrations', wanted({ address: IRVINE }))
    expect(status).toBe(201)
    expect(body).toMatchObject({ state: 'completed', tax: { provider: 'avalara', status: 'unavailable' } })
  })

  test('away, with the policy to block, the registration waits for it and goes on', async () => {
    double.fail(500)
    const { ask } = await byAvalara('block')
    const asked = ask('POST', '/v1/registrations', wanted({ address: IRVINE }))
    const failed = async () =>
      (await ask('GET', '/v1/registrations?state=failed')).body.data as { id: string; stage: string }[]
    await expect.poll(failed).toMatchObject([{ stage: 'assess tax' }])
    const [registration] = await failed()
    expect(registration).toMatchObject({ problem: { code: 'tax_unavailable' }, tax: null })
    double.fail(null)
    const resumed = await ask('POST', `/v1/registrations/${registration?.id}/resume`, {})
    expect(resumed.body).toMatchObject({ state: 'completed', tax: { status: 'assessed' } })
    expect((await asked).status).toBe(201)
  })

  test('a key that it does not take is nobody who can be asked, and is named', async () => {
    double.fail(401)
    const { ask } = await byAvalara('block')
    const asked = ask('POST', '/v1/registrations', wanted({ address: IRVINE }))
    const failed = async () =>
      (await ask('GET', '/v1/registrations?state=failed')).body.data as { id: string; problem: object }[]
    await expect.poll(failed).toMatchObject([
      {
        problem: { code: 'tax_unavailable', detail: expect.stringContaining('AVALARA_LICENSE_KEY') },
      },
    ])
    double.fail(null)
    await ask('POST', `/v1/registrations/${(await failed())[0]?.id}/resume`, {})
    expect((await asked).status).toBe(201)
  })
})

describe('Stripe Tax', () => {
  // 19 % of 100.00 in Germany.
  test.each([
    ['a membership', 'team'],
    ['a ticket', 'concert'],
  ])('%s is taxed by where the customer is', async (_, plan) => {
    const { ask } = await taxedBy({ port: stripeTax, whenDown: 'block' })
    const { status, body } = await ask(
      'POST',
      '/v1/registrations',
      wanted({ plan, address: { country: 'DE' } }),
    )
    expect(status).toBe(201)
    expect(body.tax).toMatchObject({ provider: 'stripe', status: 'automatic' })
    const { id: customer } = await customerOf(body)
    const { data } = await plain.deps.provider.stripe.invoices.list({ customer })
    expect(data.map((invoice) => [invoice.status, invoice.amount_paid])).toEqual([['paid', 11_900]])
  })
})

test('without an address nobody who taxes by place can go on: it is said before anything is written', async () => {
  const { ask } = await taxedBy({ port: stripeTax, whenDown: 'block' })
  expect(await ask('POST', '/v1/registrations', wanted({}))).toMatchObject({
    status: 422,
    body: { code: 'tax_address_required', errors: [{ pointer: '#/address' }] },
  })
})

test('with none, nothing is asked and nothing is kept', async () => {
  const asked = double.requests.length
  const { body } = await plain.ask('POST', '/v1/registrations', wanted({}))
  expect(body).toMatchObject({ state: 'completed', tax: null })
  expect(double.requests).toHaveLength(asked)
})
