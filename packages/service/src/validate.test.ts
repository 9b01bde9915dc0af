import { Problem } from '@lockstep/core/problem'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { validate } from './validate.ts'

test('a size that is not allowed is told by what is', () => {
  const body = z.strictObject({
    name: z.string().min(1),
    code: z.string().min(3).max(4),
    tags: z.array(z.string()).max(1),
    limit: z.int().min(1).max(100),
    share: z.number().gt(0),
  })
  const faultsOf = (value: unknown) => {
    try {
      validate({ body }, { params: undefined, query: undefined, body: value })
      return []
    } catch (error) {
      return error instanceof Problem ? error.faults.map(({ pointer, detail }) => `${pointer} ${detail}`) : []
    }
  }
  expect(faultsOf({ name: '', code: 'ab', tags: ['a', 'b'], limit: 0, share: 0 })).toEqual([
    '#/name This is empty.',
    '#/code This has at least 3 characters.',
    '#/tags This has at most one entry.',
    '#/limit This is at least 1.',
    '#/share This is more than 0.',
  ])
  expect(faultsOf({ name: 'a', code: 'abcde', tags: [], limit: 101, share: 1 })).toEqual([
    '#/code This has at most 4 characters.',
    '#/limit This is at most 100.',
  ])
})
