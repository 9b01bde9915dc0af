import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { newTurns } from './turns.ts'

/** Asks for turns of these sizes at once, and tells after each turn of the event loop who has begun. */
async function begunAfterEachTurn(perTurn: number, sizes: readonly number[]): Promise<number[][]> {
  const turns = newTurns(perTurn)
  const begun: number[] = []
  sizes.forEach((size, i) => void turns.begin(size).then(() => begun.push(i)))
  const seen = [[...begun]]
  while (begun.length < sizes.length) {
    await turnOfTheLoop()
    seen.push([...begun])
  }
  return seen
}

test('nothing begins at once, and a full turn leaves the rest to the next ones', async () => {
  expect(await begunAfterEachTurn(100, [100, 100, 100])).toEqual([[], [0], [0, 1], [0, 1, 2]])
})

test('small work shares a turn, in the order of the asking', async () => {
  expect(await begunAfterEachTurn(100, [1, 99, 1, 1])).toEqual([[], [0, 1], [0, 1, 2, 3]])
})

test('what is larger than a turn has one of its own', async () => {
  expect(await begunAfterEachTurn(100, [1000, 1000, 1])).toEqual([[], [0], [0, 1], [0, 1, 2]])
})

test('who asks after everybody has begun gets a turn as well', async () => {
  const turns = newTurns(1)
  await turns.begin(1)
  await expect(turns.begin(1)).resolves.toBeUndefined()
})
