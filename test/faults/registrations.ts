import { Problem } from '@lockstep/core/problem'
import { beginRegistration } from '@lockstep/service/workflow/begin-registration'
import { cancelRegistration } from '@lockstep/service/workflow/cancel-registration'
import { doDue } from '@lockstep/service/workflow/due'
import { workflowKinds } from '@lockstep/service/workflow/kinds'
import { lookAt } from '@lockstep/service/workflow/look'
import { makeWorkflows, type Workflows } from '@lockstep/service/workflow/workflows'
import type { Simulator } from 'stripe-simulator'
import { purchaseCatalog } from '../../packages/service/test/support/catalogs.ts'
import { type Installation, newInstallation } from '../../packages/service/test/support/installation.ts'
import { mortalConnection } from '../../packages/service/test/support/mortal.ts'
import { seeded } from '../support/random.ts'
import { newSimulator } from '../support/simulator.ts'
import { checkRegistered, type Ended } from './check-registered.ts'
import { newCustomer, type Touched } from './customer.ts'
import { inLanes } from './lanes.ts'
import { arm } from './weather.ts'
import { wishes } from './wishes.ts'

/** The calls of a registration and of its undoing, as the simulator knows them. */
const CALLS = [
  'POST /v1/customers',
  'POST /v1/payment_methods/*/attach',
  'POST /v1/customers/*',
  'POST /v1/subscriptions',
  'POST /v1/subscriptions/*',
  'POST /v1/subscription_schedules*',
  'POST /v1/invoices*',
  'POST /v1/invoiceitems',
  'POST /v1/checkout/sessions*',
  'GET /v1/checkout/sessions*',
  'GET /v1/subscriptions/*',
  'DELETE /v1/subscriptions/*',
  'GET *',
] as const
/** Statements of the longest registration that is not interrupted; every one of them is a place to die. */
const LONGEST_LIFE = 90
/** The same from the customer's deed on. */
const LONGEST_REST = 60
const MOST_LIVES = 40
const DAY_AND_MORE = 25 * 3600
/** How we hear of what the customer did; where neither comes, the deadline has us look. */
const NEWS = ['event', 'return', 'deadline'] as const
const LANES = 3

