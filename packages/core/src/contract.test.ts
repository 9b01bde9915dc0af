import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { cloudHost } from '../test/cloud-host.ts'
import {
  agreementOf,
  type ContractDocument,
  canonicalText,
  contractFormatOf,
  type Person,
} from './contract.ts'
import { amend } from './contract-amendment.ts'
import { type ChainLink, verifyChain } from './contract-chain.ts'
import { agreeDiscount } from './discount.ts'
import type { Plan } from './plan.ts'
import { units } from './quantity.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const [cloud] = cloudHost.plans as [Plan]
const plan: Plan = {
  ...cloud,
  trialDays: 14,
  grants: [
    { feature: 'calls', kind: 'metered', upTo: units(1000n), beyond: 'billed' },
    { feature: 'seats', kind: 'limit', upTo: units(5n) },
  ],
}

const agreement = agreementOf({
  plan,
  version: 2,
  versionId: 'plan_version_1',
  features: [{ key: 'seats', name: 'Seats', unitLabel: 'seat' }],
  quantity: 3,
  addons: [],
  discounts: [],
  startsAt: Date.parse('2026-01-31T09:30:00Z') / 1000,
})

test('an agreement says the billing cycle with its trial, prices and features as they are now', () => {
  expect(agreement).toMatchObject({
    plan: { key: 'cloud-host', version: 2, product: 'cloud', rollsInto: null },
    currency: 'usd',
    startsAt: '2026-01-31T09:30:00Z',
    billingCycle: { interval: 'month', intervalCount: 1 },
    trial: { days: 14, usage: 'free' },
    quantity: 3,
    features: [
      { feature: 'calls', kind: 'metered', upToNanos: '1000000000000', beyond: 'billed' },
      { feature: 'seats', kind: 'limit', upToNanos: '5000000000', name: 'Seats', unitLabel: 'seat' },
    ],
    discounts: [],
  })
  expect(agreement.prices[0]).toMatchObject({ key: 'fee', model: 'flat', amountMinor: '2000' })
})

test('an amendment is the whole agreement anew, and says what became different', () => {
  const [fee, ...others] = agreement.prices
  const discount = agreeDiscount(
    { name: 'Friend', coupon: null, off: { kind: 'percent', percent: '10' }, duration: { kind: 'once' } },
    Date.parse('2026-02-01T00:00:00Z') / 1000,
  )
  const { agreement: next, changes } = amend(agreement, {
    quantity: 5,
    prices: [{ ...fee, amountMinor: '2500' } as never, ...others],
    features: [],
    discounts: [discount],
  })
  expect(next).toMatchObject({ quantity: 5, currency: 'usd', trial: { days: 14 }, features: [] })
  expect(changes).toEqual([
    'quantity: 3 → 5',
    'prices/fee/amount: 20.00 → 25.00',
    'grants/calls: removed, was up to 1,000 a period, beyond billed',
    'grants/seats: removed, was up to 5',
    'discounts/Friend: added, 10 % once from 2026-02-01T00:00:00Z',
  ])
  expect(amend(agreement, { quantity: 3 }).changes).toEqual([])
})

const person = (salt: string): Person => ({
  salt,
  name: 'Ada',
  email: 'ada@example.org',
  address: null,
  ipAddress: '192.0.2.1',
  userAgent: null,
})

function chain(length: number): ChainLink[] {
  const links: ChainLink[] = []
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const who = person(`${sequence}`.padStart(64, '0'))
    const document: ContractDocument = {
      format: 'lockstep-contract-1',
      id: `contract_${sequence}`,
      sequence,
      previous: links.at(-1)?.hash ?? null,
      seller: null,
      buyer: { customer: 'customer_1', person: sha256(canonicalText(who)) },
      subscription: 'subscription_1',
      agreement: { ...agreement, quantity: sequence },
      acceptance: { at: '2026-01-31T09:30:00Z', requestOrigin: null, terms: null },
      supersedes: null,
    }
    const text = canonicalText(document)
    links.push({ id: document.id, sequence, hash: sha256(text), text, person: who })
  }
  return links
}

const verify = (links: readonly ChainLink[]) => verifyChain('customer_1', links, sha256)

