// The command as a person starts it, and the script that the README shows them.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const run = promisify(execFile)
const app = createServer()
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

test('it says where it is and where its window is, and the ten lines of the README work with it', async () => {
  const child = spawn(process.execPath, [main, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const printed = await linesUntil(child.stdout, 'state')
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
  expect(await refused('--port', '0', '--forward-to', 'localhost')).toContain('URL')
  const { port, close } = await startSimulator()
  expect(await refused('--port', `${port}`)).toBe(
    `Port ${port} of 127.0.0.1 is taken. --port takes another, 0 a free one.`,
  )
  await close()
})

test('what happens is forwarded, signed with the secret that it says', async () => {
  const taken = once(app, 'request') as Promise<[IncomingMessage, ServerResponse]>
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(app.address() as AddressInfo).port}/webhook`
  const child = spawn(process.execPath, [main, '--port', '0', '--forward-to', address], { stdio: 'pipe' })
  const printed = await linesUntil(child.stdout, 'state')
  expect(printed).toContain(`  events  ${address}, signed with whsec_simulator`)
  const stripe = clientOf(printed)
  const { id } = await stripe.customers.create({ name: 'Ada' })
  const [request, response] = await taken
  const body = (await request.toArray()).join('')
  response.end()
  const signature = String(request.headers['stripe-signature'])
  const event = stripe.webhooks.constructEvent(body, signature, 'whsec_simulator')
  expect(event).toMatchObject({ type: 'customer.created', data: { object: { id } } })
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  app.close()
})

test.runIf(hasIpv6)('an IPv6 address that it listens on can be opened as it says', async () => {
  const { url, close } = await startSimulator({ host: '::1' })
  expect(await (await fetch(`${url}/_simulator/health`)).json()).toEqual({ ok: true })
  await close()
})

test('an older Node is told which one is needed, before anything of a newer one is loaded', async () => {
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })"
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`
  const { stderr } = await run(process.execPath, ['--import', preload, main]).catch((error) => error)
  expect(stderr).toBe('stripe-simulator needs Node 24.11 or newer; this is 20.20.2.\n')
})

test('it tells its version', async () => {
  expect((await run(process.execPath, [main, '--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

async function linesUntil(stream: NodeJS.ReadableStream, word: string): Promise<string[]> {
  const lines: string[] = []
  for await (const line of createInterface({ input: stream })) {
    lines.push(line)
    if (line.includes(word)) break
  }
  return lines
}

function clientOf(printed: readonly string[]): Stripe {
  const port = /:(\d+)$/.exec(printed[0] ?? '')?.[1]
  return new Stripe('sk_test_any', { host: '127.0.0.1', port, protocol: 'http' })
}
