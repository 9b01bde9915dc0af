import { Problem } from '@lockstep/core/problem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { wallClock } from '../clock.ts'
import { newId } from '../ids.ts'
import { createLog } from '../log.ts'
import { newHolder } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import { OperationParked } from '../provider/stripe/call.ts'
import { intend, operationState } from '../store/operations.ts'
import {
  addWorkflow,
  claimWorkflow,
  readSteps,
  readWorkflow,
  wakeWorkflow,
  withdrawWorkflow,
} from '../store/workflows.ts'
import { ActionRequired, type Step, type WorkflowKind } from './journal.ts'
import { makeWorkflows } from './workflows.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await newDatabase()
})
afterAll(() => database.drop())

const log = createLog({ logLevel: 'silent' })
const refusal = new Problem('card_declined', 'No.')
const outage = new Problem('provider_unavailable', 'Later.')

/** Adds a workflow of the given kind and runs it until it stops. */
async function run(kind: WorkflowKind): Promise<{ id: string; again: () => Promise<void> }> {
  const { db } = database
  const workflows = makeWorkflows({ db, clock: wallClock, log }, [kind])
  const id = newId('workflow')
  const holder = newHolder()
  await transaction(db, (trx) =>
    addWorkflow(trx, { id, kind: kind.kind, subjectId: id, input: { wish: 1 }, holder, at: wallClock.now() }),
  )
  workflows.begin(id, holder)
  await workflows.close()
  const again = () => makeWorkflows({ db, clock: wallClock, log }, [kind]).resume(id)
  return { id, again }
}

const stateOf = async (id: string) => (await readWorkflow(database.db, id))?.state
const stepsOf = async (id: string) =>
  (await readSteps(database.db, id)).map(({ name, state }) => `${name} ${state}`)

/** The one workflow of a kind. */
const idOf = async ({ kind }: WorkflowKind) => {
  const { rows } = await database.pool.query<{ id: string }>('select id from workflow where kind = $1', [
    kind,
  ])
  return rows[0]?.id ?? ''
}

/** A kind that keeps a diary of what it really did. */
function diary(body: (step: Step, wrote: (line: string) => void) => Promise<void>) {
  const lines: string[] = []
  const kind: WorkflowKind = {
    kind: newId('operation'),
    run: (step) => body(step, (line) => lines.push(line)),
  }
  return { lines, kind }
}

test('what is recorded is not done again, and its result is returned', async () => {
  let isAway = true
  const results: unknown[] = []
  const { lines, kind } = diary(async (step, wrote) => {
    results.push(
      await step('first', async (key) => {
        wrote('first')
        return { key }
      }),
    )
    await step('second', async () => {
      wrote('second')
      if (isAway) throw outage
    })
  })
  const { id, again } = await run(kind)
  expect(await readWorkflow(database.db, id)).toMatchObject({
    state: 'running',
    stage: 'second',
    problem: { code: 'provider_unavailable' },
    leaseUntil: null,
  })
  isAway = false
  await again()
  expect(lines).toEqual(['first', 'second', 'second'])
  expect(results).toEqual([{ key: `${id}/first` }, { key: `${id}/first` }])
  expect(await stateOf(id)).toBe('completed')
  expect(await stepsOf(id)).toEqual(['first done', 'second done'])
})

test('what the customer has to do is told once for each, also where it was woken when it began to wait', async () => {
  const { db, pool } = database
  await pool.query(
    `insert into webhook_endpoint (id, url, secrets, created_at) values ('endpoint_1', 'https://app.example', '[]', now())`,
  )
  const told = async () => {
    const { rows } = await pool.query<{ url: string }>(
      `select after -> 'action' ->> 'url' as url from outgoing_change order by sequence`,
    )
    return rows.map(({ url }) => url)
  }
  let url = 'first'
  let isWokenMeanwhile = true
  const kind: WorkflowKind = {
    kind: 'change-plan',
    run: (step, { id }) =>
      step('ask', async () => {
        if (isWokenMeanwhile) await transaction(db, (trx) => wakeWorkflow(trx, id))
        isWokenMeanwhile = false
        throw new ActionRequired({ url })
      }),
  }
  const { id, again } = await run(kind)
  // It looks once more before it waits.
  expect(await readWorkflow(db, id)).toMatchObject({ state: 'running', action: null })
  expect(await told()).toEqual([])
  for (let times = 0; times < 2; times += 1) {
    await again()
    expect(await readWorkflow(db, id)).toMatchObject({ state: 'requiresAction', action: { url: 'first' } })
  }
  expect(await told()).toEqual(['first'])
  isWokenMeanwhile = true
  await again()
  expect(await readWorkflow(db, id)).toMatchObject({ state: 'running', action: { url: 'first' } })
  await again()
  expect(await told()).toEqual(['first'])
  // Another one is told of, and so is the first when it is asked for anew.
  for (url of ['second', 'first']) await again()
  expect(await told()).toEqual(['first', 'second', 'first'])
  await pool.query('delete from webhook_endpoint')
})

