import { setImmediate as nextTurn } from 'node:timers/promises'
import { beginRegistration } from '@lockstep/service/workflow/begin-registration'
import { workflowKinds } from '@lockstep/service/workflow/kinds'
import { makeWorkflows } from '@lockstep/service/workflow/workflows'
import { expect, test } from 'vitest'
import { smallCatalog } from '../../packages/service/test/support/catalogs.ts'
import {
  atStripe,
  type Installation,
  newInstallation,
} from '../../packages/service/test/support/installation.ts'
import { mortalConnection } from '../../packages/service/test/support/mortal.ts'
import { type Random, seeded } from '../support/random.ts'
import { newSimulator } from '../support/simulator.ts'
import { nobodyHasIt } from './registrations.ts'
import { arm } from './weather.ts'

const SLOTS = ['first', 'second', 'third'] as const
const CARDS = [null, null, 'pm_card_visa', 'pm_card_mastercard', 'pm_card_chargeDeclined'] as const
/** A registration asks the database about so often. */
const LONGEST_LIFE = 24
const MOST_LIVES = 20
const UNDER_WAY_SECONDS = 60
const ROUNDS = 2 * LONGEST_LIFE

const simulator = await newSimulator()
const installation = await newInstallation(simulator, smallCatalog)

interface Process {
  readonly slot: string
  readonly paymentMethod?: string | null
  /** It is gone when it has asked so often. */
  readonly statements: number
  /** What happens before it asks the next time. */
  before?(asked: number): Promise<void>
}

/** One process registers in one slot. */
async function live(
  { database, deps }: Installation,
  externalId: string,
  { slot, paymentMethod, statements, before }: Process,
): Promise<void> {
  const connection = mortalConnection(database.url, statements)
  const { pool } = connection
  const connect = pool.connect.bind(pool)
  let asked = 0
  pool.connect = (async () => {
    asked += 1
    await before?.(asked)
    return connect()
  }) as typeof pool.connect
  const own = { ...deps, ...connection }
  const workflows = makeWorkflows(
    own,
    workflowKinds({ ...own, drainInbox: async () => 0, doDue: async () => 0 }),
  )
  const wish = { externalId, plan: 'free', quantity: 1, slot, ...(paymentMethod && { paymentMethod }) }
  try {
    const { workflow } = await beginRegistration(own, wish, {
      operation: `${externalId}/${slot}`,
      mayGivePlans: false,
    })
    if (workflow) workflows.begin(workflow.id, workflow.holder)
  } catch (error) {
    if (!connection.died()) throw error
  } finally {
    await workflows.close()
    await connection.close()
  }
}

/** Somebody gives up what is registered in a slot, if it is. */
async function giveUp({ database }: Installation, operation: string): Promise<void> {
  await database.pool.query(
    `update workflow w set withdrawal = '{"code": "registration_canceled", "detail": "Given up."}'
     from registration r where r.workflow_id = w.id and r.operation = $1 and w.ended_at is null`,
    [operation],
  )
}

/** Some turns of the event loop pass, so that the others come in between. */
async function turns(random: Random, most: number): Promise<void> {
  for (let left = random.below(most); left > 0; left -= 1) await nextTurn()
}

async function comeToRest(lives: Installation): Promise<void> {
  const { database, deps } = lives
  const open = async () =>
    (await database.pool.query(`select from workflow where ended_at is null and state <> 'parked'`)).rowCount
  for (let left = MOST_LIVES, shift = 0; left > 0 && (await open()) !== 0; left -= 1) {
    shift += UNDER_WAY_SECONDS
    const own = { ...deps, clock: { now: () => deps.clock.now() + shift } }
    const workflows = makeWorkflows(
      own,
      workflowKinds({ ...own, drainInbox: async () => 0, doDue: async () => 0 }),
    )
    await nobodyHasIt(lives)
    await workflows.resumeDue()
    await workflows.close()
  }
  expect(await open()).toBe(0)
}

test('three registrations of a new customer at once, one of them given up at any moment: never two customers', async () => {
  const made: Record<string, number> = {}
  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    const random = seeded(seed)
    const externalId = `new_${seed}`
    const givenUpAt = 1 + (seed % LONGEST_LIFE)
    if (random.below(4) > 0)
      simulator.control.fail({
        kind: 'slow',
        method: 'POST',
        path: '/v1/customers',
        ms: 5 + random.below(200),
        times: 1 + random.below(2),
      })
    arm(simulator, random, ['POST /v1/customers', 'POST /v1/customers', 'GET /v1/customers'])
    // Who is given up goes on when another has asked for so much more, or not at all any more.
    const isLate = random.below(3) > 0
    const lateness = random.below(LONGEST_LIFE)
    let others = { asked: 0, over: false }
    let wasGivenUp = false
    const other = async (slot: string): Promise<void> => {
      await live(installation, externalId, {
        slot,
        paymentMethod: random.pick(CARDS),
        statements: random.below(4) === 0 ? 1 + random.below(60) : Number.POSITIVE_INFINITY,
        before: async () => {
          others.asked += 1
          await turns(random, 60)
        },
      })
    }
    const [first, second, third] = SLOTS
    const firstIsOver = live(installation, externalId, {
      slot: first,
      paymentMethod: random.pick(CARDS),
      statements: random.below(4) === 0 ? 1 + random.below(60) : Number.POSITIVE_INFINITY,
      before: async (asked) => {
        if (asked === givenUpAt) {
          await giveUp(installation, `${externalId}/${first}`)
          wasGivenUp = true
          return
        }
        const until = others.asked + lateness
        while (wasGivenUp && isLate && !others.over && others.asked < until) await nextTurn()
        await turns(random, 60)
      },
    })
    const secondIsOver = other(second).then(() => {
      others = { ...others, over: true }
    })
    // At once, after a while, or when the first has turned back.
    if (random.below(2) === 0) await firstIsOver
    else await turns(random, 600)
    await Promise.all([firstIsOver, secondIsOver, other(third)])
    simulator.control.clearFaults()
    await comeToRest(installation)
    await live(installation, externalId, { slot: 'fourth', statements: Number.POSITIVE_INFINITY })
    await comeToRest(installation)
    const { rows } = await installation.database.pool.query<{ id: string }>(
      'select id from customer where external_id = $1',
      [externalId],
    )
    const { customers } = await atStripe(installation)
    made[externalId] = customers.filter(
      ({ metadata: { lockstep_customer: own } }) => own === rows[0]?.id,
    ).length
  }
  // Given up at the very first intention of making the customer, which is the moment in question.
  const { rows } = await installation.database.pool.query<{ id: string }>(
    `select id from workflow where withdrawal is not null and stage = 'create customer at provider'`,
  )
  expect(rows.length).toBeGreaterThan(3)
  expect(Object.entries(made).filter(([, count]) => count !== 1)).toEqual([])
}, 600_000)
