import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ConnectionError, ProblemError } from '@lockstep/sdk/problem-error'
import { atRest } from '../support/at-rest.ts'
import { checkWorld } from '../support/check-world.ts'
import { everyCustomer } from '../support/everything.ts'
import { type Random, seeded } from '../support/random.ts'
import { newWorld, type World } from '../support/world.ts'

export interface CrashRun {
  /** How often the service is killed. */
  readonly runs: number
  readonly seed: number
  /** What the service is doing when it dies. */
  readonly work: 'registration' | 'sync'
  readonly onKill?: (kills: number, state: string) => void
}

export interface CrashVerdict {
  readonly registered: number
  readonly usageEvents: number
  readonly invoices: number
  /** One sentence for each promise that was broken. */
  readonly breaches: readonly string[]
}

/** Killed at most this long after it listens: long enough for many requests, short enough for many kills. */
const LONGEST_LIFE_MS = 1500
/** With these the syncs begin; they register before the first kill. */
const FIRST_CUSTOMERS = 4
const START = '2026-01-31T09:30:00Z'
const RENEWAL = '2026-02-28T09:30:00Z'
const AFTER_RENEWAL = '2026-02-28T12:00:00Z'
const THREE_DAYS_LATER = '2026-03-04T00:00:00Z'

const requests = {
  meter: 'requests',
  product: 'requests',
  model: 'perUnit' as const,
  unitAmount: '0.01',
}

const catalog = {
  currency: 'usd',
  products: { hosting: { name: 'Hosting' }, requests: { name: 'Requests' } },
  meters: { requests: { name: 'Requests', unitLabel: 'request', aggregation: 'sum' as const } },
  plans: {
    metered: {
      name: 'Metered',
      product: 'hosting',
      interval: 'month' as const,
      prices: {
        fee: { kind: 'recurring' as const, model: 'flat' as const, amount: '10.00' },
        requests,
      },
    },
    // Its months end when those of the other do, inside of a year.
    annual: {
      name: 'Annual',
      product: 'hosting',
      interval: 'year' as const,
      usageInterval: 'month' as const,
      prices: {
        fee: { kind: 'recurring' as const, model: 'flat' as const, amount: '100.00' },
        requests,
      },
    },
  },
}

interface Customer {
  readonly externalId: string
  readonly plan: 'metered' | 'annual'
  readonly clock: string
  registration?: string
  id?: string
  /** The customer's own time; events carry it. */
  now: string
  /** Cents that the usage answered with 2xx is worth: one cent for each unit. */
  owed: bigint
  events: number
  turning: boolean
}

/**
 * Kills the service at random instants while it registers customers, takes usage in, synchronises and
 * turns clocks, starts it again each time, and then looks at what stands at Stripe. The callers behave as
 * a careful application does: what got no answer is asked again with the same key.
 */
