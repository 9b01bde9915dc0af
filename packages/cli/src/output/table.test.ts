import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { table } from './table.ts'

const rows = [
  { name: 'ada', total: '5.00', id: 'customer_01j8kq2v7m5x9c3r6t0w4y8z1b', note: '' },
  { name: 'grace', total: '12.50', id: 'customer_01j8kq2v7m5x9c3r6t0w4y8z1c', note: 'late' },
]
const columns = [
  { title: 'name', cell: (row: (typeof rows)[number]) => row.name },
  { title: 'total', align: 'right' as const, cell: (row: (typeof rows)[number]) => row.total },
  { title: 'id', cell: (row: (typeof rows)[number]) => row.id },
  { title: 'note', cell: (row: (typeof rows)[number]) => row.note },
]
const plain = (text: string) => stripVTControlCharacters(text).split('\n')

test('a row is a line where there is room', () => {
  expect(plain(table(rows, columns, 80))).toEqual([
    'name   total  id                                   note',
    'ada     5.00  customer_01j8kq2v7m5x9c3r6t0w4y8z1b',
    'grace  12.50  customer_01j8kq2v7m5x9c3r6t0w4y8z1c  late',
  ])
})

test('in a narrow terminal what has no room stands below, whole', () => {
  expect(plain(table(rows, columns, 50))).toEqual([
    'name   total  id',
    '    note',
    'ada     5.00  customer_01j8kq2v7m5x9c3r6t0w4y8z1b',
    'grace  12.50  customer_01j8kq2v7m5x9c3r6t0w4y8z1c',
    '    late',
  ])
  expect(plain(table(rows, columns, 45))).toEqual([
    'name   total',
    '    id                                   note',
    'ada     5.00',
    '    customer_01j8kq2v7m5x9c3r6t0w4y8z1b',
    'grace  12.50',
    '    customer_01j8kq2v7m5x9c3r6t0w4y8z1c  late',
  ])
  // Narrower than one column, nothing helps, and nothing is cut off.
  expect(plain(table(rows, columns, 20)).join('\n')).toContain('    customer_01j8kq2v7m5x9c3r6t0w4y8z1c')
})
