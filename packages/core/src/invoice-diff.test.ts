import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { diffInvoiceItems, type ExistingItem, type WantedItem } from './invoice-diff.ts'

const wanted = (line: string, revision: number, content: string): WantedItem => ({ line, revision, content })
const existing = (id: string, line: string | null, revision: number, content: string): ExistingItem => ({
  id,
  line,
  revision,
  content,
})

test('only what differs is sent', () => {
  const difference = diffInvoiceItems(
    [wanted('compute', 0, '5.00'), wanted('requests', 0, '0.40'), wanted('requests', 1, '0.80')],
    [
      existing('ii_1', 'compute', 0, '4.00'),
      existing('ii_2', 'requests', 0, '0.40'),
      existing('ii_3', 'storage', 0, '1.00'),
      existing('ii_4', null, 0, 'set-up fee'),
    ],
  )
  expect(difference.create).toEqual([wanted('requests', 1, '0.80')])
  expect(difference.update.map((change) => [change.existing.id, change.wanted.content])).toEqual([
    ['ii_1', '5.00'],
  ])
  expect(difference.keep.map(({ id }) => id)).toEqual(['ii_2'])
  expect(difference.remove.map(({ id }) => id)).toEqual(['ii_3'])
  expect(difference.foreign.map(({ id }) => id)).toEqual(['ii_4'])
})

test('of two items of one line, one stays', () => {
  const twice = [existing('ii_1', 'compute', 0, '5.00'), existing('ii_2', 'compute', 0, '5.00')]
  const { keep, remove } = diffInvoiceItems([wanted('compute', 0, '5.00')], twice)
  expect([keep.map(({ id }) => id), remove.map(({ id }) => id)]).toEqual([['ii_1'], ['ii_2']])
})

test('two wanted items of one line are a mistake of ours', () => {
  const twice = [wanted('compute', 0, '5.00'), wanted('compute', 0, '6.00')]
  expect(() => diffInvoiceItems(twice, [])).toThrow('one item for each line and revision')
})

const contents = fc.constantFrom('0.40', '0.80', '5.00')
const lines = fc.constantFrom('compute', 'storage', 'requests', '1 compute')
const revisions = fc.nat(2)
const wantedLists = fc.uniqueArray(fc.record({ line: lines, revision: revisions, content: contents }), {
  selector: ({ line, revision }) => `${line}/${revision}`,
})
const existingLists = fc
  .array(fc.record({ line: fc.option(lines), revision: revisions, content: contents }))
  .map((list): ExistingItem[] => list.map((item, i) => ({ id: `ii_${i}`, ...item })))

/** What the provider holds after the calls. */
function apply(
  list: readonly ExistingItem[],
  difference: ReturnType<typeof diffInvoiceItems>,
): ExistingItem[] {
  const removed = new Set(difference.remove.map(({ id }) => id))
  const updated = new Map(difference.update.map((change) => [change.existing.id, change.wanted.content]))
  return [
    ...list
      .filter(({ id }) => !removed.has(id))
      .map((item) => ({ ...item, content: updated.get(item.id) ?? item.content })),
    ...difference.create.map((item, i) => ({ id: `new_${i}`, ...item })),
  ]
}

const ours = (list: readonly ExistingItem[]) =>
  list
    .filter(({ line }) => line !== null)
    .map(({ line, revision, content }) => `${line}/${revision}: ${content}`)
    .sort()
const foreign = (list: readonly ExistingItem[]) => list.filter(({ line }) => line === null)

test('applying the difference gives what is wanted, and leaves alone what is not ours', () => {
  fc.assert(
    fc.property(wantedLists, existingLists, (want, list) => {
      const after = apply(list, diffInvoiceItems(want, list))
      expect(ours(after)).toEqual(
        want.map(({ line, revision, content }) => `${line}/${revision}: ${content}`).sort(),
      )
      expect(foreign(after)).toEqual(foreign(list))
    }),
  )
})

test('a second difference is empty', () => {
  fc.assert(
    fc.property(wantedLists, existingLists, (want, list) => {
      const after = apply(list, diffInvoiceItems(want, list))
      const again = diffInvoiceItems(want, after)
      expect([again.create, again.update, again.remove]).toEqual([[], [], []])
      expect(again.keep).toHaveLength(want.length)
    }),
  )
})
