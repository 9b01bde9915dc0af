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
      trial: null,
    },
    rhythm,
  )
  expect(inWords(changes)).toBe(expected)
})

// Last invoice, the trial, the provider's period when we look again.
test.each<[string, string, string, string, string]>([
  [
    'that began with it, and was as long as said',
    '01-10 … 01-24',
    '01-10 … 01-24',
    '01-24 … 02-24',
    'closes, opens 01-24 … 02-24',
  ],
  [
    'that began with it, and was made longer',
    '01-10 … 01-24',
    '01-10 … 02-05',
    '02-05 … 03-05',
    'ends 02-05, closes, opens 02-05 … 03-05',
  ],
  [
    'that began with it, and was ended',
    '01-10 … 01-24',
    '01-10 … 01-15',
    '01-15 … 02-15',
    'ends 01-15, closes, opens 01-15 … 02-15',
  ],
  [
    'that began in its first second',
    '01-10 … 02-10',
    '01-10 … 02-15',
    '02-15 … 03-15',
    'ends 02-15, closes, opens 02-15 … 03-15',
  ],
  [
    'that began in the middle of it',
    '01-10 … 02-10',
    '01-20 … 02-15',
    '02-15 … 03-15',
    'ends 01-20, closes, opens 01-20 … 02-15, opens 02-15 … 03-15',
  ],
  ['of before', '02-10 … 03-10', '01-10 … 02-10', '03-10 … 04-10', 'closes, opens 03-10 … 04-10'],
])('a trial %s, and that is over before we look', (_name, last, trial, period, expected) => {
  const changes = periodChanges(
    { period: span(last), isCurrent: true },
    {
      ...{ status: 'active', startedAt: day('01-10'), endedAt: null },
      ...{ period: span(period), trial: span(trial) },
    },
    { cycle: { ...rhythm.cycle, anchor: span(period).start }, trialEnd: span(trial).end },
  )
  expect(inWords(changes)).toBe(expected)
})

function inWords({ end, closes, opens }: ReturnType<typeof periodChanges>): string {
  const parts = [
    ...(end === null ? [] : [`ends ${shown(end)}`]),
    ...(closes ? ['closes'] : []),
    ...opens.map((one) => `opens ${shown(one.start)} … ${shown(one.end)}`),
  ]
  return parts.join(', ')
}
