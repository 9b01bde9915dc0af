import { defineCatalog } from '@lockstep/core/catalog'
import { Problem } from '@lockstep/core/problem'
import { beginRegistration } from '@lockstep/service/workflow/begin-registration'
import { workflowKinds } from '@lockstep/service/workflow/kinds'
import { makeWorkflows } from '@lockstep/service/workflow/workflows'
import type { Simulator } from 'stripe-simulator'
import { type Installation, newInstallation } from '../../packages/service/test/support/installation.ts'
import { mortalConnection } from '../../packages/service/test/support/mortal.ts'
import { seeded } from '../support/random.ts'
import { newSimulator } from '../support/simulator.ts'
import { checkRegistered, type Ended } from './check-registered.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  coupons: { half: { name: 'Half', percentOff: '50', duration: 'once' } },
  plans: {
    course: {
      name: 'Course',
      product: 'app',
      interval: 'month',
      purchase: 'course',
      payments: 3,
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
    },
    ticket: {
      name: 'Ticket',
      product: 'app',
      interval: 'month',
      purchase: 'event_ticket',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
    },
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
    },
    free: {
      name: 'Free',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
    },
    trial: {
      name: 'Trial',
      product: 'app',
      interval: 'month',
      trialDays: 31,
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
    },
  },
})

/** What is asked, and how it ends whatever breaks on the way. */
const wishes = [
  { name: 'paid', plan: 'team', paymentMethod: 'pm_card_visa', end: 'completed', charges: 1 },
  { name: 'free', plan: 'free', end: 'completed', charges: 0 },
  { name: 'trial', plan: 'trial', end: 'completed', charges: 0 },
  // Attaches, and every charge is declined.
  {
    name: 'declined',
    plan: 'team',
    paymentMethod: 'pm_card_chargeCustomerFail',
    end: 'rolledBack',
    charges: 0,
  },
  // Cannot even be attached.
  {
    name: 'reduced',
    plan: 'team',
    paymentMethod: 'pm_card_visa',
    coupons: ['half'],
    end: 'completed',
    charges: 1,
  },
  { name: 'course', plan: 'course', paymentMethod: 'pm_card_visa', end: 'completed', charges: 1 },
  // One invoice: no subscription comes of it, and its slot is given back.
  { name: 'ticket', plan: 'ticket', paymentMethod: 'pm_card_visa', end: 'completed', charges: 1, lives: 0 },
  { name: 'refused', plan: 'team', paymentMethod: 'pm_card_chargeDeclined', end: 'rolledBack', charges: 0 },
] as const satisfies readonly Wish[]

interface Wish {
  readonly name: string
  readonly plan: string
  readonly paymentMethod?: string
  readonly end: 'completed' | 'rolledBack'
  readonly charges: number
  readonly coupons?: readonly string[]
  /** Live subscriptions that come of it; 1 unless given. */
  readonly lives?: number
}

/** The calls of a registration and of its undoing, as the simulator knows them. */
const CALLS = [
  'POST /v1/customers',
  'POST /v1/payment_methods/*/attach',
  'POST /v1/customers/*',
  'POST /v1/subscriptions',
  'POST /v1/subscription_schedules*',
  'POST /v1/invoices*',
  'POST /v1/invoiceitems',
  'GET /v1/subscriptions/*',
  'DELETE /v1/subscriptions/*',
  'GET *',
] as const
const FAULTS = [
  'error_500',
  'error_500_stored',
  'timeout_before_commit',
  'timeout_after_commit',
  'truncated',
  'rate_limit',
  'lock_timeout',
] as const

/** Statements of the longest registration that is not interrupted; every one of them is a place to die. */
const LONGEST_LIFE = 90
const MOST_LIVES = 40
const DAY_AND_MORE = 25 * 3600
const LANES = 3

export interface RegistrationRuns {
  readonly runs: number
  readonly seed: number
  readonly onRun?: (done: number) => void
}

export interface RegistrationVerdict {
  readonly ended: Readonly<Record<Ended, number>>
  readonly deaths: number
  /** One sentence for each promise that was broken, with the seed of its run. */
  readonly breaches: readonly string[]
}

/**
 * Registers again and again in processes that die after a number of statements, at a provider that fails
 * as its seed says, and looks at both sides after each. The first death comes after a statement that
 * the seed counts through, so that every statement is died after.
 */
