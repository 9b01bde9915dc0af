import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { catalogDocument } from './catalog.ts'
import { catalogDocumentOf } from './catalog-document.ts'

test('a catalogue goes over the wire and comes back the same, whatever its prices', () => {
  const catalog = defineCatalog({
    currency: 'usd',
    seller: {
      name: 'Shop',
      address: 'Street 1',
      terms: { version: '2026-11', url: 'https://example.com/t' },
    },
    products: {
      a: { name: 'A', description: 'Of a', unitLabel: 'seat', taxCode: 'txcd_1' },
      b: { name: 'B' },
    },
    meters: {
      m: { name: 'M', unitLabel: 'byte', aggregation: 'max', filter: { region: ['eu', 'us'] } },
      users: { name: 'Users', unitLabel: 'user', aggregation: 'unique', property: 'user' },
    },
    features: {
      together: { name: 'Together', kind: 'switch' },
      seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' },
      calls: { name: 'Calls', kind: 'metered', meter: 'm' },
    },
    coupons: {
      fifth: { name: 'A fifth', percentOff: '20.5', duration: 'forever' },
      welcome: {
        name: 'Welcome',
        amountOff: '500',
        currency: 'jpy',
        duration: 'repeating',
        durationInMonths: 2,
        redeemBy: '2026-12-31T23:00:00Z',
        maxRedemptions: 10,
      },
    },
    signUp: { plan: 'one', afterTrial: { extendDays: 10 } },
    plans: {
      one: {
        name: 'One',
        product: 'a',
        interval: 'month',
        intervalCount: 3,
        trialDays: 7,
        trialUsage: 'billed',
        audience: 'admin',
        rollsInto: 'three',
        prices: {
          flat: { kind: 'recurring', model: 'flat', amount: '9.00', name: 'Fee' },
          arrears: { kind: 'recurring', model: 'flat', amount: '1', timing: 'inArrears' },
          unit: { meter: 'm', product: 'b', model: 'perUnit', unitAmount: '0.0000144' },
          package: { meter: 'm', model: 'package', size: '0.5', amount: '0.40', round: 'down' },
          graduated: {
            meter: 'm',
            model: 'graduated',
            tiers: [{ upTo: '10.5' }, { upTo: null, unitAmount: '0.00000000009', flatAmount: '5' }],
          },
          volume: { meter: 'm', model: 'volume', tiers: [{ upTo: null, unitAmount: '2' }] },
          free: {
            ...{ meter: 'm', model: 'perUnit', unitAmount: '2', included: '100.5', maximum: '50.00' },
          },
          least: { model: 'minimum', amount: '50.00' },
          most: { model: 'maximum', amount: '50.00', name: 'Ceiling', product: 'b' },
          share: { model: 'percentage', percent: '12.5' },
        },
        grants: { together: true, seats: { upTo: '2.5' }, calls: { upTo: '0', beyond: 'billed' } },
      },
      three: {
        name: 'Three',
        purchase: 'course',
        payments: 3,
        product: 'a',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '0', collectFrom: '5.00' } },
      },
      two: {
        name: 'Two',
        product: 'b',
        currency: 'jpy',
        interval: 'year',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '1200' } },
        grants: { seats: { upTo: null }, calls: { upTo: '1000' } },
      },
    },
    addons: {
      backups: {
        name: 'Backups',
        product: 'b',
        currency: 'jpy',
        interval: 'year',
        audience: 'admin',
        plans: ['two'],
        prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: '100' } },
        grants: { together: true, seats: { upTo: '1' } },
      },
      priority: {
        name: 'Priority',
        product: 'a',
        interval: 'month',
        intervalCount: 3,
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '5.00' } },
      },
    },
  })
  const sent: unknown = JSON.parse(JSON.stringify(catalogDocumentOf(catalog)))
  const received = catalogDocument.parse(sent)
  expect(received.plans.one?.prices.unit).toMatchObject({ model: 'perUnit', unitAmount: '0.0000144' })
  expect(defineCatalog(received as Parameters<typeof defineCatalog>[0])).toEqual(catalog)
})