describe('a refusal', () => {
  test('takes back what was done, last first, and says where it failed', async () => {
    const ended: unknown[] = []
    const { lines, kind } = diary(async (step, wrote) => {
      await step('a', async () => 'A', { undo: async (result) => wrote(`undo ${result}`) })
      await step('b', async () => 'B')
      await step('c', async () => 'C', { undo: async (result) => wrote(`undo ${result}`) })
      await step('d', async () => {
        throw refusal
      })
    })
    const rolledBack: WorkflowKind['rolledBack'] = async (_, { input }) => void ended.push(input)
    const { id } = await run({ ...kind, rolledBack })
    expect(lines).toEqual(['undo C', 'undo A'])
    expect(ended).toEqual([{ wish: 1 }])
    expect(await readWorkflow(database.db, id)).toMatchObject({
      state: 'rolledBack',
      stage: 'd',
      problem: { code: 'card_declined' },
    })
    expect(await stepsOf(id)).toEqual(['a undone', 'b done', 'c undone'])
  })

  test('says when the step that was refused began, also where the one before it was not recorded until then', async () => {
    const { kind } = diary(async (step) => {
      await step('a', async () => 'A', { repeatable: true, undo: async () => {} })
      await step('b', async () => {
        throw refusal
      })
    })
    const { id } = await run(kind)
    const { stage, stageStartedAt, createdAt } = (await readWorkflow(database.db, id)) ?? {}
    expect(stage).toBe('b')
    expect(stageStartedAt).toBeGreaterThanOrEqual(createdAt ?? Number.POSITIVE_INFINITY)
  })

  test('whose undoing breaks goes on undoing, and does nothing twice', async () => {
    let isAway = true
    const { lines, kind } = diary(async (step, wrote) => {
      await step('a', async () => 'A', {
        undo: async () => {
          wrote('undo a')
          if (isAway) throw outage
        },
      })
      await step('b', async () => 'B', { undo: async () => wrote('undo b') })
      await step('c', async () => {
        wrote('c')
        throw refusal
      })
    })
    const { id, again } = await run(kind)
    expect(await readWorkflow(database.db, id)).toMatchObject({ state: 'compensating', stage: 'c' })
    isAway = false
    await again()
    expect(lines).toEqual(['c', 'undo b', 'undo a', 'undo a'])
    expect(await readWorkflow(database.db, id)).toMatchObject({
      state: 'rolledBack',
      stage: 'c',
      problem: { code: 'card_declined' },
    })
  })

  test('that cannot be undone is left for a person, with the step that could not', async () => {
    let isPaid = true
    const { lines, kind } = diary(async (step, wrote) => {
      await step('charge', async () => 'paid', {
        undo: async () => {
          if (isPaid) throw new Problem('provider_refused', 'It was paid for.')
        },
      })
      await step('mail', async () => 'sent', { undo: async () => wrote('undo mail') })
      await step('next', async () => {
        wrote('next')
        throw refusal
      })
    })
    const { id, again } = await run(kind)
    expect(await readWorkflow(database.db, id)).toMatchObject({
      state: 'parked',
      stage: 'charge',
      problem: { code: 'provider_refused', detail: "The step 'charge' is not undone: It was paid for." },
    })
    // When that person has seen to it, it goes on in its own direction: backward.
    isPaid = false
    await again()
    expect(await readWorkflow(database.db, id)).toMatchObject({
      state: 'rolledBack',
      stage: 'next',
      problem: { code: 'card_declined' },
    })
    expect(lines).toEqual(['next', 'undo mail'])
  })

  test('of which nobody can tell whether it is undone is left for a person, with that step', async () => {
    let isKnown = false
    const { kind } = diary(async (step) => {
      await step('a', async () => 'A', {
        undo: async () => {
          if (!isKnown) throw new OperationParked('some/operation', 'It cannot be told.')
        },
      })
      await step('b', async () => {
        throw refusal
      })
    })
    const { id, again } = await run(kind)
    const parked = { state: 'parked', stage: 'a', problem: { code: 'provider_unknown_outcome' } }
    expect(await readWorkflow(database.db, id)).toMatchObject(parked)
    isKnown = true
    await again()
    expect(await readWorkflow(database.db, id)).toMatchObject({ state: 'rolledBack', stage: 'b' })
  })
})

