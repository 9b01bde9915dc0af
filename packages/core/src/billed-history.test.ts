import { describe, expect, test } from 'vitest'
import {
  type AgreedTerms,
  agreedFor,
  type BilledTerms,
  contradicted,
  type KeptStretch,
} from './billed-history.ts'

const DAY = 86_400
const terms = (quantity: number) => ({
  planVersionId: 'plan_version_1',
  quantity,
  addons: [],
  itemNumbers: {},
})

/** So many seats at 10.00 from a day to another. */
const stretch = (ordinal: number, quantity: number, from: number, to: number): KeptStretch => ({
  ...terms(quantity),
  ...{ ordinal, startsAt: from * DAY, endsAt: to * DAY, recordedAt: from * DAY },
  fee: BigInt(quantity) * 1000n,
})
const contract = (id: number, quantity: number, from: number): AgreedTerms => ({
  ...terms(quantity),
  ...{ contractId: `contract_${id}`, from: from * DAY },
})
const bill = (quantity: number, from: number, isWhole = true): BilledTerms => ({
  ...terms(quantity),
  ...{ period: { start: from * DAY, end: (from + 30) * DAY }, fee: BigInt(quantity) * 1000n, isWhole },
})
const EVER = Number.POSITIVE_INFINITY

// Three seats from day 0, five from day 50; billed on day 0, 30 and 60.
const history = [stretch(1, 3, 0, 50), stretch(2, 5, 50, EVER)]
const agreed = [contract(1, 3, 0), contract(2, 5, 50)]

describe('a history as it was', () => {
  test.each([
    ['the first bill', bill(3, 0)],
    ['a renewal', bill(3, 30)],
    ['a renewal after the change', bill(5, 60)],
    ['what is billed for the rest of a period', bill(5, 50, false)],
  ])('%s agrees', (_name, billed) => {
    expect(contradicted(billed, history, agreed)).toBeNull()
  })

  test('a change that was heard of a week after it was billed is no contradiction', () => {
    expect(contradicted(bill(5, 45), history, agreed)).toBeNull()
  })

  test('what came and went unheard is none', () => {
    expect(contradicted(bill(8, 30), history, agreed)).toBeNull()
  })

  test('nor is what was heard of together with what came after it, and had begun as something else', () => {
    const first = { ...stretch(1, 3, 0, 14), recordedAt: 14 * DAY }
    const together = [contract(1, 3, 14), contract(2, 5, 14)]
    expect(contradicted(bill(2, 0), [first, stretch(2, 5, 14, EVER)], together)).toBeNull()
  })

  test('nor is what was billed before anything was kept', () => {
    const taken = [stretch(1, 5, 40, EVER)]
    expect(contradicted(bill(3, 0), taken, [contract(1, 5, 40)])).toBeNull()
    expect(contradicted(bill(3, 0), [{ ...stretch(1, 5, 0, EVER), recordedAt: 40 * DAY }], [])).toBeNull()
  })

  test('nor a version that took the place of one without a fee, of which nothing was agreed on anew', () => {
    const found = [stretch(1, 3, 0, 40), { ...stretch(2, 3, 40, EVER), planVersionId: 'plan_version_2' }]
    const billed = { ...bill(3, 0), planVersionId: 'plan_version_2' }
    expect(contradicted(billed, found, [contract(1, 3, 0)])).toBeNull()
    expect(
      contradicted({ ...bill(3, 60), planVersionId: 'plan_version_2' }, found, [contract(1, 3, 0)]),
    ).toBeNull()
  })
})

describe('a history that was altered', () => {
  test('another number in a stretch', () => {
    const altered = [stretch(1, 4, 0, 50), stretch(2, 5, 50, EVER)]
    const found = { ordinal: 1, contractId: 'contract_1', isMendable: true }
    expect(contradicted(bill(3, 0), altered, agreed)).toEqual(found)
    expect(contradicted(bill(3, 30), altered, agreed)).toEqual(found)
    expect(contradicted(bill(5, 60), altered, agreed)).toBeNull()
  })

  test('in the open one', () => {
    const altered = [stretch(1, 3, 0, 50), stretch(2, 6, 50, EVER)]
    const found = { ordinal: 2, contractId: 'contract_2', isMendable: true }
    expect(contradicted(bill(5, 60), altered, agreed)).toEqual(found)
    // Billed for the rest of the period that the change was made in.
    expect(contradicted(bill(5, 50, false), altered, agreed)).toEqual(found)
  })

  test('heard of after its bill, and altered then', () => {
    const altered = [stretch(1, 3, 0, 50), stretch(2, 6, 50, EVER)]
    expect(contradicted(bill(5, 45), altered, agreed)).toMatchObject({ ordinal: 2 })
  })

  test('other times: which of the two is wrong nothing says', () => {
    const later = [stretch(1, 3, 0, 70), stretch(2, 5, 70, EVER)]
    const found = { ordinal: 1, contractId: 'contract_2', isMendable: false }
    expect(contradicted(bill(5, 60), later, agreed)).toEqual(found)
    const earlier = [stretch(1, 3, 0, 20), stretch(2, 5, 20, EVER)]
    expect(contradicted(bill(3, 30), earlier, agreed)).toEqual({
      ...{ ordinal: 2, contractId: 'contract_1', isMendable: false },
    })
  })

  test('under a contract that left the terms alone', () => {
    // A coupon on day 40: the same three seats, in the stretch that goes on.
    const couponed = [contract(1, 3, 0), contract(2, 3, 40)]
    const found = { ordinal: 1, contractId: 'contract_1', isMendable: true }
    for (const day of [0, 30, 60])
      expect(contradicted(bill(3, day), [stretch(1, 4, 0, EVER)], couponed)).toEqual(found)
    expect(agreedFor(stretch(1, 3, 0, EVER), couponed)?.contractId).toBe('contract_1')
    expect(agreedFor(stretch(1, 4, 0, EVER), couponed)).toBeNull()
  })

  test('which began before it was heard of, as one after a trial does', () => {
    // The trial ended on day 14; that three became five by then was heard of on day 16.
    const after = (quantity: number) => ({ ...stretch(2, quantity, 14, EVER), recordedAt: 16 * DAY })
    const trial = stretch(1, 3, 0, 14)
    const heard = [contract(1, 3, 0), contract(2, 5, 16)]
    const found = { ordinal: 2, contractId: 'contract_2', isMendable: true }
    for (const day of [14, 44]) expect(contradicted(bill(5, day), [trial, after(4)], heard)).toEqual(found)
    expect(contradicted(bill(5, 14), [trial, after(5)], heard)).toBeNull()
    expect(agreedFor(after(5), heard)?.contractId).toBe('contract_2')
  })

  test('where three say three things, nobody guesses', () => {
    const altered = [stretch(1, 4, 0, 50), stretch(2, 5, 50, EVER)]
    const found = { ordinal: 1, contractId: null, isMendable: false }
    expect(contradicted(bill(8, 30), altered, agreed)).toEqual(found)
    expect(contradicted(bill(8, 30, false), altered, agreed)).toBeNull()
  })

  test('where nothing was agreed on, the bill alone says so', () => {
    const altered = [stretch(1, 4, 0, 50), stretch(2, 5, 50, EVER)]
    const found = { ordinal: 1, contractId: null, isMendable: false }
    expect(contradicted(bill(3, 30), altered, [])).toEqual(found)
    // The same money: a version that was found since may be another.
    expect(contradicted({ ...bill(3, 30), fee: 4000n }, altered, [])).toBeNull()
  })
})