export interface RegistrationRuns {
  readonly runs: number
  readonly seed: number
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
export async function crashRegistrations({ runs, seed }: RegistrationRuns): Promise<RegistrationVerdict> {
  const ended: Record<Ended, number> = { unasked: 0, completed: 0, rolledBack: 0, parked: 0 }
  let deaths = 0
  const breaches = await inLanes({ runs, seed, lanes: LANES }, newLane, async (lane, own) => {
    const verdict = await crashOne(lane, own)
    ended[verdict.ended] += 1
    deaths += verdict.deaths
    return verdict.breaches
  })
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
  const installation = await newInstallation(simulator, purchaseCatalog)
  const close = async () => {
    await simulator.close()
    await installation.close()
  }
  return { simulator, installation, close }
}

async function crashOne(lane: Lane, seed: number) {
  const { simulator, installation } = lane
  const random = seeded(seed)
  const wish = random.pick(wishes)
  const externalId = `user_${seed}`
  const customer = wish.customer && newCustomer(lane, externalId, wish.customer)
  const news = random.pick(NEWS)
  let touched: Touched | undefined
  let acted = false
  let shift = 0
  const clock = { now: () => installation.deps.clock.now() + shift }
  let deaths = 0

  /** One process: asks, or goes on with what the last one left; dies after so many statements. */
  async function live(statements: number): Promise<void> {
    const connection = mortalConnection(installation.database.url, statements)
    const deps = { ...installation.deps, ...connection, clock }
    const workflows: Workflows = makeWorkflows(
      deps,
      workflowKinds({ ...deps, drainInbox: async () => 0, doDue: async () => 0 }),
    )
    const { plan, paymentMethod, coupons, onPage } = wish
    const wanted = {
      externalId,
      plan,
      quantity: 1,
      ...(paymentMethod && { paymentMethod }),
      ...(onPage && { paymentPage: { returnUrl: 'https://app.example/welcome' } }),
      ...(coupons && { coupons }),
    }
    try {
      const begun = await beginRegistration(deps, wanted, { operation: externalId, mayGivePlans: false })
      if (begun.workflow) workflows.begin(begun.workflow.id, begun.workflow.holder)
      else {
        if (acted) await hear()
        await workflows.resumeDue()
        await doDue({ ...deps, workflows, requestSync: async () => {} })
      }
    } catch (error) {
      if (!connection.died() && !(error instanceof Problem)) throw error
    } finally {
      await workflows.close()
      if (connection.died()) deaths += 1
      await connection.close()
    }

    async function hear(): Promise<void> {
      const known = await standing(installation, externalId)
      if (wish.customer === 'gives up') await cancelRegistration({ db: connection.db, workflows }, known, 20)
      else if (touched && news === 'event') await lookAt(deps, touched)
      else if (touched && news === 'return') await workflows.resume(known.workflowId)
    }
  }

  /** Stripe forgets our keys meanwhile: whoever sends an old one again makes a second object. */
  function passADay(): void {
    shift += DAY_AND_MORE
    simulator.control.pruneKeys()
  }

  async function die(times: number, longest: number): Promise<void> {
    for (let left = times; left > 0; left -= 1) {
      await nobodyHasIt(installation)
      await live(1 + random.below(longest))
    }
  }

  /** Perhaps before we know that we wait for it. */
  async function act(): Promise<void> {
    if (!customer || acted) return
    touched = await customer.act()
    const waits = (await standing(installation, externalId)).state === 'requiresAction'
    acted =
      touched !== undefined || (waits && (wish.customer === 'stays away' || wish.customer === 'gives up'))
    if (acted && (news === 'deadline' || wish.customer === 'stays away')) passADay()
  }

  if (wish.known) {
    const before = { externalId, plan: 'free', slot: 'before', paymentMethod: 'pm_card_mastercard' }
    const { status, body } = await installation.ask('POST', '/v1/registrations', before)
    if (status !== 201)
      throw new Error(`${externalId} could not be made known: ${status} ${JSON.stringify(body)}`)
  }
  // In every fourth run an answer is lost for more than a day: Stripe's memory of our key is not to be
  // relied on any more, and only a look can tell what was made.
  const lost = random.below(4) === 0
  if (lost) {
    const path = random.pick(['/v1/customers', wish.onPage ? '/v1/checkout/sessions' : '/v1/subscriptions'])
    simulator.control.fail({ kind: 'timeout_after_commit', method: 'POST', path, times: 99 })
  } else arm(simulator, random, CALLS)
  await live(lost ? Number.POSITIVE_INFINITY : 1 + (seed % LONGEST_LIFE))
  await die(random.below(3), LONGEST_LIFE)
  if (lost || random.below(6) === 0) passADay()
  if (customer) {
    await act()
    for (let lives = 0; lives < MOST_LIVES && !acted; lives += 1) {
      simulator.control.clearFaults()
      await nobodyHasIt(installation)
      await live(Number.POSITIVE_INFINITY)
      await act()
    }
    arm(simulator, random, CALLS)
    await die(1 + random.below(3), LONGEST_REST)
  }
  // The weather clears, and whoever asked asks again until there is an answer.
  simulator.control.clearFaults()
  for (let lives = 0; lives < MOST_LIVES && !(await standing(installation, externalId)).over; lives += 1) {
    await nobodyHasIt(installation)
    await live(Number.POSITIVE_INFINITY)
  }
  return { deaths, ...(await checkRegistered(installation, externalId, wish)) }
}

/** The leases of the dead run out, and whoever waits waits no longer: time passes without being waited for. */
export async function nobodyHasIt({ database }: Installation): Promise<void> {
  await database.pool.query(
    `update workflow set lease_until = null, next_attempt_at = null where ended_at is null`,
  )
  await database.pool.query(
    `update due set attempts = 0, next_attempt_at = null, clock_stood_at = null where settled_at is null`,
  )
}

interface Standing {
  readonly id: string
  readonly workflowId: string
  readonly state: string
  readonly over: boolean
}

async function standing({ database }: Installation, externalId: string): Promise<Standing> {
  const { rows } = await database.pool.query<Standing>(
    `select r.id, w.id as "workflowId", w.state, w.ended_at is not null or w.state = 'parked' as over
     from workflow w join registration r on r.workflow_id = w.id where r.operation = $1`,
    [externalId],
  )
  return rows[0] ?? { id: '', workflowId: '', state: 'unasked', over: false }
}
