import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@lockstep/sdk'
import { ConnectionError, ProblemError } from '@lockstep/sdk/problem-error'
import { wallClock } from '@lockstep/service/clock'
import { someAtOnce } from '@lockstep/service/some-at-once'
import type { Payer } from '../../../packages/service/test/support/billing-world.ts'
import { newDatabase } from '../../support/database.ts'
import { newEventReader } from '../../support/new-events.ts'
import { freePort, startProcess } from '../../support/process.ts'
import type { Random } from '../../support/random.ts'
import { newSimulator, patientStripe } from '../../support/simulator.ts'
import { wares } from './plans.ts'
import type { Answer, LifeWorld, Request, Stage } from './stage.ts'

const API_KEY = 'lk_key_of_the_killed_stage_0123456789abcdef'
const SECRET = 'whsec_of_the_killed_stage'
/** One of so many requests and deliveries takes the process with it. */
const EVERY = 25
/** After so long at most: long enough to answer, short enough to die before it. */
const LONGEST_LIFE_MS = 250
const DELIVERED_AT_ONCE = 8

export interface KilledStage extends Stage {
  kills(): number
}

/**
 * The whole service in a process of its own that is killed at random instants (SIGKILL) and started again. Whoever
 * asked asks the same once more, and what was not acknowledged is delivered again, as Stripe would.
 */
export async function newKilledStage(random: Random): Promise<KilledStage> {
  const database = await newDatabase()
  const simulator = await newSimulator({ settings: { unlimitedClocks: true } })
  const stripe = patientStripe(simulator)
  const port = await freePort()
  const baseUrl = `http://127.0.0.1:${port}`
  const start = () =>
    startProcess('packages/service/src/main.ts', {
      port,
      env: {
        ...{ DATABASE_URL: database.url, PORT: String(port), LOCKSTEP_ADMIN_KEY: API_KEY },
        ...{ STRIPE_API_KEY: 'sk_test_lockstep', STRIPE_API_BASE: simulator.url },
        STRIPE_WEBHOOK_SECRET: SECRET,
      },
    })
  let service = await start()
  let up = Promise.resolve()
  let kills = 0

  /** Not awaited: whatever is under way then is cut off. */
  function perhapsKill(): void {
    if (random.below(EVERY) !== 0) return
    kills += 1
    const life = random.below(LONGEST_LIFE_MS)
    up = up.then(async () => {
      await pause(life)
      await service.kill()
      service = await start()
    })
  }

  /** Until there is an answer. */
  async function insist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!isCutOff(error)) throw error
        await up
        await pause(10)
      }
    }
  }

  const client = createClient({ baseUrl, apiKey: API_KEY })
  const once = () => ({ idempotencyKey: randomUUID() })
  await insist(() => client.catalog.apply(wares, once()))

  async function ask({ method, url, payload, key }: Request): Promise<Answer> {
    perhapsKill()
    return insist(async () => {
      const response = await fetch(`${baseUrl}${url}`, {
        method,
        headers: {
          authorization: `Bearer ${API_KEY}`,
          ...(method !== 'GET' && { 'idempotency-key': key }),
          ...(payload && { 'content-type': 'application/json' }),
        },
        ...(payload && { body: JSON.stringify(payload) }),
      })
      const answer = { status: response.status, body: (await response.json()) as Answer['body'] }
      if (answer.body.code === 'idempotency_key_in_use') throw new StillAtWork(url)
      return answer
    })
  }

  let counter = 0
  const world: LifeWorld = {
    stripe,
    simulator,
    pool: database.pool,
    async register(plan, frozenTime, { paymentMethod = 'pm_card_visa', ...more } = {}) {
      counter += 1
      const externalId = `user_${counter}`
      const [clockKey, key] = [once(), once()]
      const clock = await insist(() => client.testClocks.create({ frozenTime, name: externalId }, clockKey))
      const wanted = { externalId, plan, paymentMethod, testClock: clock.id, ...more }
      const begun = await insist(() => client.registrations.create(wanted as never, key))
      const { state, customer, subscription } = await insist(() => client.registrations.ended(begun.id))
      if (state !== 'completed' || subscription === null) throw new Error(`Registration ${state}.`)
      const { providerId } = await insist(() => client.subscriptions.read(subscription))
      const theirs = await stripe.subscriptions.retrieve(providerId ?? '')
      return {
        ...{ externalId, customerId: customer, subscriptionId: subscription, subscription: theirs.id },
        ...{ customer: theirs.customer as string, testClock: theirs.test_clock as string },
      }
    },
    async turn({ testClock }, time) {
      await stripe.testHelpers.testClocks.advance(testClock, { frozen_time: Date.parse(time) / 1000 })
      const { idle } = await simulator.control.idle({ timeoutMs: 600_000 })
      if (!idle) throw new Error('The clock does not come to rest.')
    },
    async use({ externalId }, quantity, time) {
      const event = { source: 'lives', id: randomUUID(), type: 'seconds', subject: externalId, time }
      await insist(() => client.usage.send([{ ...event, data: { quantity } }]))
    },
    async sync({ customerId, subscriptionId }: Payer) {
      const { subscriptions } = await insist(() => client.customers.billing(customerId))
      for (const { subscription, currentInvoice, closingInvoices } of subscriptions)
        for (const invoice of subscription.id === subscriptionId ? [currentInvoice, ...closingInvoices] : [])
          if (invoice) await insist(() => client.invoices.sync(invoice.id)).catch(unlessConflict)
    },
  }

  const newEvents = newEventReader(stripe)
  async function deliver(order: Random): Promise<number> {
    const events = await newEvents()
    const twice = events.filter(() => order.below(8) === 0)
    await someAtOnce(order.shuffle([...events, ...twice]), DELIVERED_AT_ONCE, async (event) => {
      perhapsKill()
      const body = JSON.stringify(event)
      await insist(async () => {
        const at = wallClock.now()
        const mac = createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex')
        const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${mac}` }
        const { status } = await fetch(`${baseUrl}/webhooks/stripe`, { method: 'POST', headers, body })
        if (status !== 200) throw new StillAtWork(`a delivery, ${status}`)
      })
    })
    await atRest()
    return events.length
  }

  /** Nothing waits in the inbox, nothing is due in a customer's time, and no workflow runs. */
  async function atRest(): Promise<void> {
    for (;;) {
      await up
      const { rows } = await database.pool.query<{ busy: unknown }>(`
        select (select count(*) from provider_event where state = 'received')
             + (select count(*) from workflow where state in ('running', 'compensating') and action is null)
             + (select count(*) from due d join customer c on c.id = d.customer_id
                  join test_clock t on t.id = c.test_clock_id
                 where d.settled_at is null and d.due_at <= t.frozen_at) as busy`)
      if (Number(rows[0]?.busy) === 0) return
      await pause(50)
    }
  }

  return {
    world,
    ask,
    kills: () => kills,
    async settle(order) {
      while ((await deliver(order)) > 0);
    },
    async close() {
      await up
      await service.stop()
      await simulator.close()
      await database.drop()
    },
  }
}

/** It does not answer this yet. */
class StillAtWork extends Error {}

function isCutOff(error: unknown): boolean {
  if (error instanceof StillAtWork || error instanceof ConnectionError) return true
  if (error instanceof ProblemError)
    return error.status >= 502 || error.status === 429 || error.code === 'idempotency_key_in_use'
  // What `fetch` throws where there is no answer.
  return error instanceof TypeError
}

/** What was made final in between is not synchronised any more. */
function unlessConflict(error: unknown): void {
  if (!(error instanceof ProblemError && error.status === 409)) throw error
}
