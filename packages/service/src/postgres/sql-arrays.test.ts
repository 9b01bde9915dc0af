import { expect, test } from 'vitest'
import { jsons, texts } from './sql-arrays.ts'

// https://github.com/postgres/postgres/blob/REL_18_0/src/backend/utils/adt/arrayfuncs.c, array_recv: dimensions,
// whether there are nulls, the type, then length and first index of each dimension, then each value behind
// its length. https://github.com/postgres/postgres/blob/REL_18_0/src/include/catalog/pg_type.dat: text is 25,
// json 114.
const header = (type: string, count: number) => `00000001 00000000 ${type} 0000000${count} 00000001`
const bytes = (...hex: string[]) => hex.join('').replaceAll(' ', '')
const of = (list: Buffer) => list.toString('hex')

test('a list of texts is written as Postgres reads it, whatever is in it', () => {
  expect(of(texts([]))).toBe('000000000000000000000019')
  expect(of(texts(['ab', '']))).toBe(bytes(header('00000019', 2), '00000002 6162', '00000000'))
  expect(of(texts(['ab', 'ö', '€']))).toBe(
    bytes(header('00000019', 3), '00000002 6162', '00000002 c3b6', '00000003 e282ac'),
  )
  for (const length of [127, 128, 255]) {
    const size = length.toString(16).padStart(8, '0')
    expect(of(texts(['x'.repeat(length)]))).toBe(bytes(header('00000019', 1), size, '78'.repeat(length)))
  }
  expect(of(jsons(['{}']))).toBe(bytes(header('00000072', 1), '00000002 7b7d'))
})
