import { expect, test } from 'vitest'
import { RateWindow } from './rate-window.ts'

test('takes its limit in any stretch of its length, and goes on when the oldest is that old', () => {
  const window = new RateWindow(2, 1000)
  const answers = [0, 400, 999, 1000, 1399, 1400].map((at) => {
    const room = window.hasRoom(at)
    if (room) window.take(at)
    return room
  })
  expect(answers).toEqual([true, true, false, true, false, true])
})
