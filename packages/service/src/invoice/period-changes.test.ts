import { parseInstant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import type { SubscriptionStatus } from '@lockstep/core/subscription'
import { expect, test } from 'vitest'
import { periodChanges } from './period-changes.ts'

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
const rhythm = {
  cycle: { anchor: day('01-10'), interval: 'month', intervalCount: 1 } as const,
  trialEnd: null,
}

// Last invoice, provider's period, ended on, then what follows: the last one's end, its state, new ones.
test.each<[string, string | null, string, string | null, string]>([
  ['first sight', null, '01-10 … 02-10', null, 'opens 01-10 … 02-10'],
  ['nothing new', 'current 01-10 … 02-10', '01-10 … 02-10', null, ''],
  ['renewed', 'current 01-10 … 02-10', '02-10 … 03-10', null, 'closes, opens 02-10 … 03-10'],
  [
    'renewed, its draft was seen first',
    'closing 01-10 … 02-10',
    '02-10 … 03-10',
    null,
    'opens 02-10 … 03-10',
  ],
  ['not yet renewed, its draft was seen first', 'closing 01-10 … 02-10', '01-10 … 02-10', null, ''],
  [
    'two renewals missed',
    'current 01-10 … 02-10',
    '03-10 … 04-10',
    null,
    'closes, opens 02-10 … 03-10, opens 03-10 … 04-10',
  ],
  [
    'the cycle was reset',
    'current 01-10 … 02-10',
    '01-20 … 02-20',
    null,
    'ends 01-20, closes, opens 01-20 … 02-20',
  ],
  ['the period grew', 'current 01-10 … 02-10', '01-10 … 02-24', null, 'ends 02-24'],
  ['canceled now', 'current 01-10 … 02-10', '01-10 … 02-10', '01-25', 'ends 01-25, closes'],
  ['canceled at period end', 'current 01-10 … 02-10', '01-10 … 02-10', '02-10', 'closes'],
  [
    'canceled, seen long after',
    'current 01-10 … 02-10',
    '02-10 … 03-10',
    '02-20',
    'closes, opens 02-10 … 02-20',
  ],
  ['canceled in the second of the renewal', 'current 01-10 … 02-10', '02-10 … 03-10', '02-10', 'closes'],
  ['canceled, seen again', 'closing 01-10 … 01-25', '01-10 … 02-10', '01-25', ''],
  ['canceled before it was ever seen', null, '01-10 … 02-10', '01-25', 'opens 01-10 … 01-25'],
])('%s', (_name, last, period, endedOn, expected) => {
  const status: SubscriptionStatus = endedOn === null ? 'active' : 'canceled'
  const [state, ...rest] = last?.split(' ') ?? []
  const changes = periodChanges(
    last === null ? undefined : { period: span(rest.join(' ')), isCurrent: state === 'current' },
    {
      status,
      startedAt: day('01-10'),
      endedAt: endedOn === null ? null : day(endedOn),
      period: span(period),
    },
    rhythm,
  )
  const parts = [
    ...(changes.end === null ? [] : [`ends ${shown(changes.end)}`]),
    ...(changes.closes ? ['closes'] : []),
    ...changes.opens.map(({ start, end }) => `opens ${shown(start)} … ${shown(end)}`),
  ]
  expect(parts.join(', ')).toBe(expected)
})
