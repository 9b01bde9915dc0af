import { expect, test } from 'vitest'
import { money } from './money.ts'
import { type FeeDocument, type FeeLine, standingCharges } from './standing-charges.ts'

// A year of 120.00 and months of 10.00 and 5.00, by days from 1 January.

const MAR_1 = 59
const MAR_11 = 69
const MAR_21 = 79
const APR_1 = 90
const NEXT_YEAR = 365

type Told = Partial<Omit<FeeLine, 'amount' | 'period'>>

const line = (id: string, minor: number, [start, end]: [number, number], told: Told = {}): FeeLine => ({
  ...{ id, item: 'item', isProration: false, credits: null },
  ...told,
  period: { start, end },
  amount: money(BigInt(minor), 'usd'),
})
const part = (id: string, minor: number, start: number, end = APR_1) =>
  line(id, minor, [start, end], { isProration: true })
const credit = (minor: number, start: number, document: string, lines: string[] = [], end = APR_1) =>
  line(`${start} of ${document} ${lines}`, -minor, [start, end], {
    isProration: true,
    credits: { document, lines },
  })
const on = (id: string, ...lines: FeeLine[]): FeeDocument => ({ id, lines })

/** The documents that stand, in whatever order they are given. */
function standing(...documents: FeeDocument[]): string[] {
  const found = standingCharges(documents).map(({ document }) => document)
  const reversed = documents.toReversed().map(({ id, lines }) => ({ id, lines: lines.toReversed() }))
  const again = standingCharges(reversed).map(({ document }) => document)
  expect(again.sort()).toEqual(found.toSorted())
  return found
}

const march = on('march', line('fee', 1000, [MAR_1, APR_1]))
const tiers = on(
  'year',
  line('tier 1', 6000, [0, NEXT_YEAR]),
  line('tier 2', 4000, [0, NEXT_YEAR]),
  line('tier 3', 2000, [0, NEXT_YEAR]),
)

test('what nothing credits stands, and a change ends it', () => {
  expect(standing(march)).toEqual(['march'])
  const change = on('change', credit(677, MAR_11, 'march', ['fee']), part('less', 339, MAR_11))
  expect(standing(march, change)).toEqual(['change'])
  const end = on('end', credit(177, MAR_21, 'change', ['less']))
  expect(standing(march, change, end)).toEqual([])
})

test('a graduated price is one charge, whichever of its lines a credit names', () => {
  const month = part('month', 1000, MAR_1)
  for (const lines of [['tier 1'], ['tier 3'], ['tier 1', 'tier 2', 'tier 3'], []]) {
    const left = on('left', credit(10_060, MAR_1, 'year', lines, NEXT_YEAR), month)
    expect(standing(tiers, left)).toEqual(['left'])
  }
})

test('credits for each tier are one, and end nothing of what is charged instead', () => {
  for (const named of [true, false]) {
    const each = ([1, 2, 3] as const).map((tier) =>
      credit(1677 * tier, MAR_1, 'year', named ? [`tier ${tier}`] : [], NEXT_YEAR),
    )
    const more = on('more', ...each, part('rest', 20_000, MAR_1, NEXT_YEAR))
    expect(standing(tiers, more)).toEqual(['more'])
  }
})

test('a first tier that is free is a part of the charge that a credit of it ends', () => {
  const free = on('year', line('free', 0, [0, NEXT_YEAR]), line('paid', 12_000, [0, NEXT_YEAR]))
  const left = on('left', credit(10_060, MAR_1, 'year', ['free'], NEXT_YEAR))
  expect(standing(free, left)).toEqual([])
})

test('what thinks again within one second leaves the last, or nothing', () => {
  const lines = [
    credit(677, MAR_11, 'march', ['fee']),
    part('first', 339, MAR_11),
    credit(339, MAR_11, 'again'),
    part('second', 677, MAR_11),
  ]
  expect(standing(march, on('again', ...lines))).toEqual(['again'])
  expect(standing(march, on('again', ...lines, credit(677, MAR_11, 'again')))).toEqual([])
})

test('of several changes that wait for one invoice the last stands, or nothing', () => {
  const lines = [
    credit(677, MAR_11, 'march', ['fee']),
    part('first', 339, MAR_11),
    credit(177, MAR_21, 'april'),
    part('second', 355, MAR_21),
  ]
  expect(standing(march, on('april', ...lines))).toEqual(['april'])
  expect(standing(march, on('april', ...lines, credit(323, MAR_21 + 1, 'april')))).toEqual([])
})

test('a change that is dated back before one that waits ends that one', () => {
  // Dated back to the 1st: what charged the time then was credited already, and the later one was on no invoice.
  const lines = [
    credit(677, MAR_11, 'march', ['fee']),
    part('later', 339, MAR_11),
    credit(339, MAR_1, 'march'),
  ]
  expect(standing(march, on('april', ...lines))).toEqual([])
  expect(standing(march, on('april', ...lines, part('earlier', 2000, MAR_1)))).toEqual(['april'])
})

test('a credit of what a coupon had taken off whole ends nothing', () => {
  const free = on('free', part('nothing', 0, MAR_11))
  const change = on('change', credit(339, MAR_21, 'free', ['nothing']), part('new', 355, MAR_21))
  expect(standing(march, free, change)).toEqual(['march', 'change'])
})

test('a credit of an invoice that is void, or a draft, leaves what was paid before', () => {
  const change = on(
    'change',
    credit(1354, MAR_11, 'void', ['its line']),
    part('less', 677, MAR_11),
    credit(355, MAR_21, 'change'),
    part('least', 177, MAR_21),
  )
  expect(standing(march, change)).toEqual(['march', 'change'])
})

test('what is credited of one item, or of nobody, ends no charge of another', () => {
  const extra = on('extra', line('extra', 500, [MAR_1, APR_1], { item: 'other' }))
  const taken = on('taken', { ...credit(339, MAR_11, 'extra'), item: 'other' })
  expect(standing(march, extra, taken)).toEqual(['march'])
  const nobody = on('nobody', { ...credit(339, MAR_11, 'march'), credits: null })
  expect(standing(march, nobody)).toEqual(['march'])
})

test('lines of a document that are named otherwise credit what it charged for the time', () => {
  const change = on('change', credit(677, MAR_11, 'march', ['unknown']))
  expect(standing(march, change)).toEqual([])
  expect(standing(on('february', line('fee', 1000, [31, MAR_1])), change)).toEqual(['february'])
})
