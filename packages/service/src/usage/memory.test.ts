import { expect, test } from 'vitest'
import { newMemory } from './memory.ts'

test('what was asked for just now outlives what nobody asked for', () => {
  const memory = newMemory<number>(4)
  for (const [value, key] of ['a', 'b', 'c'].entries()) memory.set(key, value)
  expect(memory.get('a')).toBe(0)
  memory.set('d', 3)
  memory.set('e', 4)
  expect(['a', 'b', 'c', 'd', 'e'].map((key) => memory.get(key))).toEqual([0, undefined, undefined, 3, 4])
})

test('whom a request knows it still knows after learning of the rest of it', () => {
  const memory = newMemory<string>(10)
  for (let other = 0; other < 100; other += 1) memory.set(`other ${other}`, 'there')
  memory.set('old', 'there')
  // Five newcomers are half of what is remembered.
  for (let round = 0; round < 20; round += 1) {
    expect(memory.get('old')).toBe('there')
    for (let newcomer = 0; newcomer < 5; newcomer += 1) memory.set(`new ${round} ${newcomer}`, 'there')
  }
})
