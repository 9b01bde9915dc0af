// The command as a person starts it, and the script that the README shows them.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const run = promisify(execFile)

test('it says where it is and where its window is, and the ten lines of the README work with it', async () => {
  const child = spawn(process.execPath, [main, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const printed: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line)
    if (line.includes('state')) break
  }
  const url = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed[0] ?? '')
  expect(printed).toEqual([
    `A Stripe that runs offline, API version 2026-10-28.endive: ${url?.[0]}`,
    '  keys    any sk_test_... or rk_test_...',
    `  window  ${url?.[0]}/`,
    '  state   in memory; --state <file> keeps it',
  ])
  const readme = readFileSync(`${root}README.md`, 'utf8')
  const script = /```js\n(import Stripe[\s\S]*?)```/.exec(readme)?.[1]?.replaceAll('12111', url?.[1] ?? '')
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script ?? ''], { cwd: root })
  // As the comments beside the two lines that print say.
  expect(stdout).toBe('past_due\nactive\n')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('what cannot be meant is refused in a sentence', async () => {
  const refused = (...args: string[]) =>
    run(process.execPath, [main, ...args]).then(
      () => 'started',
      (error: { stderr: string }) => error.stderr.trim(),
    )
  expect(await refused('--port', 'http')).toContain('A port is 0 to 65535.')
  expect(await refused('--port', '0', '--state', root)).toContain('EISDIR')
})
