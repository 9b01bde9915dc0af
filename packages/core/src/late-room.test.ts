import { expect, test } from 'vitest'
import { roomForLate } from './late-room.ts'

test.each([
  ['nothing else', [], 240],
  ['a period of a hundred lines', [100], 140],
  ['a draft and the period that runs', [30, 100], 140],
  ['a period that leaves no room', [245], 0],
])('beside %s', (_, lines, room) => {
  expect(roomForLate(lines)).toBe(room)
})
