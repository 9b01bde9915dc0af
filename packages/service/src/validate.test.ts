import { Problem } from '@lockstep/core/problem'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { validate } from './validate.ts'

const faultsOf = (body: z.ZodType, value: unknown) => {
  try {
    validate({ body }, { params: undefined, query: undefined, body: value })
    return []
  } catch (error) {
    return error instanceof Problem ? error.faults.map(({ pointer, detail }) => `${pointer} ${detail}`) : []
  }
}

test('a size that is not allowed is told by what is', () => {
  const body = z.strictObject({
    name: z.string().min(1),
    code: z.string().min(3).max(4),
    tags: z.array(z.string()).max(1),
    limit: z.int().min(1).max(100),
    share: z.number().gt(0),
  })
  expect(faultsOf(body, { name: '', code: 'ab', tags: ['a', 'b'], limit: 0, share: 0 })).toEqual([
    '#/name This is empty.',
    '#/code This has at least 3 characters.',
    '#/tags This has at most one entry.',
    '#/limit This is at least 1.',
    '#/share This is more than 0.',
  ])
  expect(faultsOf(body, { name: 'a', code: 'abcde', tags: [], limit: 101, share: 1 })).toEqual([
    '#/code This has at most 4 characters.',
    '#/limit This is at most 100.',
  ])
})

test('what has the wrong type is told in our words, not by those of the library', () => {
  const body = z.strictObject({
    name: z.string(),
    seats: z.int().max(1_000_000),
    rate: z.number(),
    on: z.boolean(),
    tags: z.array(z.string()),
    more: z.strictObject({}).nullable(),
    state: z.enum(['open', 'paid']),
    way: z.literal('card'),
    terms: z.discriminatedUnion('model', [
      z.strictObject({ model: z.literal('flat') }),
      z.strictObject({ model: z.literal('volume') }),
    ]),
  })
  const wrong = { seats: 1.5, rate: '1', on: 1, tags: {}, more: [], state: 'nix', way: null }
  expect(faultsOf(body, { ...wrong, name: 7, terms: { model: 'volum' } })).toEqual([
    '#/name This is text, not a number.',
    '#/seats This is a whole number.',
    '#/rate This is a number, not text.',
    '#/on This is true or false, not a number.',
    '#/tags This is a list, not an object.',
    '#/more This is an object, not a list.',
    '#/state This is one of: open, paid.',
    '#/way This is card.',
    '#/terms/model This is one of: flat, volume.',
  ])
  const right = { name: '', rate: 1, on: true, tags: [], more: null, state: 'open', way: 'card' }
  // Too much for the type as well: only what is allowed is told.
  expect(faultsOf(body, { ...right, seats: 1e300, terms: {} })).toEqual([
    '#/seats This is at most 1000000.',
    '#/terms/model This is required.',
  ])
  expect(faultsOf(body, [])).toEqual(['# This is an object, not a list.'])
})

test('what a schema says by itself stands', () => {
  const body = z.strictObject({ amount: z.string('Write it as text.').min(1, 'Say how much.') })
  expect(faultsOf(body, { amount: 5 })).toEqual(['#/amount Write it as text.'])
  expect(faultsOf(body, { amount: '' })).toEqual(['#/amount Say how much.'])
})
