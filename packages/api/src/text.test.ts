import { expect, test } from 'vitest'
import { externalId } from './ids.ts'
import { freeText, metadata } from './text.ts'

test('text and metadata with a card number are refused with the reason', () => {
  expect(freeText(100).safeParse('4242424242424242').error?.issues[0]?.message).toContain('card number')
  const result = metadata.safeParse({ note: '4242 4242 4242 4242' })
  expect(result.error?.issues[0]?.path).toEqual(['note'])
})

test('what no table can hold is no text: NUL and halves of characters', () => {
  for (const text of ['a\0b', '\ud800']) {
    expect(freeText(100).safeParse(text).success).toBe(false)
    expect(metadata.safeParse({ note: text }).success).toBe(false)
    expect(externalId.safeParse(text).success).toBe(false)
  }
  expect(externalId.safeParse('two\nlines').success).toBe(false)
  expect(metadata.safeParse({ note: 'two\nlines\t😀' }).success).toBe(true)
})

test('an id that looks like a card number is an id', () => {
  expect(externalId.safeParse('4242424242424242').success).toBe(true)
})

test('metadata keeps our own names free and has an end', () => {
  expect(metadata.safeParse({ lockstep_customer: 'x' }).success).toBe(false)
  const many = Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`key_${i}`, 'x']))
  expect(metadata.safeParse(many).success).toBe(false)
})
