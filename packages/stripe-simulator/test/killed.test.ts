// The process dies at any instant: what it had answered is there, and what it had not is there whole or not at all.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, type RunningProcess, startProcess } from '../../../test/support/process.ts'
import { seeded } from '../../../test/support/random.ts'
import { DAY, JAN_1 } from './world.ts'

const KILLS = 8
const WORKERS = 6
const random = seeded(20261126)

let folder: string
let port: number
let running: RunningProcess
let stripe: Stripe
/** Ids of the events that arrived, however often. */
const received = new Set<string>()
const hook = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    received.add((JSON.parse(Buffer.concat(chunks).toString()) as { id: string }).id)
    response.end()
  })
})

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'))
  port = await freePort()
  stripe = new Stripe('sk_test_killed', { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0 })
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  await start()
})
afterAll(async () => {
  await running.stop()
  hook.close()
  rmSync(folder, { recursive: true })
})

async function start(): Promise<void> {
  const args = ['--port', String(port), '--state', join(folder, 'state.json')]
  running = await startProcess('packages/stripe-simulator/src/main.ts', { port, args })
}

/** What the workers were answered, by id: the state of the object in the last answer. */
const acknowledged = { customers: new Map<string, string>(), subscriptions: new Set<string>() }
let asked = 0
let answers = 0
let killAfter = Number.POSITIVE_INFINITY
let restart: Promise<void> | undefined
let kills = 0

/** Repeats a call under its key until it is answered: the process may die before and after it did its work. */
async function answered<T>(call: (options: { idempotencyKey: string }) => Promise<T>): Promise<T> {
  const options = { idempotencyKey: `key-${++asked}` }
  for (;;) {
    try {
      const answer = await call(options)
      if (++answers >= killAfter && kills < KILLS) killNow()
      return answer
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeConnectionError)) throw error
      await restart
    }
  }
}

function killNow(): void {
  kills++
  killAfter = Number.POSITIVE_INFINITY
  restart = (async () => {
    await running.kill()
    await start()
    killAfter = answers + 1 + random.below(60)
  })()
}

async function signUp(name: string, price: string): Promise<void> {
  const { id } = await answered((options) => stripe.customers.create({ name }, options))
  acknowledged.customers.set(id, '')
  const { id: card } = await answered((options) =>
    stripe.paymentMethods.attach('pm_card_visa', { customer: id }, options),
  )
  await answered((options) =>
    stripe.customers.update(id, { invoice_settings: { default_payment_method: card } }, options),
  )
  const params = { customer: id, items: [{ price }] }
  const subscription = await answered((options) => stripe.subscriptions.create(params, options))
  acknowledged.subscriptions.add(subscription.id)
  for (const step of ['1', '2', '3']) {
    await answered((options) => stripe.customers.update(id, { metadata: { step } }, options))
    acknowledged.customers.set(id, step)
  }
}

test(`${KILLS} kills under load lose nothing that was answered`, async () => {
  const { port: hookPort } = hook.address() as AddressInfo
  await stripe.webhookEndpoints.create({ url: `http://127.0.0.1:${hookPort}`, enabled_events: ['*'] })
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 1000,
    recurring: { interval: 'month' },
    product_data: { name: 'Team' },
  })
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: JAN_1 })
  const grace = await stripe.customers.create({ name: 'Grace', test_clock: clock.id })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: grace.id })
  const monthly = await stripe.subscriptions.create({
    customer: grace.id,
    items: [{ price: price.id }],
    default_payment_method: card.id,
  })

  let months = 0
  const turnClock = async () => {
    // While it turns it refuses another turn; a restart goes on by itself.
    const { status } = await answered(() => stripe.testHelpers.testClocks.retrieve(clock.id))
    if (status !== 'ready') return
    const to = JAN_1 + (months + 1) * 31 * DAY
    await answered((options) => stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: to }, options))
    months++
  }
  let begun = 0
  const work = async () => {
    while (kills < KILLS) {
      await signUp(`customer ${++begun}`, price.id)
      await answered(() => stripe.customers.list({ limit: 3 }))
    }
  }
  const clockWork = async () => {
    while (kills < KILLS) await turnClock()
  }
  killAfter = 20
  await Promise.all([clockWork(), ...Array.from({ length: WORKERS }, work)])
  await restart
  const idle = (await (await fetch(`http://127.0.0.1:${port}/_simulator/idle?timeout_ms=60000`)).json()) as {
    idle: boolean
  }
  expect(idle).toMatchObject({ idle: true })

  // Each customer once, as the last answer showed it.
  const customers = await stripe.customers.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })
  expect(customers.map(({ id }) => id).sort()).toEqual([...acknowledged.customers.keys()].sort())
  expect(new Map(customers.map(({ id, metadata }) => [id, metadata.step ?? '']))).toEqual(
    acknowledged.customers,
  )
  // Each subscription once, and whole: its first invoice is paid.
  const subscriptions = await stripe.subscriptions
    .list({ price: price.id, limit: 100, expand: ['data.latest_invoice'] })
    .autoPagingToArray({ limit: 10_000 })
  const own = subscriptions.filter(({ test_clock }) => test_clock === null)
  expect(own.map(({ id }) => id).sort()).toEqual([...acknowledged.subscriptions].sort())
  for (const { status, latest_invoice: invoice } of own) {
    expect({ status, invoice }).toMatchObject({ status: 'active', invoice: { status: 'paid', total: 1000 } })
  }
  // The clock stands where it was sent, and every month that began before then was billed once.
  const at = await stripe.testHelpers.testClocks.retrieve(clock.id)
  expect(at).toMatchObject({ status: 'ready', frozen_time: JAN_1 + months * 31 * DAY })
  const invoices = await stripe.invoices.list({ subscription: monthly.id, limit: 100 })
  const begunMonths = monthsBegun(JAN_1, at.frozen_time)
  expect(invoices.data).toHaveLength(begunMonths)
  // Every event reached the endpoint, and no event that reached it is forgotten.
  const events = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })
  const listed = events.map(({ id }) => id)
  expect([...received].sort()).toEqual(listed.sort())
  expect(kills).toBe(KILLS)
})

/** How many months began on a first of the month from one moment to another, both included. */
function monthsBegun(from: number, to: number): number {
  const [a, b] = [new Date(from * 1000), new Date(to * 1000)]
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth() + 1
}