test('a call that nobody can tell about is left for a person at once', async () => {
  const { lines, kind } = diary(async (step, wrote) => {
    await step('a', async () => 'A', { undo: async () => wrote('undo') })
    await step('b', async () => {
      throw new OperationParked('some/operation', 'It cannot be told.')
    })
  })
  const { id } = await run(kind)
  expect(await readWorkflow(database.db, id)).toMatchObject({ state: 'parked', stage: 'b' })
  expect(lines).toEqual([])
})

test('a bug is not a refusal: nothing is undone, it is tried again, and it shows nothing', async () => {
  const { lines, kind } = diary(async (step, wrote) => {
    await step('a', async () => 'A', { undo: async () => wrote('undo') })
    await step('b', async () => {
      throw new Error('secret details')
    })
  })
  const { id } = await run(kind)
  const workflow = await readWorkflow(database.db, id)
  expect(lines).toEqual([])
  expect(workflow).toMatchObject({ state: 'running', problem: { code: 'internal_error' } })
  expect(JSON.stringify(workflow?.problem)).not.toContain('secret')
})

test('an outage, however long, is waited for, ever longer, and leaves nothing to a person', async () => {
  const asksForTen = new Problem('provider_unknown_outcome', 'Later.', { retryAfterSeconds: 10 })
  const { kind } = diary(async (step) => {
    await step('a', async () => {
      throw asksForTen
    })
  })
  const { db, pool } = database
  const now = async () =>
    (await pool.query<{ now: string }>('select clock_timestamp()::text as now')).rows[0]?.now
  /** Whether it waits for so many seconds since some moment between `begun` and now, by the clock that it waits by. */
  const waits = async (id: string, seconds: number, begun: string | undefined) => {
    const { rows } = await pool.query<{ waits: boolean }>(
      `select next_attempt_at - make_interval(secs => $2) between $3::timestamptz and clock_timestamp() as waits
       from workflow where id = $1`,
      [id, seconds, begun],
    )
    return rows[0]?.waits
  }
  // The provider asked for ten seconds. It gets more when it stays away: never less, and never flat.
  const begun = await now()
  const { id } = await run(kind)
  expect(await waits(id, 10, begun)).toBe(true)
  await pool.query('update workflow set attempts = 1000, next_attempt_at = null where id = $1', [id])
  const resumed = await now()
  await makeWorkflows({ db, clock: wallClock, log }, [kind]).resumeDue()
  expect(await stateOf(id)).toBe('running')
  expect(await waits(id, 300, resumed)).toBe(true)
  // A bug that shows afterwards has its own tries.
  expect((await readWorkflow(db, id))?.attempts).toBeLessThan(25)
})

test('where a person could decide nothing, it is tried for ever', async () => {
  const { kind } = diary(async (step) => {
    await step('a', async () => {
      throw new OperationParked('some/operation', 'It failed too often.')
    })
  })
  const { id } = await run({ ...kind, neverParked: true })
  expect(await stateOf(id)).toBe('running')
})

test('undoing that breaks between its steps says why, and is left for a person in the end', async () => {
  let isBroken = false
  const { lines, kind } = diary(async (step, wrote) => {
    await step('a', async () => 'A', {
      undo: async () => {
        isBroken = true
        throw outage
      },
    })
    if (isBroken) throw new Error('A plan that cannot be read.')
    await step('b', async () => {
      wrote('b')
      throw refusal
    })
  })
  const { id } = await run(kind)
  const { db, pool } = database
  const comeDue = (attempts: number) =>
    pool.query('update workflow set attempts = $2, next_attempt_at = null where id = $1', [id, attempts])
  await comeDue(1)
  await makeWorkflows({ db, clock: wallClock, log }, [kind]).resumeDue()
  expect(await readWorkflow(db, id)).toMatchObject({
    state: 'compensating',
    stage: 'b',
    problem: { code: 'internal_error' },
    leaseUntil: null,
  })
  await comeDue(1000)
  await makeWorkflows({ db, clock: wallClock, log }, [kind]).resumeDue()
  expect(await stateOf(id)).toBe('parked')
  expect(lines).toEqual(['b'])
})

