import { Problem } from '@lockstep/core/problem'
import { drainInbox } from '@lockstep/service/inbox/process'
import { doDue } from '@lockstep/service/workflow/due'
import { syncSubscription } from '@lockstep/service/workflow/sync-invoice'
import { type BillingWorld, newBillingWorld } from '../../packages/service/test/support/billing-world.ts'
import { mortalConnection } from '../../packages/service/test/support/mortal.ts'
import { seeded } from '../support/random.ts'
import { inLanes } from './lanes.ts'
import { newBurdens } from './sync/burdens.ts'
import { checkBilled } from './sync/check.ts'
import { goOn, type Turn, turnKeys, turns } from './sync/turns.ts'
import { newUsage } from './sync/usage.ts'
import { catalog, planKeys } from './sync/wares.ts'
import { arm } from './weather.ts'

/** The calls of a sync, as the simulator knows them. */
const CALLS = [
  'POST /v1/invoiceitems',
  'POST /v1/invoiceitems/*',
  'DELETE /v1/invoiceitems/*',
  'POST /v1/invoices',
  'POST /v1/coupons',
  'GET /v1/invoiceitems*',
  'GET /v1/invoices*',
  'GET /v1/subscriptions/*',
  'GET *',
] as const

/** Statements of a sync of two lines that is not interrupted; every one of them is a place to die. */
const LONGEST_SYNC = 60
const DAY_AND_MORE = 25 * 3600
const LANES = 3
/** A crowd of regions takes hundreds of calls. */
const CROWDS_ONE_IN = 40

/** How the days begin on which something is used. */
const FEBRUARY = '2026-02-0'
const MARCH = '2026-03-0'

const AT_ONCE = Date.UTC(2026, 1, 10, 10, 20, 30) / 1000
const RENEWAL = Date.UTC(2026, 1, 28) / 1000
/** Where the first period ends. */
const edgeAfter: Readonly<Record<Turn, number>> = {
  renewed: RENEWAL,
  swallowed: RENEWAL,
  anchored: AT_ONCE,
  canceled: AT_ONCE,
  meddledWith: RENEWAL,
  drafted: RENEWAL,
  paused: AT_ONCE,
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
  const met = Object.fromEntries(turnKeys.map((turn) => [turn, 0])) as Record<Turn, number>
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
  // The one before may have broken off.
  simulator.control.clearFaults()
  const random = seeded(seed)
  const plan = random.pick(planKeys)
  // What is promised is promised for the time before a pause, which no price list says.
  const turn = random.pick(turnKeys.filter((one) => !(one === 'paused' && plan === 'least')))
  const isCrowd = random.below(CROWDS_ONE_IN) === 0
  const payer = await world.register(plan, '2026-01-31T00:00:00Z')
  const usage = newUsage(world, payer, random)
  const burdens = newBurdens(world, payer, plan, random)
  let deaths = 0

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

  await world.turn(payer, '2026-02-10T10:20:30Z')
  await world.deliver()
  await usage.some(FEBRUARY)
  if (isCrowd) await usage.crowd('2026-02-02T12:00:00Z')
  arm(simulator, random, CALLS)
  await live(1 + (seed % LONGEST_SYNC), sync)
  simulator.control.clearFaults()
  for (let rounds = random.below(3); rounds > 0; rounds -= 1) {
    await usage.some(FEBRUARY)
    await die(1 + random.below(2))
  }
  await burdens.lay()
  await die(random.below(2))
  await turns[turn](world, payer, random)
  const edge = edgeAfter[turn]
  const around = () => usage.aroundEdge(edge, { hasNext: turn !== 'canceled' })
  if (edge === AT_ONCE) await around()
  if (random.below(2) === 0) await usage.some(FEBRUARY)
  await die(random.below(3))
  await settle()

  await world.turn(payer, '2026-03-03T00:00:00Z')
  if (random.below(2) === 0) await usage.some(FEBRUARY)
  await goOn(world, payer, turn)
  await die(random.below(2))
  await world.deliver()
  // Nobody takes usage in of a time that is still to come.
  if (edge !== AT_ONCE) await around()
  if (turn !== 'canceled') {
    await usage.some(MARCH)
    if (isCrowd) await usage.crowd('2026-03-02T12:00:00Z')
    await burdens.adjust()
  }
  await die(random.below(3))
  const days = [
    '2026-03-04T00:00:00Z',
    '2026-03-31T00:00:00Z',
    '2026-03-31T02:00:00Z',
    '2026-04-30T02:00:00Z',
  ]
  for (const day of days) {
    await settle()
    await world.turn(payer, day)
    // Long after its invoice.
    if (day > '2026-03-31' && random.below(3) === 0) {
      await usage.some(turn === 'canceled' ? FEBRUARY : random.pick([FEBRUARY, MARCH]))
      await die(random.below(2))
    }
  }
  await settle()
  if (isCrowd && turn !== 'canceled')
    for (const month of ['2026-02-01', '2026-03-01', '2026-04-29']) await usage.crowd(`${month}T12:00:00Z`)
  // What is late comes with the next invoice, and of a crowd not all of it with one.
  for (const day of [
    '2026-05-31T02:00:00Z',
    ...(isCrowd ? ['2026-06-30T02:00:00Z', '2026-07-31T02:00:00Z'] : []),
  ]) {
    await die(random.below(2))
    await settle()
    await world.turn(payer, day)
  }
  await settle()
  const breaches = await checkBilled(world, payer, { plan, usage, ...burdens.laid() })
  const what = [plan, turn, ...burdens.names(), ...(isCrowd ? ['crowd'] : [])].join(', ')
  return { deaths, turn, breaches: breaches.map((breach) => `${what}: ${breach}`) }
}