export async function crashRegistrations({
  runs,
  seed,
  onRun,
}: RegistrationRuns): Promise<RegistrationVerdict> {
  const ended: Record<Ended, number> = { unasked: 0, completed: 0, rolledBack: 0, parked: 0 }
  const breaches: string[] = []
  let [next, done, deaths] = [0, 0, 0]
  async function lane(): Promise<void> {
    const world = await newLane()
    try {
      while (next < runs) {
        const number = next
        next += 1
        const verdict = await crashOne(world, seed + number)
        ended[verdict.ended] += 1
        deaths += verdict.deaths
        breaches.push(...verdict.breaches.map((breach) => `seed ${seed + number}: ${breach}`))
        done += 1
        onRun?.(done)
      }
    } finally {
      await world.close()
    }
  }
  await Promise.all(Array.from({ length: Math.min(LANES, runs) }, lane))
  return { ended, deaths, breaches }
}

interface Lane {
  readonly simulator: Simulator
  readonly installation: Installation
  close(): Promise<void>
}

/** A database and a Stripe of its own: faults are one registration's, and lists are short. */
async function newLane(): Promise<Lane> {
  const simulator = await newSimulator()
  const installation = await newInstallation(simulator, catalog)
  const close = async () => {
    await simulator.close()
    await installation.close()
  }
  return { simulator, installation, close }
}

async function crashOne({ simulator, installation }: Lane, seed: number) {
  const random = seeded(seed)
  const wish: Wish = random.pick(wishes)
  const externalId = `user_${seed}`
  let shift = 0
  const clock = { now: () => installation.deps.clock.now() + shift }
  let deaths = 0

  /** One process: asks, or goes on with what the last one left; dies after so many statements. */
  async function live(statements: number): Promise<void> {
    const connection = mortalConnection(installation.database.url, statements)
    const deps = { ...installation.deps, ...connection, clock }
    const workflows = makeWorkflows(
      deps,
      workflowKinds({ ...deps, drainInbox: async () => 0, doDue: async () => 0 }),
    )
    const { plan, paymentMethod, coupons } = wish
    const wanted = {
      externalId,
      plan,
      quantity: 1,
      ...(paymentMethod && { paymentMethod }),
      ...(coupons && { coupons }),
    }
    try {
      const begun = await beginRegistration(deps, wanted, { operation: externalId, mayGivePlans: false })
      if (begun.workflow) workflows.begin(begun.workflow.id, begun.workflow.holder)
      else await workflows.resumeDue()
    } catch (error) {
      if (!connection.died() && !(error instanceof Problem)) throw error
    } finally {
      await workflows.close()
      if (connection.died()) deaths += 1
      await connection.close()
    }
  }

  // In every fourth run an answer is lost for more than a day: Stripe's memory of our key is not to be
  // relied on any more, and only a look can tell what was made.
  const lost = random.below(4) === 0
  if (lost) {
    const path = random.pick(['/v1/customers', '/v1/subscriptions'])
    simulator.control.fail({ kind: 'timeout_after_commit', method: 'POST', path, times: 99 })
  }
  for (let faults = lost ? 0 : random.below(3); faults > 0; faults -= 1) {
    const [method = '', path = ''] = random.pick(CALLS).split(' ')
    const times = random.pick([1, 2, 12])
    simulator.control.fail({ kind: random.pick(FAULTS), method, path, skip: random.below(2), times })
  }
  await live(lost ? Number.POSITIVE_INFINITY : 1 + (seed % LONGEST_LIFE))
  for (let again = random.below(3); again > 0; again -= 1) {
    await nobodyHasIt(installation)
    await live(1 + random.below(LONGEST_LIFE))
  }
  if (lost || random.below(6) === 0) shift = DAY_AND_MORE
  // The weather clears, and whoever asked asks again until there is an answer.
  simulator.control.clearFaults()
  for (let lives = 0; lives < MOST_LIVES && !(await isOver(installation, externalId)); lives += 1) {
    await nobodyHasIt(installation)
    await live(Number.POSITIVE_INFINITY)
  }
  return { deaths, ...(await checkRegistered(installation, externalId, wish)) }
}

/** The leases of the dead run out, and whoever waits waits no longer: time passes without being waited for. */
async function nobodyHasIt({ database }: Installation): Promise<void> {
  await database.pool.query(
    `update workflow set lease_until = null, next_attempt_at = null where ended_at is null`,
  )
}

async function isOver({ database }: Installation, externalId: string): Promise<boolean> {
  const { rows } = await database.pool.query(
    `select w.ended_at is not null or w.state = 'parked' as over from workflow w
     join registration r on r.workflow_id = w.id where r.operation = $1`,
    [externalId],
  )
  return rows[0]?.over === true
}