describe('given up', () => {
  const givenUp = new Problem('registration_canceled', 'Not any more.')
  const giveUp = (id: string) => withdrawWorkflow(database.db, id, givenUp)
  /** A process that starts afterwards and was told nothing. */
  const nextProcess = (kind: WorkflowKind) =>
    makeWorkflows({ db: database.db, clock: wallClock, log }, [kind]).resumeDue()

  test.each([
    ['was parked', () => new OperationParked('some/operation', 'It cannot be told.')],
    ['waits for the customer', () => new ActionRequired({ type: 'confirm' })],
    ['waits for a long outage to pass', () => outage],
  ])('while it %s: whoever looks next takes it up and undoes it', async (_, stops) => {
    const { lines, kind } = diary(async (step, wrote) => {
      await step('a', async () => 'A', { undo: async () => wrote('undo a') })
      await step('b', async () => {
        throw stops()
      })
    })
    const { id } = await run(kind)
    expect(await giveUp(id)).toBe(true)
    await nextProcess(kind)
    expect(await readWorkflow(database.db, id)).toMatchObject({
      state: 'rolledBack',
      problem: { code: 'registration_canceled' },
    })
    expect(lines).toEqual(['undo a'])
  })

  test.each([
    ['is parked', () => new OperationParked('some/operation', 'It cannot be told.')],
    ['begins to wait for the customer', () => new ActionRequired({ type: 'confirm' })],
    ['begins to wait', () => outage],
  ])('in the very moment in which it %s, it is heard', async (_, stops) => {
    const { kind } = diary(async (step) => {
      await step('a', async () => {
        await giveUp(await idOf(kind))
        throw stops()
      })
    })
    const { id } = await run(kind)
    expect(await readWorkflow(database.db, id)).toMatchObject({
      state: 'running',
      action: null,
      nextAttemptAt: null,
      endedAt: null,
    })
    await nextProcess(kind)
    expect(await stateOf(id)).toBe('rolledBack')
  })

  test('what may have been under way is asked about, and it neither waits again nor is tried for ever', async () => {
    const told: unknown[] = []
    const { lines, kind } = diary(async (step, wrote) => {
      await step('a', async () => 'A', { undo: async () => wrote('undo a') })
      await step('b', async (key, { withdrawn }) => {
        const at = wallClock.now()
        await intend(
          database.db,
          { id: key, kind: 'test', subjectId: key },
          { idempotencyKey: key, bodyHash: Buffer.from(''), at },
        )
        told.push((await withdrawn())?.code)
        throw new ActionRequired({ type: 'confirm' })
      })
    })
    const { id } = await run(kind)
    expect(await stateOf(id)).toBe('requiresAction')
    await giveUp(id)
    await nextProcess(kind)
    expect(told).toEqual([undefined, 'registration_canceled'])
    expect(lines).toEqual(['undo a'])
    expect(await stateOf(id)).toBe('rolledBack')
  })
})

test('what the customer has to do is said until it is seen to be done, and not while anything else is', async () => {
  const { db } = database
  const seen: unknown[] = []
  let isDone = false
  const { kind } = diary(async (step) => {
    const look = async () => {
      const { rows } = await database.pool.query('select state, action from workflow where kind = $1', [
        kind.kind,
      ])
      seen.push(rows[0])
    }
    await step('await', async () => {
      await look()
      if (!isDone) throw new ActionRequired({ type: 'confirm' })
    })
    await step('go on', look)
    await step('and on', look)
  })
  const { id, again } = await run(kind)
  const action = { type: 'confirm' }
  expect(await readWorkflow(db, id)).toMatchObject({ state: 'requiresAction', action })
  await transaction(db, (trx) => wakeWorkflow(trx, id))
  expect(await readWorkflow(db, id)).toMatchObject({ state: 'running', action })
  await again()
  expect(await readWorkflow(db, id)).toMatchObject({ state: 'requiresAction', action })
  isDone = true
  await again()
  expect(await readWorkflow(db, id)).toMatchObject({ state: 'completed', action: null })
  expect(seen).toEqual([
    { state: 'running', action: null },
    { state: 'running', action },
    { state: 'running', action },
    { state: 'running', action: null },
    { state: 'running', action: null },
  ])
})

