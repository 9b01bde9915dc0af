import { expect, test } from 'vitest'
import { plannedTerms, type TermsOfVersion } from './planned-terms.ts'

/** `large 3, backups 2` */
function terms(text: string): TermsOfVersion {
  const [[planVersionId = '', quantity] = [], ...addons] = text.split(', ').map((part) => part.split(' '))
  return {
    ...{ planVersionId, quantity: Number(quantity) },
    addons: addons.map(([addon = '', number, version = '1']) => ({
      ...{ addon, version: Number(version), quantity: Number(number) },
    })),
  }
}

const said = ({ planVersionId, quantity, addons }: TermsOfVersion) =>
  [
    `${planVersionId} ${quantity}`,
    ...addons.map(
      ({ addon, quantity: number, version }) => `${addon} ${number}${version === 1 ? '' : ` ${version}`}`,
    ),
  ].join(', ')

test.each<[what: string, from: string, to: string, now: string, comes: string, from: string]>([
  ['nothing is changed meanwhile', 'large 3', 'small 3', 'large 3', 'small 3', 'large 3'],
  ['seats that it leaves alone', 'large 3', 'small 3', 'large 5', 'small 5', 'large 5'],
  ['seats that it changes', 'large 3', 'small 2', 'large 5', 'small 2', 'large 3'],
  ['as many as it makes them', 'large 3', 'small 2', 'large 2', 'small 2', 'large 3'],
  ['another plan', 'large 3', 'small 3', 'middle 5', 'small 5', 'large 5'],
  ['another plan, and it leaves that alone', 'large 3', 'large 2', 'middle 5', 'middle 2', 'middle 3'],
  ['its plan', 'large 3', 'small 3', 'small 5', 'small 5', 'large 5'],
  ['its plan, though that has no number', 'large 1', 'solo 1', 'solo 3', 'solo 3', 'large 3'],
  ['a plan without a number', 'large 3', 'small 3', 'solo 1', 'small 3', 'large 3'],
  ['seats, where its plan has none', 'large 1', 'solo 1', 'large 5', 'solo 1', 'large 1'],
  ['an add-on put on', 'large 1', 'small 1', 'large 1, b 2', 'small 1, b 2', 'large 1, b 2'],
  ['one counted otherwise', 'large 1, b 2', 'small 1, b 2', 'large 1, b 4', 'small 1, b 4', 'large 1, b 4'],
  ['one taken off', 'large 1, b 2', 'small 1, b 2', 'large 1', 'small 1', 'large 1'],
  [
    'one that it counts otherwise',
    'large 1, b 5',
    'large 1, b 1',
    'large 2, b 9',
    'large 2, b 1',
    'large 2, b 5',
  ],
  ['one that it takes off', 'large 1, b 5', 'large 1', 'large 1, b 9', 'large 1', 'large 1, b 5'],
  ['one that it puts on', 'large 1', 'large 1, b 1', 'large 1, a 3', 'large 1, a 3, b 1', 'large 1, a 3'],
  [
    'another version of one',
    'large 1, b 2',
    'small 1, b 2',
    'large 1, b 2 2',
    'small 1, b 2 2',
    'large 1, b 2 2',
  ],
])('%s', (_, from, to, now, comes, fromThen) => {
  const byNumber = (plan: string) => plan !== 'solo'
  const planned = {
    ...{ from: terms(from), to: terms(to) },
    isOfQuantity: terms(from).quantity !== terms(to).quantity,
  }
  const keepsQuantity = byNumber(planned.to.planVersionId) && byNumber(terms(now).planVersionId)
  const anew = plannedTerms(planned, terms(now), { keepsQuantity })
  expect([said(anew.to), said(anew.from)]).toEqual([comes, fromThen])
  // Again, and after something else that stood in between: only how it stands in the end decides.
  const { isOfQuantity } = planned
  const between = plannedTerms(planned, terms('other 9, c 1'), { keepsQuantity })
  for (const { from: before, to: after } of [anew, ...(keepsQuantity ? [between] : [])])
    expect(plannedTerms({ from: before, to: after, isOfQuantity }, terms(now), { keepsQuantity })).toEqual(
      anew,
    )
})
