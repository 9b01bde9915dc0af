import { stripVTControlCharacters } from 'node:util'
import type { ChangePreview, PlanChange } from '@lockstep/sdk'
import { expect, test } from 'vitest'
import { changePreviewText, planChangeText } from './plan-change-text.ts'

const plain = (text: string) => stripVTControlCharacters(text).split('\n')
const usd = (minor: string) => ({
  amount: `${Number(minor) / 100}.00`,
  minor,
  currency: 'usd',
})
const terms = { plan: 'team', planVersion: 1, quantity: 1, addons: [] }
const period = { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }

test('what lines come to before discounts stands between them and a total that is another', () => {
  const invoice = {
    at: '2026-01-01T00:00:00Z',
    lines: [{ description: 'Team', period, quantity: 1, amount: usd('1000'), isProration: false }],
    ...{ subtotal: usd('1000'), total: usd('500'), amountDue: usd('500'), credited: usd('0') },
  }
  const preview = {
    ...{ from: terms, to: terms, direction: 'level', takesEffect: 'now', takesEffectAt: period.start },
    ...{ dueNow: invoice, nextInvoice: null, recurring: usd('1000'), contractChanges: [], warnings: [] },
    ...{ withdraws: null, needsPaymentPage: false, secondOpinion: 'notAsked' },
  } as unknown as ChangePreview
  expect(plain(changePreviewText(preview)).filter((line) => /\d\.00$/.test(line))).toEqual([
    expect.stringMatching(/^Team .* 10\.00$/),
    expect.stringMatching(/^before discounts and tax +10\.00$/),
    expect.stringMatching(/^total +5\.00$/),
  ])
})

test('a change of coupons alone says which', () => {
  const change = {
    ...{ id: 'plan_change_1', from: terms, to: terms, state: 'effective', action: null, problem: null },
    ...{ dueAt: null, coupons: ['season', 'half'], withoutCoupons: ['welcome'] },
  } as unknown as PlanChange
  expect(plain(planChangeText(change))).toEqual([
    '✓ Done. team v1 → team v1',
    'redeemed   season, half',
    'taken off  welcome',
    'change  plan_change_1',
  ])
})