test('what fails for ever is parked in the end, and a person may start it anew', async () => {
  let isAway = true
  const { kind } = diary(async (step) => {
    await step('a', async () => {
      if (isAway) throw new Error('A bug.')
    })
  })
  const { id, again } = await run(kind)
  await database.pool.query('update workflow set attempts = 1000 where id = $1', [id])
  const { db } = database
  await database.pool.query('update workflow set next_attempt_at = null where id = $1', [id])
  await makeWorkflows({ db, clock: wallClock, log }, [kind]).resumeDue()
  expect(await stateOf(id)).toBe('parked')
  isAway = false
  await again()
  expect(await stateOf(id)).toBe('completed')
})

test('a slow one holds up neither those that are due nor those that come due later', async () => {
  const { db, pool } = database
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const kind: WorkflowKind = {
    kind: newId('operation'),
    run: (step, { input }) => step('a', () => (input === 'slow' ? released : Promise.resolve())),
  }
  const add = async (input: 'slow' | 'quick') => {
    const id = newId('workflow')
    const holder = newHolder()
    await transaction(db, (trx) =>
      addWorkflow(trx, { id, kind: kind.kind, subjectId: id, input, holder, at: wallClock.now() }),
    )
    await pool.query('update workflow set lease_until = null, lease_holder = null where id = $1', [id])
  }
  const completed = async () => {
    const { rows } = await pool.query<{ count: number }>(
      `select count(*)::int as count from workflow where kind = $1 and state = 'completed'`,
      [kind.kind],
    )
    return rows[0]?.count
  }
  await add('slow')
  for (let quick = 1; quick <= 12; quick += 1) await add('quick')
  const resumed = makeWorkflows({ db, clock: wallClock, log }, [kind]).resumeDue()
  await expect.poll(completed, { timeout: 60_000 }).toBe(12)
  await add('quick')
  await expect.poll(completed, { timeout: 60_000 }).toBe(13)
  release()
  expect(await resumed).toBe(14)
  expect(await completed()).toBe(14)
})

describe('between two calls', () => {
  const call = (id: string) => ({
    ...{ id, kind: 'test', subjectId: id, idempotencyKey: id, bodyHash: Buffer.from('') },
    at: wallClock.now(),
  })
  const stateOfCall = async (id: string) => (await operationState(database.db, id)) ?? 'not intended'

  test('what the first made is recorded in one statement with the intention of the second', async () => {
    const seen: unknown[] = []
    const { kind } = diary(async (step) => {
      const look = async (key: string) => seen.push(await stepsOf(await idOf(kind)), await stateOfCall(key))
      const ask = (name: string) =>
        step(
          name,
          async (key, { intend: next }) => {
            await look(`${await idOf(kind)}/first`)
            await next(call(key))
            return { id: `made by ${name}` }
          },
          { operation: (key) => key },
        )
      await ask('first')
      await ask('second')
    })
    const { id } = await run(kind)
    expect(seen).toEqual([[], 'not intended', [], 'prepared'])
    expect(await stepsOf(id)).toEqual(['first done', 'second done'])
    expect([await stateOfCall(`${id}/first`), await stateOfCall(`${id}/second`)]).toEqual([
      'succeeded',
      'succeeded',
    ])
    expect(await stateOf(id)).toBe('completed')
  })

  test('a process that dies leaves the first to be asked again under its key, and nothing else', async () => {
    const keys: string[] = []
    let isAlive = false
    const { kind } = diary(async (step) => {
      await step(
        'first',
        async (key, { intend: next }) => {
          const { isNew } = await next(call(key))
          keys.push(`${key} ${isNew}`)
          return { id: 'made' }
        },
        { operation: (key) => key },
      )
      // The lease goes to another: whatever this run says from here on is not heard.
      if (!isAlive)
        await database.pool.query('update workflow set lease_holder = $2 where kind = $1', [
          kind.kind,
          newHolder(),
        ])
      await step('second', async (key, { intend: next }) => void (await next(call(key))))
    })
    const { id, again } = await run(kind)
    expect([await stepsOf(id), await stateOfCall(`${id}/second`)]).toEqual([[], 'not intended'])
    isAlive = true
    await database.pool.query('update workflow set lease_until = null, lease_holder = null where id = $1', [
      id,
    ])
    await again()
    expect(keys).toEqual([`${id}/first true`, `${id}/first false`])
    expect(await stateOf(id)).toBe('completed')
  })

  test('what was withdrawn is told with the intention, before anything is sent', async () => {
    const told: unknown[] = []
    const { kind } = diary(async (step) => {
      await step('ask', async (key, { intend: next }) => {
        await withdrawWorkflow(database.db, await idOf(kind), new Problem('registration_canceled', 'No.'))
        told.push((await next(call(key))).withdrawal?.code)
      })
    })
    await run(kind)
    expect(told).toEqual(['registration_canceled'])
  })
})

