import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@lockstep/sdk'
import Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../support/process.ts'

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))

let folder: string
let port: number
let simulatorPort: number
let running: ChildProcess | undefined

beforeAll(async () => {
  // A folder that only its owner may enter, with a blank in its name.
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lockstep start ')))
  port = await freePort()
  simulatorPort = await freePort()
})
afterAll(async () => {
  if (running?.exitCode === null) await stop()
  await rm(folder, { recursive: true, force: true })
})

function environment() {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    PORT: String(port),
    STRIPE_SIMULATOR_PORT: String(simulatorPort),
    NO_COLOR: '1',
  }
}

/** `lockstep start`, until it says how to stop it, or something else; answers all that it printed. */
async function start(until = 'Ctrl-C stops it'): Promise<string> {
  const child = spawn(process.execPath, [main, 'start'], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running = child
  let output = ''
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes(until)) resolve(output)
      })
    }
    child.on('exit', () => reject(new Error(`It ended by itself:\n${output}`)))
  })
}

/** Until the example customers are in the middle of their registration, in which they stay as long as this one runs. */
async function startInTheMiddle(): Promise<void> {
  await start('❯ Postgres and the service')
  const control = `http://127.0.0.1:${simulatorPort}/_simulator`
  await fetch(`${control}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'rate_limit', method: 'POST', path: '/v1/subscriptions', probability: 1 }),
  })
  const refused = async () => {
    const { requests } = (await (await fetch(`${control}/requests`)).json()) as {
      requests: { path: string; fault: string | null }[]
    }
    return requests.some(({ path, fault }) => path === '/v1/subscriptions' && fault === 'rate_limit')
  }
  await expect.poll(refused).toBe(true)
}

/** No chance to say good-bye. */
async function kill(): Promise<void> {
  if (!running) return
  const exited = once(running, 'exit')
  running.kill('SIGKILL')
  await exited
}

async function stop(): Promise<number | null> {
  const child = running
  if (!child) return null
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  const [code] = (await exited) as [number | null]
  return code
}

/** `lockstep start` in the same folder on ports of its own, until it ends by itself. */
async function startAnother(): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, 'start'], {
    cwd: folder,
    env: {
      ...environment(),
      PORT: String(await freePort()),
      STRIPE_SIMULATOR_PORT: String(await freePort()),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

async function connect(): Promise<Client> {
  const { url, apiKey } = JSON.parse(await readFile(join(folder, '.lockstep/local.json'), 'utf8'))
  return createClient({ baseUrl: url, apiKey })
}

async function invoicesOf(client: Client, externalId: string) {
  const customer = await client.customers.list({ externalId }).first()
  if (!customer) throw new Error(`There is no ${externalId}.`)
  const invoices = []
  for await (const invoice of client.invoices.list({ customer: customer.id })) invoices.push(invoice)
  return invoices
}

test('one command makes a month of examples, explains an invoice, and comes back after a stop', async () => {
  const output = await start()
  expect(output).toContain('What Lovelace Analytics owes at this moment, and why:')
  expect(output).toMatch(/per unit: [\d,.]+ × 0.0000144 = [\d,.]+/)
  expect(output).toMatch(/total +[\d,]+\.\d\d usd/)

  const client = await connect()
  const invoices = await invoicesOf(client, 'lovelace-analytics')
  const january = invoices.find(
    ({ period, billingReason }) =>
      period.start === '2026-01-01T00:00:00Z' && billingReason === 'subscription_cycle',
  )
  // Compute 48.04, bandwidth 37.00, storage 18.86, requests 5.60, a tenth of these and of the fee of
  // 20.00 for support, 12.95; and the fee of February.
  expect(january).toMatchObject({ status: 'paid', total: { amount: '142.45' } })
  const stripe = new Stripe('sk_test_simulator', { host: '127.0.0.1', port: simulatorPort, protocol: 'http' })
  expect(await stripe.invoices.retrieve(january?.providerId ?? '')).toMatchObject({
    status: 'paid',
    total: 14245,
  })
  const current = invoices.find(({ status }) => status === 'current')
  expect(current?.period).toEqual({ start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' })

  expect(await stop()).toBe(0)
  const again = await start()
  expect(explained(again)).toEqual(explained(output))
  expect(await invoicesOf(await connect(), 'lovelace-analytics')).toEqual(invoices)
  // What is suggested works, also after it was done.
  const advance = /clock advance (\S+) --to (\S+)/
  expect(advance.exec(again)?.slice(1)).toEqual(['lovelace-analytics', '2026-03-02'])
  const { testClocks } = await connect()
  for await (const { id, name } of testClocks.list()) {
    if (name !== 'lovelace-analytics') continue
    await testClocks.advance(id, '2026-03-02T00:00:00Z')
    await testClocks.ready(id)
  }
  expect(await stop()).toBe(0)
  expect(advance.exec(await start())?.slice(1)).toEqual(['lovelace-analytics', '2026-04-02'])
  expect(await stop()).toBe(0)
})

test('where its Postgres is killed alone, it ends and says why, and comes back with the next start', async () => {
  await start()
  const child = running as ChildProcess
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = once(child, 'close')
  process.kill(await postmasterOf(child.pid), 'SIGKILL')
  expect((await ended)[0]).toBe(1)
  expect(said).toContain('The embedded Postgres has ended, and nobody here stopped it.')
  expect(said).toContain('Start Lockstep again')
  expect(await start()).toContain('What Lovelace Analytics owes at this moment, and why:')
  expect(await stop()).toBe(0)
})

/** The child that Postgres is: the only one that was started with a folder of data. */
async function postmasterOf(parent: number | undefined): Promise<number> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')
  for (const pid of children.trim().split(' ')) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
    if (words.includes('-D')) return Number(pid)
  }
  throw new Error('No Postgres runs.')
}

test('a first start that was ended or killed in the middle is completed by the next one, and while it runs no other comes in', async () => {
  await rm(join(folder, '.lockstep'), { recursive: true })
  await startInTheMiddle()
  expect(await stop()).toBe(0)
  await startInTheMiddle()
  const killed = running?.pid
  const refused = await startAnother()
  expect(refused.code).toBe(1)
  expect(refused.output).toContain(
    `Lockstep runs in ${join(folder, '.lockstep')} already: process ${killed}, http://127.0.0.1:${port}.`,
  )
  expect(refused.output).toContain('LOCKSTEP_DATA=.lockstep-2 PORT=')
  await kill()
  // The number of the killed one is that of a process that lives: the folder is free all the same.
  const holder = join(folder, '.lockstep/running.json')
  await writeFile(holder, JSON.stringify({ pid: process.pid, url: `http://127.0.0.1:${port}` }))
  await start()
  const invoices = await invoicesOf(await connect(), 'lovelace-analytics')
  const totals = invoices.map(({ total }) => total?.amount).filter(Boolean)
  expect(new Set(totals)).toEqual(new Set(['20.00', '142.45']))
  expect(await stop()).toBe(0)
})

/** The invoice, without the steps that led to it. */
function explained(output: string): string {
  return output.slice(output.indexOf('What Lovelace'), output.indexOf('Try, in another'))
}
