import { parseInstant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { expect, test } from 'vitest'
import { cutBackTo, retell } from './cut-back.ts'

const day = (text: string) => {
  const at = parseInstant(`2026-${text}T00:00:00Z`)
  if (at === undefined) throw new Error(`not a day: ${text}`)
  return at
}
const span = (text: string): Period => {
  const [start = '', end = ''] = text.split(' … ')
  return { start: day(start), end: day(end) }
}
const shown = (at: number) => new Date(at * 1000).toISOString().slice(5, 10)

const months = ['02-01 … 03-01', '03-01 … 04-01', '04-01 … 05-01'].map(span)

// What is news, where the period that runs begins, where they are cut.
test.each<[string, string[], string | null, string, string | null]>([
  ['nothing', [], null, '04-01', null],
  ['a start inside the first', ['02-20'], null, '03-20', '02-20'],
  ['a trial that began and ended', ['02-20', '03-01'], null, '03-01', '02-20'],
  ['two edges: the first', ['03-10', '02-20'], null, '03-10', '02-20'],
  ['a start that a month has already, by the time alone', ['03-01'], null, '04-01', '03-01'],
  ['the newest’s start, by the time alone', ['04-01'], null, '04-01', '04-01'],
  [
    'a start inside the newest, where the period that runs begins: the ordinary course',
    ['04-10'],
    null,
    '04-10',
    null,
  ],
  ['a start inside the newest, and another month since', ['04-10'], null, '05-10', '04-10'],
  ['after the newest: the ordinary course', ['05-01'], null, '05-01', null],
  ['an end inside the first', [], '02-20', '02-01', '02-20'],
  ['an end on an edge', [], '03-01', '02-01', '03-01'],
  ['an end with the newest’s start: the ordinary course', [], '04-01', '03-01', null],
  ['an end after an edge', ['02-20'], '03-10', '02-20', '02-20'],
])('%s', (_name, edges, over, currentStart, expected) => {
  const moments = { edges: edges.map(day), over: over === null ? null : day(over) }
  const at = cutBackTo(months, moments, day(currentStart))
  expect(at === null ? null : shown(at)).toBe(expected)
})

test('without periods there is nothing to cut', () => {
  expect(cutBackTo([], { edges: [day('02-20')], over: null }, day('03-01'))).toBeNull()
})

// What opens, what was undone, whether the last one runs; then whose invoice each has, and what ends where.
test.each<[string, string[], string[], boolean, string]>([
  ['the one that ran runs on', ['02-20 … 03-20'], ['b 03-01 … 04-01 current'], true, '02-20 … 03-20 b'],
  [
    'of one between nothing is left',
    ['02-20 … 06-01'],
    ['b 03-01 … 04-01', 'c 04-01 … 05-01 current'],
    true,
    '02-20 … 06-01 c, b ends 03-01',
  ],
  [
    'more are open than were: it is the one that it began in',
    ['02-20 … 03-20', '03-20 … 04-20'],
    ['b 03-01 … 04-01 current'],
    true,
    '02-20 … 03-20 b, 03-20 … 04-20 new',
  ],
  [
    'one that begins at the same moment stays what it was',
    ['02-20 … 03-01', '03-01 … 04-01'],
    ['b 03-01 … 04-01 current'],
    true,
    '02-20 … 03-01 new, 03-01 … 04-01 b',
  ],
  ['it is over', [], ['b 03-01 … 04-01 current'], false, 'b ends 03-01'],
  ['it was over after a new start', ['02-20 … 03-10'], ['b 03-01 … 04-01 current'], false, '02-20 … 03-10 b'],
  [
    'a final one is no other period’s',
    ['02-20 … 03-20', '03-20 … 04-20'],
    ['b 03-01 … 04-01 fixed', 'c 04-01 … 05-01 current'],
    true,
    '02-20 … 03-20 new, 03-20 … 04-20 c, b ends 03-01',
  ],
  [
    'a final one is the period that begins with it',
    ['02-20 … 03-01', '03-01 … 03-15', '03-15 … 04-15'],
    ['b 03-01 … 04-01 fixed', 'c 04-01 … 05-01 current'],
    true,
    '02-20 … 03-01 new, 03-15 … 04-15 c, b ends 03-15',
  ],
  [
    'a final one is the first part of the period that runs',
    ['02-20 … 03-01', '03-01 … 06-01'],
    ['b 03-01 … 04-01 fixed', 'c 04-01 … 05-01 current'],
    true,
    '02-20 … 03-01 new, 04-01 … 06-01 c, b ends 04-01',
  ],
  [
    'one that nothing is left of makes room for the period that runs',
    ['02-20 … 03-01', '03-01 … 06-01'],
    ['b 03-01 … 03-01 fixed', 'c 04-01 … 05-01 current'],
    true,
    '02-20 … 03-01 new, 03-01 … 06-01 c, b ends 02-28',
  ],
])('told anew: %s', (_name, opens, undone, runs, expected) => {
  const given = undone.map((text) => {
    const [id = '', start, , end, state] = text.split(' ')
    const isOf = { isCurrent: state === 'current', isFixed: state === 'fixed' }
    return { id, period: span(`${start} … ${end}`), ...isOf }
  })
  const told = retell(opens.map(span), given, runs)
  const parts = [
    ...told.opens.map(
      ({ period, from }) => `${shown(period.start)} … ${shown(period.end)} ${from?.id ?? 'new'}`,
    ),
    ...told.ends.map(({ of, end }) => `${of.id} ends ${shown(end)}`),
  ]
  expect(parts.join(', ')).toBe(expected)
})