describe('a step that is recorded in its own transaction', () => {
  test('is done and recorded, or neither; where it is the last, the workflow ends with it', async () => {
    const { db } = database
    let mayCommit = false
    const { lines, kind } = diary(async (step, wrote) => {
      await step('early', async () => 'computed', { repeatable: true })
      await step('deed', (_, { record }) =>
        transaction(db, async (trx) => {
          await record(trx, 'done', { isLast: true })
          wrote('deed')
          if (!mayCommit) throw outage
          return 'done'
        }),
      )
    })
    const { id, again } = await run(kind)
    expect(await stepsOf(id)).toEqual(['early done'])
    expect(await readWorkflow(db, id)).toMatchObject({ state: 'running', stage: 'deed' })
    mayCommit = true
    await again()
    expect(lines).toEqual(['deed', 'deed'])
    expect(await stepsOf(id)).toEqual(['early done', 'deed done'])
    expect(await readWorkflow(db, id)).toMatchObject({ state: 'completed', leaseHolder: null })
  })

  test('counts as recorded by the try that stood, not by one that was rolled back before it', async () => {
    const { db } = database
    const deadlock = Object.assign(new Error('Chosen as the victim.'), { code: '40P01' })
    let tries = 0
    const { lines, kind } = diary(async (step, wrote) => {
      await step('early', async () => 'computed', { repeatable: true })
      await step('deed', (_, { record }) =>
        transaction(db, async (trx) => {
          tries += 1
          // What an event overtook in between is not recorded any more.
          if (tries > 1) return
          await record(trx, null, { isLast: true, next: { name: 'conclude', result: null } })
          throw deadlock
        }),
      )
      await step('conclude', async () => wrote('conclude'))
    })
    const { id } = await run(kind)
    expect({ tries, lines }).toEqual({ tries: 2, lines: ['conclude'] })
    expect(await stepsOf(id)).toEqual(['early done', 'deed done', 'conclude done'])
    expect(await stateOf(id)).toBe('completed')
  })

  test('says so where another step comes after the last one', async () => {
    const { kind } = diary(async (step) => {
      await step('last', (_, { record }) =>
        transaction(database.db, (trx) => record(trx, null, { isLast: true })),
      )
      await step('one more', async () => {})
    })
    const { id } = await run(kind)
    expect(await stepsOf(id)).toEqual(['last done'])
    expect(await stateOf(id)).toBe('completed')
  })
})

test('a run that lost its lease records nothing any more', async () => {
  const thief = newHolder()
  const { lines, kind } = diary(async (step, wrote) => {
    await step('a', async () => {
      // Frozen for longer than the lease: another process takes over meanwhile.
      await database.pool.query(
        `update workflow set lease_until = clock_timestamp() - interval '1 s' where kind = $1`,
        [kind.kind],
      )
      const { rows } = await database.pool.query<{ id: string }>('select id from workflow where kind = $1', [
        kind.kind,
      ])
      await claimWorkflow(database.db, rows[0]?.id ?? '', thief)
    })
    wrote('went on')
  })
  const { id } = await run(kind)
  expect(lines).toEqual([])
  expect(await stepsOf(id)).toEqual([])
  expect(await readWorkflow(database.db, id)).toMatchObject({ state: 'running', leaseHolder: thief })
})

test('a lease is renewed while the run goes on', async () => {
  const { kind } = diary(async (step) => {
    await step('slow', async () => {
      const leaseOf = async () => {
        const { rows } = await database.pool.query<{ lease: string }>(
          'select lease_until::text as lease from workflow where kind = $1',
          [kind.kind],
        )
        return rows[0]?.lease
      }
      const before = await leaseOf()
      await expect.poll(leaseOf, { timeout: 60_000, interval: 100 }).not.toBe(before)
    })
  })
  const { id } = await run(kind)
  expect(await stateOf(id)).toBe('completed')
})
