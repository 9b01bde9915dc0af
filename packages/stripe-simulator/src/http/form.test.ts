import { expect, test } from 'vitest'
import fc from '../../../../test/support/fast-check.ts'
import { parseForm } from './form.ts'

test('names in brackets nest, numbers and empty brackets make lists', () => {
  expect(parseForm('customer=cus_1&items[0][price]=price_1&items[0][quantity]=2')).toEqual({
    customer: 'cus_1',
    items: [{ price: 'price_1', quantity: '2' }],
  })
  expect(parseForm('items[1]=b&items[0]=a')).toEqual({ items: ['a', 'b'] })
  expect(parseForm('expand[]=customer&expand[]=latest_invoice')).toEqual({
    expand: ['customer', 'latest_invoice'],
  })
  expect(parseForm('metadata[order]=7&metadata[0]=x')).toEqual({ metadata: { order: '7', 0: 'x' } })
})

test('what is encoded is decoded, names and values alike', () => {
  expect(parseForm('name=Ada+Lovelace&email=ada%40example.com&metadata%5Ba%2Bb%5D=%C3%A9')).toEqual({
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    metadata: { 'a+b': 'é' },
  })
  expect(parseForm('name=100%&phone=')).toEqual({ name: '100%', phone: '' })
  expect(parseForm('')).toEqual({})
})

test('a value that is sent twice is a list, which the schema of a single value refuses', () => {
  expect(parseForm('name=a&name=b')).toEqual({ name: ['a', 'b'] })
})

test('no name changes what an object is, however deep', () => {
  expect(parseForm('__proto__[x]=1&metadata[__proto__][x]=1&metadata[k]=v')).toEqual({
    metadata: { k: 'v' },
  })
  expect(parseForm('metadata[constructor]=x')).toEqual({ metadata: { constructor: 'x' } })
  expect(({} as { x?: string }).x).toBeUndefined()
  expect(() => parseForm(`a${'[b]'.repeat(100_000)}=1`)).not.toThrow()
})

const name = fc.stringMatching(/^[a-z]\w{0,8}$/)
const value = fc.string({ maxLength: 20, unit: 'grapheme' })
const inner = fc.oneof(
  value,
  fc.dictionary(name, value, { minKeys: 1, maxKeys: 3 }),
  fc.array(value, { minLength: 1, maxLength: 12 }),
  fc.array(fc.dictionary(name, value, { minKeys: 1, maxKeys: 3 }), { minLength: 1, maxLength: 3 }),
)

/** As a client writes it: every value with the whole path that leads to it. */
function written(prefix: string, given: unknown): string[] {
  if (typeof given === 'string') return [`${prefix}=${encodeURIComponent(given)}`]
  return Object.entries(given as object).flatMap(([key, part]) => written(`${prefix}[${key}]`, part))
}

test('what a client writes is read as it was meant', () => {
  fc.assert(
    fc.property(fc.dictionary(name, inner, { maxKeys: 5 }), (given) => {
      const text = Object.entries(given)
        .flatMap(([key, part]) => written(key, part))
        .join('&')
      expect(parseForm(text)).toEqual({ ...given })
    }),
    { numRuns: 300 },
  )
})
