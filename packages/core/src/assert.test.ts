import { expect, test } from 'vitest'
import { assert } from './assert.ts'

test('a broken assumption stops the program with its sentence', () => {
  expect(() => assert(false, 'one is not more than two')).toThrow('one is not more than two')
  expect(() => assert(true)).not.toThrow()
})
