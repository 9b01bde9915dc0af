import { expect, test } from 'vitest'
import { freeText, hasCardNumber, metadata } from './text.ts'

test.each([
  '4242424242424242',
  'my card is 4242 4242 4242 4242, thanks',
  '5555-5555-5555-4444',
  '378282246310005',
  '4222222222222',
])('sees the card number in %s', (text) => expect(hasCardNumber(text)).toBe(true))

test.each([
  '4242424242424241',
  '1763694885000',
  'order 123456789012',
  '01j8kq2v7m5x9c3r6t0w4y8z1b',
  '4242424242424242000011112222',
  '+49 30 901820',
])('lets %s pass', (text) => expect(hasCardNumber(text)).toBe(false))

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
