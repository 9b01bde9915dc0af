import { expect, test } from 'vitest'
import { roomFor, roomForLate } from './late-room.ts'

test.each([
  ['nothing else', [], 0, 240],
  ['a period of a hundred lines', [100], 100, 140],
  ['a draft and the period that runs', [30, 100], 100, 140],
  ['a draft of a hundred, and a period that runs', [100, 30], 30, 140],
  ['a period that leaves no room', [245], 245, 0],
  ['a hundred of its own that wait, and another subscription with 130 that do', [100], 230, 10],
  ['another subscription that leaves no room', [0], 240, 0],
])('beside %s', (_, lines, waiting, room) => {
  expect(roomForLate(lines, waiting)).toBe(room)
})

test.each([
  [0, 240],
  [239, 1],
  [240, 0],
  [300, 0],
])('beside %i lines', (lines, room) => {
  expect(roomFor(lines)).toBe(room)
})
