import { expect, test } from 'vitest'
import { addonFromJson, addonToJson, whyNotWith } from './addon.ts'
import { type CatalogChange, catalogDiff, defineCatalog } from './catalog.ts'
import { Problem } from './problem.ts'

const fee = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const
const plan = (more: object = {}) => ({
  name: 'Plan',
  product: 'app',
  interval: 'month',
  prices: { fee: fee('9.00') },
  ...more,
})
const addon = (more: object = {}) => ({
  name: 'Backups',
  product: 'app',
  interval: 'month',
  prices: { fee: fee('3.00') },
  ...more,
})
const withAddon = (more: object = {}) => ({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' } },
  features: {
    seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' },
    calls: { name: 'Calls', kind: 'metered', meter: 'calls' },
  },
  plans: {
    team: plan(),
    billed: plan({
      grants: { calls: { upTo: '100', beyond: 'billed' } },
      prices: { fee: fee('9.00'), calls: { meter: 'calls', model: 'perUnit', unitAmount: '0.01' } },
    }),
    annual: plan({ interval: 'year' }),
    quarterly: plan({ intervalCount: 3 }),
    yen: plan({ currency: 'jpy', prices: { fee: fee('900') } }),
  },
  addons: { backups: addon(more) },
})

/** What is wrong, `pointer code` each. */
function faultsOf(more: object): string[] {
  try {
    defineCatalog(withAddon(more) as never)
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.faults.map(({ pointer, code }) => `${pointer} ${code}`)
  }
}

test('what is not said of an add-on is filled in', () => {
  const { addons } = defineCatalog(withAddon({ plans: ['team', 'billed'] }) as never)
  const { prices, ...terms } = addons[0] ?? { prices: [] }
  expect(terms).toEqual({
    key: 'backups',
    name: 'Backups',
    audience: 'public',
    product: 'app',
    currency: 'usd',
    interval: 'month',
    intervalCount: 1,
    plans: ['billed', 'team'],
    grants: [],
  })
  expect(prices).toMatchObject([{ key: 'fee', name: 'Backups', product: 'app', timing: 'inAdvance' }])
})

test.each<[string, object, string[]]>([
  ['goes with whatever fits', {}, []],
  ['names plans that fit', { plans: ['team', 'billed'] }, []],
  ['is paid in the rhythm of a plan', { interval: 'month', intervalCount: 3 }, []],
  [
    'names a plan of another rhythm',
    { plans: ['team', 'annual'] },
    ['#/addons/backups/plans/1 rhythm_mismatch'],
  ],
  ['names a plan of another count', { plans: ['quarterly'] }, ['#/addons/backups/plans/0 rhythm_mismatch']],
  ['names a plan of another currency', { plans: ['yen'] }, ['#/addons/backups/plans/0 currency_mismatch']],
  [
    'names a plan twice, and one that is not there',
    { plans: ['team', 'team', 'gone'] },
    ['#/addons/backups/plans/1 duplicate', '#/addons/backups/plans/2 unknown'],
  ],
  ['names no plan at all', { plans: [] }, ['#/addons/backups/plans invalid']],
  ['fits no plan', { interval: 'week' }, ['#/addons/backups fits_no_plan']],
  ['fits no plan in its currency', { currency: 'eur' }, ['#/addons/backups fits_no_plan']],
  ['has no price', { prices: {} }, ['#/addons/backups/prices recurring_price_missing']],
  [
    'has a metered price',
    { prices: { calls: { meter: 'calls', model: 'perUnit', unitAmount: '1' } } },
    ['#/addons/backups/prices/calls not_recurring'],
  ],
  [
    'has a price in arrears',
    { prices: { fee: { ...fee('3'), timing: 'inArrears' } } },
    ['#/addons/backups/prices/fee not_recurring'],
  ],
  ['has a trial', { trialDays: 7 }, ['#/addons/backups/trialDays unknown_field']],
  ['gives more of a limit', { grants: { seats: { upTo: '5' } } }, []],
  [
    'gives more of what a plan bills beyond',
    { grants: { calls: { upTo: '50' } } },
    ['#/addons/backups/grants/calls billed'],
  ],
  ['gives more of what its plan does not bill', { plans: ['team'], grants: { calls: { upTo: '50' } } }, []],
  [
    'bills what is used beyond',
    { plans: ['team'], grants: { calls: { upTo: '50', beyond: 'billed' } } },
    ['#/addons/backups/grants/calls/beyond price_missing'],
  ],
])('an add-on that %s', (_, more, faults) => {
  expect(faultsOf(more)).toEqual(faults)
})

test('why an add-on does not go with a plan is said in words', () => {
  const monthly = { plans: null, currency: 'usd', interval: 'month', intervalCount: 1 } as const
  const plan = {
    key: 'p',
    currency: 'usd',
    interval: 'month',
    intervalCount: 1,
    purchase: 'membership',
  } as const
  const of = (more: object) => ({ ...plan, ...more })
  expect(whyNotWith(monthly, of({}))).toBeUndefined()
  expect(whyNotWith(monthly, of({ intervalCount: 3 }))?.detail).toBe(
    'p is paid every 3 months, it every month.',
  )
  expect(whyNotWith(monthly, of({ purchase: 'course' }))?.code).toBe('no_membership')
  expect(whyNotWith({ ...monthly, plans: ['a', 'b'] }, of({}))).toEqual({
    code: 'not_listed',
    detail: 'It goes with a, b, not with p.',
  })
})

test('a changed add-on is a new version, and what changed is told field by field', () => {
  const before = defineCatalog(withAddon({ plans: ['team', 'billed'] }) as never)
  const changeTo = (more: object): CatalogChange | undefined =>
    catalogDiff(before, defineCatalog(withAddon(more) as never)).find(({ kind }) => kind === 'addon')
  expect(changeTo({ plans: ['billed', 'team'] })?.action).toBe('unchanged')
  expect(changeTo({ prices: { fee: fee('4.00') } })).toEqual({
    kind: 'addon',
    action: 'newVersion',
    key: 'backups',
    details: ['plans: billed, team → every one that fits', 'prices/fee/amount: 3.00 → 4.00'],
  })
  const without = defineCatalog({ ...withAddon(), addons: undefined } as never)
  expect(catalogDiff(before, without).find(({ kind }) => kind === 'addon')?.action).toBe('archive')
})

test('an add-on is stored as text and read again as it was', () => {
  const { addons } = defineCatalog(withAddon({ plans: ['team'], grants: { seats: { upTo: '5' } } }) as never)
  const stored = addons.map(addonToJson)
  expect(stored.map((json) => addonFromJson(JSON.parse(JSON.stringify(json))))).toEqual(addons)
})
