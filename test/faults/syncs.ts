import { Problem } from '@lockstep/core/problem'
import { drainInbox } from '@lockstep/service/inbox/process'
import { doDue } from '@lockstep/service/workflow/due'
import { syncSubscription } from '@lockstep/service/workflow/sync-invoice'
import {
  type BillingWorld,
  newBillingWorld,
  type Payer,
} from '../../packages/service/test/support/billing-world.ts'
import { mortalConnection } from '../../packages/service/test/support/mortal.ts'
import { type Random, seeded } from '../support/random.ts'
import { inLanes } from './lanes.ts'
import { checkBilled } from './sync/check.ts'
import { catalog, meters, owed, type PlanKey, plans } from './sync/wares.ts'
import { arm } from './weather.ts'

/** The calls of a sync, as the simulator knows them. */
const CALLS = [
  'POST /v1/invoiceitems',
  'POST /v1/invoiceitems/*',
  'DELETE /v1/invoiceitems/*',
  'POST /v1/invoices',
  'GET /v1/invoiceitems*',
  'GET /v1/invoices*',
  'GET /v1/subscriptions/*',
  'GET *',
] as const

/** Statements of a sync of two lines that is not interrupted; every one of them is a place to die. */
const LONGEST_SYNC = 60
const DAY_AND_MORE = 25 * 3600
const LANES = 3

/** What becomes of the period of which the usage is told. */
const turns = {
  /** Its draft stays open for an hour; nobody may hear of it before that is over. */
  async renewed(world: BillingWorld, payer: Payer, random: Random) {
    await world.turn(payer, '2026-02-28T00:00:00Z')
    if (random.below(2) === 0) await world.deliver()
  },
  /** Somebody invoices in mid-cycle, and takes along what is pending. */
  async swallowed({ stripe }: BillingWorld, { customer, subscription }: Payer) {
    const wanted = { customer, subscription, pending_invoice_items_behavior: 'include' as const }
    const invoice = await stripe.invoices.create(wanted).catch(nothingToInvoice)
    if (invoice) await stripe.invoices.pay(invoice.id)
  },
  /** Somebody begins a new period now: there is no draft hour. */
  async anchored({ stripe }: BillingWorld, { subscription }: Payer) {
    await stripe.subscriptions.update(subscription, {
      billing_cycle_anchor: { type: 'now' },
      proration_behavior: 'none',
    })
  },
  async canceled({ stripe }: BillingWorld, { subscription }: Payer) {
    await stripe.subscriptions.cancel(subscription)
  },
  /** Somebody deletes an item that was not made there. */
  async meddledWith({ stripe }: BillingWorld, { customer }: Payer) {
    const { data } = await stripe.invoiceItems.list({ customer, pending: true })
    const [item] = data
    if (item) await stripe.invoiceItems.del(item.id)
  },
} as const
type Turn = keyof typeof turns
const TURNS = Object.keys(turns) as Turn[]

function nothingToInvoice(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'invoice_no_customer_line_items') return
  throw error
}

export interface SyncVerdict {
  readonly deaths: number
  readonly turns: Readonly<Record<Turn, number>>
  /** One sentence for each promise that was broken, with the seed of its run. */
  readonly breaches: readonly string[]
}

/**
 * Tells Stripe of usage again and again in processes that die after a number of statements, at a Stripe that fails as
 * the seed says, while the period ends in one way or another; and looks at both sides when two months have gone by. The
 * first death comes after a statement that the seed counts through, so that every statement is died after.
 */
export async function crashSyncs(run: {
  readonly runs: number
  readonly seed: number
}): Promise<SyncVerdict> {
  let deaths = 0
  const met = { renewed: 0, swallowed: 0, anchored: 0, canceled: 0, meddledWith: 0 }
  const breaches = await inLanes(
    { ...run, lanes: LANES },
    () => newBillingWorld({ catalog }),
    async (world, seed) => {
      const verdict = await crashOne(world, seed)
      deaths += verdict.deaths
      met[verdict.turn] += 1
      return verdict.breaches
    },
  )
  return { deaths, turns: met, breaches }
}

type Deps = BillingWorld['deps']

async function crashOne(world: BillingWorld, seed: number) {
  const { simulator, wall } = world
  const random = seeded(seed)
  const plan: PlanKey = random.pick(plans)
  const turn = random.pick(TURNS)
  const payer = await world.register(plan, '2026-01-31T00:00:00Z')
  const used = { first: { seconds: 0n, requests: 0n }, second: { seconds: 0n, requests: 0n } }
  let deaths = 0

  async function use(period: keyof typeof used): Promise<void> {
    const from = period === 'first' ? '2026-02-0' : '2026-03-0'
    for (let events = 1 + random.below(3); events > 0; events -= 1) {
      const meter = random.pick(meters)
      const quantity = 1 + random.below(60)
      used[period][meter] += BigInt(quantity)
      await world.use(payer, String(quantity), `${from}${1 + random.below(2)}T12:00:00Z`, meter)
    }
  }

  const sync = (deps: Deps) => syncSubscription(deps, payer.subscriptionId, { reason: 'faults' })
  const doWhatIsDue = (deps: Deps) => doDue({ ...deps, workflows: world.workflows })

  /** One process, which dies after so many statements. */
  async function live(statements: number, work: (deps: Deps) => Promise<unknown>): Promise<void> {
    const connection = mortalConnection(world.url, statements)
    try {
      await work({ ...world.deps, ...connection })
    } catch (error) {
      if (!connection.died() && !(error instanceof Problem)) throw error
    } finally {
      if (connection.died()) deaths += 1
      await connection.close()
    }
  }

  async function die(times: number): Promise<void> {
    for (let left = times; left > 0; left -= 1) {
      arm(simulator, random, CALLS)
      const work = random.pick([sync, sync, drainInbox, doWhatIsDue])
      await live(1 + random.below(LONGEST_SYNC), work)
      // The weather is another one for the next; and in some runs it is so late that Stripe knows our keys no more.
      simulator.control.clearFaults()
      if (random.below(8) === 0) {
        wall.time += DAY_AND_MORE
        simulator.control.pruneKeys()
      }
    }
  }

  /** The weather is fair, and everybody lives. */
  async function settle(): Promise<void> {
    await world.deliver()
    await doWhatIsDue(world.deps)
    await world.sync(payer)
    await world.deliver()
  }

  await world.turn(payer, '2026-02-10T00:00:00Z')
  await world.deliver()
  await use('first')
  arm(simulator, random, CALLS)
  await live(1 + (seed % LONGEST_SYNC), sync)
  simulator.control.clearFaults()
  for (let rounds = random.below(3); rounds > 0; rounds -= 1) {
    await use('first')
    await die(1 + random.below(2))
  }
  await turns[turn](world, payer, random)
  if (random.below(2) === 0) await use('first')
  await die(random.below(3))
  await settle()

  await world.turn(payer, '2026-03-03T00:00:00Z')
  if (random.below(2) === 0) await use('first')
  await die(random.below(2))
  await world.deliver()
  if (turn !== 'canceled') await use('second')
  await die(random.below(3))
  for (const day of [
    '2026-03-04T00:00:00Z',
    '2026-03-31T00:00:00Z',
    '2026-03-31T02:00:00Z',
    '2026-04-30T02:00:00Z',
  ]) {
    await settle()
    await world.turn(payer, day)
  }
  await settle()
  const worth = owed(plan, used.first) + owed(plan, used.second)
  const breaches = await checkBilled(world, payer, worth)
  return { deaths, turn, breaches: breaches.map((breach) => `${plan}, ${turn}: ${breach}`) }
}
