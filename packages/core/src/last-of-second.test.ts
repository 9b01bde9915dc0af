import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { lastOfSecond, MOST_OF_A_SECOND, type Telling } from './last-of-second.ts'

/** An update of an object of which only its status is told. */
const from = (was: string, is: string): Telling => ({
  after: { id: 'sub_1', status: is },
  previous: { status: was },
  isFirst: false,
})
const shows = (is: string): Telling => ({
  after: { id: 'sub_1', status: is },
  previous: null,
  isFirst: false,
})
const made = (is: string): Telling => ({ ...shows(is), isFirst: true })
const noStages = () => 0

const cases: readonly (readonly [what: string, tellings: readonly Telling[], last: number | undefined])[] = [
  ['one step', [from('a', 'b')], 0],
  ['two, in order', [from('a', 'b'), from('b', 'c')], 1],
  ['two, backwards', [from('b', 'c'), from('a', 'b')], 0],
  ['made, then changed', [from('a', 'b'), made('a')], 0],
  [
    'made, changed, changed back: what was made is how it ends',
    [made('a'), from('a', 'b'), from('b', 'a')],
    2,
  ],
  ['a round: where it began is not known', [from('a', 'b'), from('b', 'a')], undefined],
  ['a round and on: a b a c', [from('a', 'c'), from('b', 'a'), from('a', 'b')], 0],
  [
    'the same step twice may be one that is told twice: a b c a, or a b c a b',
    [from('b', 'c'), from('a', 'b'), from('c', 'a'), from('a', 'b')],
    undefined,
  ],
  ['one between them is missing', [from('a', 'b'), from('c', 'd')], undefined],
  ['two from one state', [from('a', 'b'), from('a', 'c')], undefined],
  ['a round beside a step', [from('a', 'b'), from('x', 'y'), from('y', 'x')], undefined],
  ['what shows the end says nothing else', [from('a', 'b'), shows('b')], 1],
  ['what shows the middle may have come last', [from('a', 'b'), from('b', 'c'), shows('b')], undefined],
  ['nothing says what was before', [shows('a'), shows('b')], undefined],
  ['what all of them show', [shows('a'), shows('a')], 1],
  ['nothing', [], undefined],
  ['one that changed nothing', [from('a', 'b'), from('b', 'b')], 1],
  ['too many', Array.from({ length: MOST_OF_A_SECOND + 1 }, (_, i) => from(`${i}`, `${i + 1}`)), undefined],
]

test.each(cases)('%s', (_, tellings, last) => {
  expect(lastOfSecond(tellings, noStages)).toBe(last)
})

test('what was before is told key by key, lists whole, and what was not there as null', () => {
  const first = { metadata: {}, items: { data: [{ id: 'si_1' }], has_more: false }, discount: null }
  const second = { metadata: { note: 'x' }, items: { data: [], has_more: false }, discount: { id: 'di_1' } }
  const third = { metadata: {}, items: { data: [], has_more: false }, discount: { id: 'di_2' } }
  const one: Telling = {
    after: second,
    previous: { metadata: { note: null }, items: { data: first.items.data }, discount: null },
    isFirst: false,
  }
  const other: Telling = {
    // Another order of keys is the same state.
    after: { discount: third.discount, items: third.items, metadata: third.metadata },
    previous: { discount: { id: 'di_1' }, metadata: { note: 'x' } },
    isFirst: false,
  }
  expect(lastOfSecond([other, one], noStages)).toBe(0)
})

/** An invoice goes from draft to open to paid, and its letter is what else may change. */
const stages = ['draft', 'open', 'paid']
const stageOf = ({ status }: Telling['after']) => stages.indexOf(String(status).split(' ')[0] ?? '')

const staged: readonly (readonly [what: string, tellings: readonly Telling[], last: number | undefined])[] = [
  ['finalized, then tried', [from('open a', 'open b'), made('open a')], 0],
  [
    'finalized, then tried, of which another event tells too',
    [shows('open b'), made('open a'), from('open a', 'open b')],
    2,
  ],
  ['finalized, then paid', [from('open a', 'paid a'), made('open a')], 0],
  ['made, then finalized', [made('open a'), made('draft a')], 0],
  [
    'paid, which two tell, and changed',
    [made('paid a'), from('paid a', 'paid b'), from('open a', 'paid a')],
    1,
  ],
  [
    'changed as a draft, there and back, then finalized',
    [made('open a'), from('draft a', 'draft b'), from('draft b', 'draft a')],
    0,
  ],
  ['paid, which two tell otherwise', [made('paid a'), from('open a', 'paid b')], undefined],
  [
    'finalized, and then something that nobody tells the way to',
    [made('open a'), shows('open b')],
    undefined,
  ],
]

test.each(staged)('of what does not go back: %s', (_, tellings, last) => {
  expect(lastOfSecond(tellings, stageOf)).toBe(last)
})

// The walk itself knows where it ended.
test('of any walk, heard of in any order, it is where it ended or nothing; from its making on and without a step twice, never nothing', () => {
  const walks = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 2, maxLength: 9 })
  fc.assert(
    fc.property(walks, fc.infiniteStream(fc.nat()), (states, numbers) => {
      const steps = states.slice(1).map((state, i) => from(states[i] ?? '', state))
      const shuffle = (list: readonly Telling[]) =>
        list
          .map((telling) => ({ telling, at: numbers.next().value as number }))
          .sort((x, y) => x.at - y.at)
          .map(({ telling }) => telling)
      const end = states.at(-1)
      const heard = shuffle(steps)
      const isTwice = new Set(steps.map((step) => JSON.stringify(step))).size < steps.length
      const last = lastOfSecond(heard, noStages)
      if (last === undefined) expect(isTwice || states[0] === end).toBe(true)
      else expect(heard[last]?.after.status).toBe(end)
      const whole = shuffle([made(states[0] ?? ''), ...steps])
      const lastOfAll = lastOfSecond(whole, noStages)
      if (lastOfAll === undefined) expect(isTwice).toBe(true)
      else expect(whole[lastOfAll]?.after.status).toBe(end)
    }),
    { numRuns: 2000 },
  )
})

test('of any walk through stages, some of which two events tell of, in any order, it is where it ended or nothing', () => {
  const states = fc
    .array(fc.tuple(fc.nat({ max: 2 }), fc.constantFrom('a', 'b', 'c')), { minLength: 2, maxLength: 8 })
    .map((all) => all.toSorted(([a], [b]) => a - b).map(([stage, letter]) => `${stages[stage]} ${letter}`))
  fc.assert(
    fc.property(states, fc.infiniteStream(fc.nat()), (walk, numbers) => {
      const steps = walk.slice(1).flatMap((is, i) => {
        const was = walk[i] ?? ''
        const begins = was.split(' ')[0] !== is.split(' ')[0]
        return begins && Number(numbers.next().value) % 2 === 0 ? [from(was, is), made(is)] : [from(was, is)]
      })
      const heard = steps
        .map((telling) => ({ telling, at: Number(numbers.next().value) }))
        .sort((x, y) => x.at - y.at)
        .map(({ telling }) => telling)
      const last = lastOfSecond(heard, stageOf)
      if (last !== undefined) expect(heard[last]?.after.status).toBe(walk.at(-1))
    }),
    { numRuns: 2000 },
  )
})
