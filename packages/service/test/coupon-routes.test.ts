import { type Catalog, defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { sharedInstallation } from './support/shared.ts'

// Not over when this runs, and no more than the five years ahead that Stripe allows.
const LAST_DAY = `${new Date().getUTCFullYear() + 2}-01-01T00:00:00Z`

const catalogWith = (fee: string, coupons: object = {}): Catalog =>
  defineCatalog({
    currency: 'usd',
    products: { app: { name: 'App' } },
    plans: {
      team: {
        name: 'Team',
        product: 'app',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: fee } },
      },
    },
    coupons: {
      fifth: { name: 'A fifth off', percentOff: '20', duration: 'forever' },
      ten: {
        name: 'Ten off',
        amountOff: '10.00',
        duration: 'repeating',
        durationInMonths: 3,
        maxRedemptions: 5,
      },
      yen: {
        name: 'Yen off',
        amountOff: '500',
        currency: 'jpy',
        duration: 'once',
        redeemBy: LAST_DAY,
      },
      ...coupons,
    },
  })

const document = (fee: string) => ({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: fee } },
    },
  },
})

const { installation } = await sharedInstallation(catalogWith('29.00'))

const keysOf = async (query: string) => {
  const { body } = await installation.ask('GET', `/v1/coupons${query}`)
  return (body.data as { key: string }[]).map(({ key }) => key)
}

test('coupons are listed by key, narrowed, and in pages', async () => {
  expect(await keysOf('')).toEqual(['fifth', 'ten', 'yen'])
  expect(await keysOf('?duration=repeating')).toEqual(['ten'])
  // A share is of any currency.
  expect(await keysOf('?currency=jpy')).toEqual(['fifth', 'yen'])
  expect(await keysOf('?archived=true')).toEqual([])
  expect(await keysOf('?limit=2')).toEqual(['fifth', 'ten'])
  expect(await keysOf('?limit=2&after=ten')).toEqual(['yen'])
})

test('a coupon says what it takes off, of whom and until when', async () => {
  expect(await installation.ask('GET', '/v1/coupons/ten')).toMatchObject({
    status: 200,
    body: {
      amountOff: { amount: '10.00', minor: '1000', currency: 'usd' },
      percentOff: null,
      durationInMonths: 3,
      maxRedemptions: 5,
      archived: false,
    },
  })
  expect((await installation.ask('GET', '/v1/coupons/fifth')).body).toMatchObject({
    percentOff: '20',
    amountOff: null,
  })
  expect((await installation.ask('GET', '/v1/coupons/yen')).body).toMatchObject({
    amountOff: { amount: '500' },
    redeemBy: LAST_DAY,
  })
  expect(await installation.ask('GET', '/v1/coupons/none')).toMatchObject({
    status: 404,
    body: { code: 'coupon_not_found' },
  })
})

test('a plan that is sold says who stays on which version, before it is changed and when', async () => {
  const register = async (externalId: string) => {
    const body = { externalId, plan: 'team', paymentMethod: 'pm_card_visa' }
    expect((await installation.ask('POST', '/v1/registrations', body)).status).toBe(201)
  }
  const changeOf = async (how: 'plan' | 'apply', fee: string) => {
    const { status, body } = await installation.ask('POST', `/v1/catalog/${how}`, document(fee))
    expect(status).toBe(200)
    return (body.changes as { kind: string; action: string; subscribers: object[] }[]).find(
      ({ kind }) => kind === 'plan',
    )
  }
  expect(await changeOf('plan', '39.00')).toMatchObject({ action: 'newVersion', subscribers: [] })
  for (const name of ['ada', 'bob']) await register(name)
  const planned = await changeOf('plan', '39.00')
  expect(planned).toMatchObject({ action: 'newVersion', subscribers: [{ version: 1, count: 2 }] })
  expect(await changeOf('apply', '39.00')).toEqual(planned)
  await register('carl')
  expect(await changeOf('plan', '49.00')).toMatchObject({
    subscribers: [
      { version: 1, count: 2 },
      { version: 2, count: 1 },
    ],
  })
  // What is not in the catalogue any more is archived: the coupons are found still.
  expect(await keysOf('')).toEqual([])
  expect(await keysOf('?archived=true')).toEqual(['fifth', 'ten', 'yen'])
  expect((await installation.ask('GET', '/v1/coupons/fifth')).body).toMatchObject({ archived: true })
})
