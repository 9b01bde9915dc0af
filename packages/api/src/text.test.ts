import { expect, test } from 'vitest'
import { freeText, metadata } from './text.ts'

test('text and metadata with a card number are refused with the reason', () => {
  expect(freeText(100).safeParse('4242424242424242').error?.issues[0]?.message).toContain('card number')
  const result = metadata.safeParse({ note: '4242 4242 4242 4242' })
  expect(result.error?.issues[0]?.path).toEqual(['note'])
})

test('metadata keeps our own names free and has an end', () => {
  expect(metadata.safeParse({ lockstep_customer: 'x' }).success).toBe(false)
  const many = Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`key_${i}`, 'x']))
  expect(metadata.safeParse(many).success).toBe(false)
})
