import { expect, test } from 'vitest'
import { Table } from './table.ts'
import { UndoLog } from './tables.ts'

interface Row {
  readonly id: string
  readonly group: string
}

function newTable() {
  const undo = new UndoLog()
  const table = new Table<Row, 'group'>(undo.journal, (row) => ({ ...row }), { group: (row) => row.group })
  return { undo, table }
}

const ids = (rows: readonly Row[]) => rows.map(({ id }) => id)

test('an index that is asked for late has what happened before, and follows what happens after', () => {
  const { table } = newTable()
  table.insert({ id: 'a', group: 'x' })
  table.insert({ id: 'b', group: 'y' })
  table.insert({ id: 'c', group: 'x' })
  expect(ids(table.by('group', 'x'))).toEqual(['a', 'c'])
  table.patch('b', { group: 'x' })
  table.delete('a')
  expect(ids(table.by('group', 'x'))).toEqual(['b', 'c'])
  expect(table.get('a')).toBeUndefined()
  expect(table.count('group', 'y')).toBe(0)
})

test('what is taken back is as it was, whether the index is older or younger than the change', () => {
  for (const asked of [true, false]) {
    const { undo, table } = newTable()
    table.insert({ id: 'a', group: 'x' })
    table.insert({ id: 'b', group: 'x' })
    if (asked) table.by('group', 'x')
    undo.depth = 1
    table.insert({ id: 'c', group: 'x' })
    table.patch('b', { group: 'y' })
    table.delete('a')
    undo.rollback(0)
    expect(ids(table.by('group', 'x'))).toEqual(['a', 'b'])
    expect(table.get('c')).toBeUndefined()
    expect(table.size).toBe(2)
  }
})

test('a row that was handed out stays what it was', () => {
  const { table } = newTable()
  const before = table.insert({ id: 'a', group: 'x' })
  expect(table.patch('a', { group: 'y' })).toEqual({ id: 'a', group: 'y' })
  expect(before).toEqual({ id: 'a', group: 'x' })
})