test('how many of a price are paid for is agreed on where the quantity does not say it, and said where it becomes another', () => {
  const [fee] = agreement.prices
  const price = (key: string, model: 'flat' | 'perUnit') =>
    ({ ...fee, key, model, ratePicos: '500' }) as never
  const pair = {
    ...{ key: 'pair', name: 'Pair', version: 1, versionId: 'addon_version_1', quantity: 1 },
    ...{ prices: [price('one', 'flat'), price('other', 'flat')], features: [] },
  }
  const sold = amend(agreement, {
    prices: [price('fee', 'flat'), price('seat', 'perUnit'), price('box', 'perUnit')],
    addons: [pair as never],
  }).agreement
  // Three of it: one fee, three seats, three boxes.
  const itemNumbers = { fee: 2, seat: 1, 'pair.other': null }
  const { agreement: other, changes } = amend(sold, { itemNumbers })
  expect(changes).toEqual([
    'prices/fee/number: 1 → 2',
    'prices/seat/number: 3 → 1',
    'addons/pair/prices/other/number: 1 → none',
  ])
  expect([contractFormatOf(agreement), contractFormatOf(other)]).toEqual([
    'lockstep-contract-1',
    'lockstep-contract-3',
  ])
  // What is not mentioned stays: five boxes, and still one seat.
  const five = amend(other, { quantity: 5 })
  expect([five.agreement.itemNumbers, five.changes]).toEqual([itemNumbers, ['quantity: 3 → 5']])
  const back = amend(other, { itemNumbers: {} })
  expect(back.changes).toEqual([
    'prices/fee/number: 2 → 1',
    'prices/seat/number: 1 → 3',
    'addons/pair/prices/other/number: none → 1',
  ])
  expect(back.agreement).toEqual(sold)
})

test('an untouched chain holds, also when personal data were erased', () => {
  const links = chain(3)
  const head = links[2]?.hash
  expect(verify(links)).toEqual({ intact: true, contracts: 3, erased: 0, head })
  const erased = links.map((link) => ({ ...link, person: null }))
  expect(verify(erased)).toEqual({ intact: true, contracts: 3, erased: 3, head })
  expect(verify([])).toEqual({ intact: true, contracts: 0, erased: 0, head: null })
})

const forged = (text: string) => ({ text, hash: sha256(text) })

test.each<[string, (links: ChainLink[]) => unknown[], string, number]>([
  [
    'a word is changed',
    ([a, b, c]) => [a, { ...b, text: b?.text.replace('"usd"', '"eur"') }, c],
    'the text does not have the digest that was recorded',
    2,
  ],
  [
    'a word is changed and its digest is made to fit',
    ([a, b, c]) => [a, { ...b, ...forged(b?.text.replace('"usd"', '"eur"') ?? '') }, c],
    'it does not carry the digest of the contract before',
    3,
  ],
  ['one is taken out', ([a, , c]) => [a, c], 'contract 2 is missing', 3],
  ['the first is taken out', ([, b, c]) => [b, c], 'contract 1 is missing', 2],
  [
    'two change places',
    ([a, b, c]) => [a, { ...c, sequence: 2 }, { ...b, sequence: 3 }],
    'the text is that of another contract',
    2,
  ],
  [
    'it is another customer’s',
    ([a, b]) => [a, { ...b, ...forged(b?.text.replace('customer_1', 'customer_2') ?? '') }],
    'the text is that of another customer',
    2,
  ],
  [
    'the person is another',
    ([a, b, c]) => [a, b, { ...c, person: { ...person('x'), name: 'Eve' } }],
    'the personal data do not have the digest that the contract carries',
    3,
  ],
  ['the text is none', ([a, b]) => [a, { ...b, ...forged('{"a":') }], 'the text is no contract', 2],
  [
    'the text is written with blanks',
    ([a, b]) => [a, { ...b, ...forged(JSON.stringify(JSON.parse(b?.text ?? ''), null, 1)) }],
    'the text is no contract',
    2,
  ],
])('the first broken link is named: %s', (_, tamper, reason, sequence) => {
  expect(verify(tamper(chain(3)) as ChainLink[])).toMatchObject({ intact: false, reason, sequence })
})
