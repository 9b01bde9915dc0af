import { expect, test } from 'vitest'
import { createLog } from './log.ts'

function logged(err: Error): { stack: string } {
  const lines: string[] = []
  createLog({ logLevel: 'info' }, { write: (line: string) => void lines.push(line) }).error({ err }, 'broke')
  return (JSON.parse(lines[0] ?? '{}') as { err: { stack: string } }).err
}

const errorOf = (message: string, frames: readonly string[], cause?: Error): Error => {
  const error = new Error(message, cause && { cause })
  error.stack = [`Error: ${message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n')
  return error
}

test('of what was caused by something only the frames are told that were not yet', () => {
  const cause = errorOf('connection reset', ['socket', 'request', 'sync', 'route'])
  expect(logged(errorOf('provider away', ['verdict', 'sync', 'route'], cause)).stack).toBe(
    [
      'Error: provider away',
      '    at verdict',
      '    at sync',
      '    at route',
      'caused by: Error: connection reset',
      '    at socket',
      '    at request',
    ].join('\n'),
  )
})

test('a frame that calls itself is told as often as it stands there', () => {
  const frames = ['deeper', 'deeper', 'route']
  expect(logged(errorOf('too deep', frames)).stack.match(/at deeper/g)).toHaveLength(2)
})
