import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { sharedInstallation } from './support/shared.ts'

const fee = (amount: string) => ({ fee: { kind: 'recurring', model: 'flat', amount } }) as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' }, more: { name: 'More' } },
  features: { seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' } },
  plans: {
    solo: { name: 'Solo', product: 'app', interval: 'month', prices: fee('9.00') },
    team: { name: 'Team', product: 'app', interval: 'month', prices: fee('29.00') },
    annual: { name: 'Annual', product: 'app', interval: 'year', prices: fee('290.00') },
    inside: { name: 'Inside', product: 'app', interval: 'month', audience: 'admin', prices: fee('0') },
  },
  addons: {
    backups: { name: 'Backups', product: 'more', interval: 'month', prices: fee('3.00') },
    seats: {
      name: 'More seats',
      product: 'app',
      interval: 'month',
      plans: ['team'],
      grants: { seats: { upTo: '1' } },
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: '5.00' } },
    },
    rescue: { name: 'Rescue', product: 'more', interval: 'month', audience: 'admin', prices: fee('1.00') },
    yearly: { name: 'Backups for a year', product: 'more', interval: 'year', prices: fee('30.00') },
  },
})

const { installation } = await sharedInstallation(catalog)

test.each<[string, string[]]>([
  ['', ['backups', 'rescue', 'seats', 'yearly']],
  ['limit=2', ['backups', 'rescue']],
  ['after=rescue', ['seats', 'yearly']],
  ['plan=team', ['backups', 'rescue', 'seats']],
  ['plan=solo', ['backups', 'rescue']],
  ['plan=annual', ['yearly']],
  ['plan=gone', []],
  ['audience=admin', ['rescue']],
  ['product=app', ['seats']],
])('add-ons are listed by key: %s', async (query, keys) => {
  const { body } = await installation.ask('GET', `/v1/addons?${query}`)
  expect((body.data as { key: string }[]).map(({ key }) => key)).toEqual(keys)
})

test('an add-on says what it costs, what it gives and with which plans it goes', async () => {
  const read = (key: string) => installation.ask('GET', `/v1/addons/${key}`)
  expect((await read('seats')).body).toMatchObject({
    key: 'seats',
    version: 1,
    name: 'More seats',
    audience: 'public',
    plans: ['team'],
    prices: [{ key: 'seat', model: 'perUnit', unitAmount: '5', kind: 'recurring', timing: 'inAdvance' }],
    grants: [{ feature: 'seats', kind: 'limit', upTo: '1' }],
  })
  expect((await read('backups')).body).toMatchObject({ plans: null })
  expect(await read('gone')).toMatchObject({ status: 404, body: { code: 'addon_not_found' } })
})