export async function crash({ runs, seed, work, onKill }: CrashRun): Promise<CrashVerdict> {
  const world = await newWorld()
  const random = seeded(seed)
  const customers: Customer[] = []
  const target = work === 'registration' ? runs * 2 : Math.max(4, Math.ceil(runs / 4))
  let killing = true
  let up = Promise.resolve()

  /** Asks until there is an answer; the key makes all tries one request. */
  async function ask<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      await up
      try {
        return await request()
      } catch (error) {
        const again =
          error instanceof ConnectionError ||
          (error instanceof ProblemError &&
            (error.status >= 502 || error.status === 429 || error.code === 'idempotency_key_in_use'))
        if (!again) throw error
        await pause(10)
      }
    }
  }

  const { client } = world
  const once = () => ({ idempotencyKey: randomUUID() })

  async function register(): Promise<void> {
    const externalId = `user-${customers.length}`
    const [clockKey, key] = [once(), once()]
    const plan = customers.length % 3 === 2 ? 'annual' : 'metered'
    const customer: Customer = {
      externalId,
      plan,
      clock: '',
      now: START,
      owed: 0n,
      events: 0,
      turning: false,
    }
    customers.push(customer)
    const clock = await ask(() => client.testClocks.create({ frozenTime: START, name: externalId }, clockKey))
    const registration = await ask(() =>
      client.registrations.create(
        { externalId, plan, paymentMethod: 'pm_card_visa', testClock: clock.id },
        key,
      ),
    )
    Object.assign(customer, { clock: clock.id, registration: registration.id })
    const ended = await ask(() => client.registrations.ended(registration.id))
    if (ended.state !== 'completed')
      throw new Error(`${externalId} ended ${ended.state}: ${JSON.stringify(ended.problem)}`)
    customer.id = ended.customer
  }

  async function use(customer: Customer): Promise<void> {
    const count = 1 + random.below(20)
    const events = Array.from({ length: count }, () => ({
      source: 'crash-test',
      id: randomUUID(),
      type: 'requests',
      subject: customer.externalId,
      time: customer.now,
      data: { quantity: String(1 + random.below(9)) },
    }))
    await ask(() => client.usage.send(events))
    customer.events += count
    customer.owed += events.reduce((sum, { data }) => sum + BigInt(data.quantity), 0n)
  }

  async function synchronise(customer: Customer): Promise<void> {
    const id = customer.id
    if (id === undefined) return
    const billing = await ask(() => client.customers.billing(id))
    for (const { currentInvoice, closingInvoices } of billing.subscriptions)
      for (const invoice of [currentInvoice, ...closingInvoices])
        if (invoice) await ask(() => client.invoices.sync(invoice.id)).catch(frozenMeanwhile)
  }

  async function turn(customer: Customer): Promise<void> {
    if (customer.turning) return
    customer.turning = true
    await turnOn(customer, AFTER_RENEWAL)
    customer.now = AFTER_RENEWAL
  }

  async function turnOn({ clock }: Customer, to: string): Promise<void> {
    await ask(() => client.testClocks.advance(clock, to)).catch(alreadyTurning)
    await ask(() => client.testClocks.ready(clock))
  }

  async function act(who: Random): Promise<void> {
    const ready = customers.filter(({ id }) => id !== undefined)
    const dice = who.below(100)
    if (customers.length < target && (ready.length === 0 || dice < (work === 'registration' ? 60 : 15)))
      return register()
    if (ready.length === 0) return pause(10)
    const customer = who.pick(ready)
    if (dice < 75) return use(customer)
    if (dice < 95 || work === 'registration') return synchronise(customer)
    return turn(customer)
  }

  try {
    await ask(() => client.catalog.apply(catalog, once()))
    if (work === 'sync') await Promise.all(Array.from({ length: FIRST_CUSTOMERS }, register))
    const actors = Array.from({ length: 6 }, async (_, index) => {
      const who = seeded(seed * 31 + index)
      while (killing) await act(who)
    })
    // An actor's error must end the run, also while we are busy killing.
    const failed = Promise.all(actors)
    failed.catch(() => {})

    for (let kills = 1; kills <= runs; kills += 1) {
      await Promise.race([pause(random.below(LONGEST_LIFE_MS)), failed])
      let started = () => {}
      up = new Promise((resolve) => {
        started = resolve
      })
      await world.kill()
      await world.start()
      started()
      onKill?.(kills, `${customers.length} customers`)
    }
    killing = false
    await failed

    await Promise.all(customers.map(turn))
    // A draft whose "created" met a dead service is held for up to three days.
    await Promise.all(customers.map((customer) => turnOn(customer, THREE_DAYS_LATER)))
    await atRest(world)
    await Promise.all(customers.map(synchronise))
    await atRest(world)
    const breaches = [...(await checkWorld(world)), ...(await billed(world, customers))]
    return {
      registered: customers.length,
      usageEvents: customers.reduce((sum, { events }) => sum + events, 0),
      invoices: customers.length,
      breaches,
    }
  } catch (error) {
    throw new Error(`The run with seed ${seed} broke off. The service said:\n${world.output()}`, {
      cause: error,
    })
  } finally {
    await world.close()
  }
}

const reasonOf = { metered: 'subscription_cycle', annual: 'automatic_pending_invoice_item_invoice' }

/** Every customer is billed for what was answered with 2xx, to the cent, whatever died in between. */
async function billed({ stripe }: World, customers: readonly Customer[]): Promise<string[]> {
  const breaches: string[] = []
  const atStripe = new Map<string, string>()
  for await (const customer of everyCustomer(stripe))
    atStripe.set(customer.metadata.lockstep_customer ?? customer.id, customer.id)
  for (const { id = '', externalId, plan, owed } of customers) {
    const customer = atStripe.get(id)
    if (customer === undefined) {
      breaches.push(`${externalId} is not at Stripe.`)
      continue
    }
    let sum = 0n
    for await (const item of stripe.invoiceItems.list({ customer, limit: 100 }))
      if (item.metadata?.lockstep_line !== undefined) sum += BigInt(item.amount)
    if (sum !== owed)
      breaches.push(`${externalId} used ${owed} cents' worth, but Stripe's items add up to ${sum}.`)

    const cycles: { status: string | null; period_end: number }[] = []
    for await (const invoice of stripe.invoices.list({ customer, limit: 100 }))
      if (invoice.billing_reason === reasonOf[plan]) cycles.push(invoice)
    const [cycle] = cycles
    // Of a month inside of a year there is one only where something was pending at its end.
    if (plan === 'annual' && cycle === undefined) continue
    if (cycles.length !== 1 || cycle?.status !== 'paid' || cycle.period_end !== Date.parse(RENEWAL) / 1000)
      breaches.push(
        `${externalId} has ${cycles.length} renewal invoices instead of one that is paid: ${cycles.map(({ status }) => status).join(', ')}.`,
      )
  }
  return breaches
}

/** Asking twice to sync an invoice that Stripe finalized in between is no breach. */
function frozenMeanwhile(error: unknown): void {
  if (!(error instanceof ProblemError && error.status === 409)) throw error
}

/** The first try was taken in before the service died; `ready` waits for its end. */
function alreadyTurning(error: unknown): void {
  if (
    !(
      error instanceof ProblemError &&
      (error.code === 'test_clock_busy' || error.code === 'test_clock_backwards')
    )
  )
    throw error
}
