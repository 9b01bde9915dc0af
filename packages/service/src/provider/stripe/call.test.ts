import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../../../test/support/database.ts'
import { newSimulator, serviceDeps } from '../../../../../test/support/simulator.ts'
import { transaction } from '../../postgres/transaction.ts'
import { callMayBeDone, intend, readOperation, repeatAttempt } from '../../store/operations.ts'
import { openProvider } from './account.ts'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { makeStripe } from './client.ts'
import { isOf, ownMetadata } from './metadata.ts'

type Fault = Parameters<Simulator['control']['fail']>[0]

let database: TestDatabase
let simulator: Simulator
let deps: Awaited<ReturnType<typeof serviceDeps>>

beforeAll(async () => {
  database = await newDatabase()
  simulator = await newSimulator()
  deps = await serviceDeps(database, simulator)
})
afterEach(() => simulator.control.clearFaults())
afterAll(async () => {
  await simulator.close()
  await database.drop()
})

let count = 0
function newOperation(): string {
  count += 1
  return `test/${count}`
}

/** Creates a customer the way the adapter does, with its name as the body. */
function create(id: string, name = 'Ada', own: CallDeps = deps): Promise<Stripe.Customer> {
  const body = { name, metadata: ownMetadata(own.provider, id) }
  return callStripe(
    own,
    { id, kind: 'customer.create', subjectId: id, body },
    (stripe, options) => stripe.customers.create(body, options),
    async (stripe) => {
      for await (const found of stripe.customers.list({ limit: 100 })) {
        if (isOf(own.provider, id, found)) return found
      }
      return undefined
    },
  )
}

async function madeBy(id: string): Promise<Stripe.Customer[]> {
  const all: Stripe.Customer[] = []
  for await (const found of deps.provider.stripe.customers.list({ limit: 100 })) {
    if (isOf(deps.provider, id, found)) all.push(found)
  }
  return all
}

const state = async (id: string) => (await readOperation(deps.db, id)).state

const later = (seconds: number): CallDeps => ({
  ...deps,
  clock: { now: (): Instant => deps.clock.now() + seconds },
})

/** The clock stands still, so many seconds from now. */
const still = (seconds: number): CallDeps => {
  const now = deps.clock.now() + seconds
  return { ...deps, clock: { now: (): Instant => now } }
}

const CREATE = { method: 'POST', path: '/v1/customers' } as const

describe('one object, whatever breaks', () => {
  const cases: [name: string, faults: Fault[]][] = [
    ['the answer is lost after the deed', [{ ...CREATE, kind: 'timeout_after_commit', times: 3 }]],
    ['the connection breaks before the deed', [{ ...CREATE, kind: 'timeout_before_commit', times: 3 }]],
    ['the answer is cut in the middle', [{ ...CREATE, kind: 'truncated' }]],
    ['a 500 that Stripe does not keep', [{ ...CREATE, kind: 'error_500', times: 2 }]],
    ['a 500 that Stripe keeps for the key', [{ ...CREATE, kind: 'error_500_stored' }]],
    ['too many requests', [{ ...CREATE, kind: 'rate_limit', times: 3 }]],
    ['another request holds the object', [{ ...CREATE, kind: 'lock_timeout', times: 2 }]],
    [
      'one after the other',
      [
        { ...CREATE, kind: 'rate_limit' },
        { ...CREATE, kind: 'error_500' },
        { ...CREATE, kind: 'error_500_stored' },
        { ...CREATE, kind: 'truncated' },
      ],
    ],
    [
      'the look breaks too',
      [
        { ...CREATE, kind: 'error_500_stored' },
        { method: 'GET', path: '/v1/customers', kind: 'error_500', times: 2 },
      ],
    ],
  ]
  for (const [name, faults] of cases) {
    test(name, async () => {
      const id = newOperation()
      for (const fault of faults) simulator.control.fail(fault)
      const customer = await create(id)
      expect((await madeBy(id)).map((made) => made.id)).toEqual([customer.id])
      expect(await readOperation(deps.db, id)).toMatchObject({
        state: 'succeeded',
        providerObjectId: customer.id,
        problem: null,
      })
    })
  }

  test('asked again it answers the same and makes nothing', async () => {
    const id = newOperation()
    const first = await create(id)
    expect((await create(id)).id).toBe(first.id)
    expect(await madeBy(id)).toHaveLength(1)
  })

  test('asked thirty times at once it makes one', async () => {
    const id = newOperation()
    const ids = await Promise.all(Array.from({ length: 30 }, async () => (await create(id)).id))
    expect(new Set(ids).size).toBe(1)
    expect(await madeBy(id)).toHaveLength(1)
  })
})

describe('a run that died', () => {
  test('after the deed, hours ago: the key still tells', async () => {
    const id = newOperation()
    const made = await dieAfterCommit(id)
    const requests = simulator.control.requests().total
    expect((await create(id, 'Ada', later(22 * 3600))).id).toBe(made)
    expect(simulator.control.requests().total - requests).toBe(1)
  })

  test('after the deed, a day ago: the object is found by its operation and adopted', async () => {
    const id = newOperation()
    const made = await dieAfterCommit(id)
    simulator.control.clearRequests()
    expect((await create(id, 'Ada', later(24 * 3600))).id).toBe(made)
    expect(posts()).toEqual([])
    expect(await state(id)).toBe('succeeded')
  })

  test('before the deed, a day ago: nothing is found, so it is done under a new key', async () => {
    const id = newOperation()
    simulator.control.fail({ ...CREATE, kind: 'timeout_before_commit', times: 100 })
    await expect(create(id)).rejects.toMatchObject({ code: 'provider_unknown_outcome', status: 503 })
    expect(await state(id)).toBe('unknown')
    simulator.control.clearFaults()
    const customer = await create(id, 'Ada', later(24 * 3600))
    expect(await madeBy(id)).toHaveLength(1)
    expect(await readOperation(deps.db, id)).toMatchObject({ attempt: 2, providerObjectId: customer.id })
  })

  test('a look that fails is not an empty look', async () => {
    const id = newOperation()
    await dieAfterCommit(id)
    simulator.control.fail({ method: 'GET', path: '/v1/customers', kind: 'error_500', times: 100 })
    await expect(create(id, 'Ada', later(24 * 3600))).rejects.toMatchObject({ code: 'provider_unavailable' })
    simulator.control.clearFaults()
    expect(await madeBy(id)).toHaveLength(1)
  })

  test('with other words the next time: what it made is found, nothing is sent', async () => {
    const id = newOperation()
    const made = await dieAfterCommit(id)
    simulator.control.clearRequests()
    expect((await create(id, 'Grace')).id).toBe(made)
    expect(posts()).toEqual([])
  })

  test('with other words a moment after no answer came: they are not sent while the first may be under way', async () => {
    const id = newOperation()
    simulator.control.fail({ ...CREATE, kind: 'timeout_before_commit', times: 100 })
    await expect(create(id)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    simulator.control.clearFaults()
    simulator.control.clearRequests()
    await expect(create(id, 'Grace')).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    expect(posts()).toEqual([])
    await create(id, 'Grace', later(17))
    expect(await madeBy(id)).toMatchObject([{ name: 'Grace' }])
  })

  /** Stripe does it and we never learn: every answer of this run is lost. */
  async function dieAfterCommit(id: string): Promise<string> {
    simulator.control.fail({ ...CREATE, kind: 'timeout_after_commit', times: 100 })
    await expect(create(id)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    simulator.control.clearFaults()
    const [customer] = await madeBy(id)
    if (!customer) throw new Error('nothing was made')
    return customer.id
  }
})

describe('what shall not be made any more', () => {
  const given = new Problem('registration_canceled', 'Not any more.')
  const withdrawn = (): CallDeps => ({ ...deps, withdrawn: async () => given })

  test('was not begun: nothing is sent, and it is settled', async () => {
    const id = newOperation()
    simulator.control.clearRequests()
    await expect(create(id, 'Ada', withdrawn())).rejects.toBe(given)
    expect(simulator.control.requests().total).toBe(0)
    expect(await state(id)).toBe('refused')
  })

  test.each([
    ['never reached Stripe', 'timeout_before_commit', 0],
    ['was done and its answer lost', 'timeout_after_commit', 1],
  ] as const)('%s: it is looked for, and never sent', async (_, kind, made) => {
    const id = newOperation()
    simulator.control.fail({ ...CREATE, kind, times: 100 })
    await expect(create(id)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    simulator.control.clearFaults()
    simulator.control.clearRequests()
    // By now Stripe is at work on none of them any more.
    const asked = create(id, 'Ada', { ...later(18), withdrawn: async () => given })
    if (made === 0) await expect(asked).rejects.toBe(given)
    else await expect(asked).resolves.toMatchObject({ id: (await madeBy(id))[0]?.id })
    expect(posts()).toEqual([])
    expect(await madeBy(id)).toHaveLength(made)
    expect(await state(id)).toBe(made === 0 ? 'refused' : 'succeeded')
  })

  test('is given up between two tries: the next one is not made', async () => {
    const id = newOperation()
    let asked = 0
    const own = { ...deps, withdrawn: async () => (++asked > 1 ? given : undefined) }
    simulator.control.clearRequests()
    simulator.control.fail({ ...CREATE, kind: 'error_500', times: 1 })
    await expect(create(id, 'Ada', own)).rejects.toBe(given)
    expect(posts()).toEqual(['/v1/customers'])
    expect(await madeBy(id)).toEqual([])
  })

  test('is not given up while Stripe may be at work on it: the connection broke, and it is done after that', async () => {
    const id = newOperation()
    let asked = 0
    const impatient = makeStripe({ apiKey: 'sk_test_simulator', apiBase: simulator.url }, { timeoutMs: 100 })
    const own = {
      ...deps,
      provider: { ...deps.provider, stripe: impatient },
      withdrawn: async () => (++asked > 1 ? given : undefined),
    }
    simulator.control.fail({ ...CREATE, kind: 'slow', ms: 500 })
    await create(id, 'Ada', own).catch((error: Problem) => error.code)
    await expect.poll(() => madeBy(id)).toHaveLength(1)
    await create(id, 'Ada', { ...later(18), withdrawn: async () => given }).catch(() => {})
    expect(await readOperation(deps.db, id)).toMatchObject({
      ...{ state: 'succeeded', providerObjectId: (await madeBy(id))[0]?.id },
    })
  })

  test('and never left, as nobody took the connection, is given up at once', async () => {
    const id = newOperation()
    const closed = await newSimulator()
    const nobody = makeStripe({ apiKey: 'sk_test_simulator', apiBase: closed.url })
    await closed.close()
    const alone = { ...deps, provider: { ...deps.provider, stripe: nobody } }
    await expect(create(id, 'Ada', alone)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    await expect(create(id, 'Ada', withdrawn())).rejects.toBe(given)
    expect(await state(id)).toBe('refused')
  })
})

describe('a call whose process died a moment ago', () => {
  /** As it stands when the process is gone after it wrote its intention. */
  async function dieBeforeAnswer(id: string, at: Instant): Promise<void> {
    await intend(
      deps.db,
      { id, kind: 'customer.create', subjectId: id },
      { idempotencyKey: `${id}/of-the-dead`, bodyHash: Buffer.from('other words'), at },
    )
  }

  test.each([
    ['in other words', {}],
    ['given up', { withdrawn: async () => new Problem('registration_canceled', 'No.') }],
  ])('may still be done: asked again %s, nothing is decided before it cannot be', async (_, own) => {
    const id = newOperation()
    const now = still(0)
    await dieBeforeAnswer(id, now.clock.now())
    simulator.control.clearRequests()
    await expect(create(id, 'Ada', { ...now, ...own })).rejects.toMatchObject({
      code: 'provider_unknown_outcome',
      retryAfterSeconds: 17,
    })
    expect(posts()).toEqual([])
    expect(await state(id)).toBe('prepared')
    // Seventeen seconds later nobody waits for an answer any more.
    await create(id, 'Ada', { ...later(18), ...own }).catch((error: Problem) => error.code)
    expect(await state(id)).not.toBe('prepared')
  })
})

describe('one call that several runs make', () => {
  const given = new Problem('registration_canceled', 'Not any more.')

  /** Somebody else's run of the same call, held up on the way to Stripe until it is let go. */
  async function underWay(id: string, own: CallDeps = deps) {
    const [sent, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const body = { name: 'Ada', metadata: ownMetadata(deps.provider, id) }
    const made = callStripe(
      own,
      { id, kind: 'customer.create', subjectId: id, body },
      async (stripe, options) => {
        sent.resolve()
        await gate.promise
        return stripe.customers.create(body, options)
      },
    )
    await sent.promise
    return async () => {
      gate.resolve()
      return (await made).id
    }
  }

  /** Runs the call, and has something happen when Stripe was looked through and nothing found. */
  function lookThen(id: string, name: string, own: CallDeps, then: () => Promise<void>) {
    const body = { name, metadata: ownMetadata(deps.provider, id) }
    return callStripe(
      own,
      { id, kind: 'customer.create', subjectId: id, body },
      (stripe, options) => stripe.customers.create(body, options),
      async () => {
        expect(await madeBy(id)).toEqual([])
        await then()
        return undefined
      },
    )
  }

  /** Nothing came of it, and nobody knows: as it stands after a run whose every try was cut off. */
  async function unknown(id: string): Promise<void> {
    simulator.control.fail({ ...CREATE, kind: 'timeout_before_commit', times: 100 })
    await expect(create(id)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    simulator.control.clearFaults()
  }

  test('is not refused by the first of them, given up at the intention, when another has sent it', async () => {
    const id = newOperation()
    const second = Promise.withResolvers<() => Promise<string>>()
    const first = create(id, 'Ada', {
      ...deps,
      intend: async (intention) => {
        const intended = await intend(deps.db, intention, intention)
        second.resolve(await underWay(id))
        return { ...intended, withdrawal: given }
      },
    })
    await expect(first).rejects.toBe(given)
    expect(await state(id)).toBe('prepared')
    const third = await create(id)
    expect(await (await second.promise)()).toBe(third.id)
    expect(await madeBy(id)).toHaveLength(1)
  })

  test('is sent by nobody under a key that the first of them, given up, has refused', async () => {
    const id = newOperation()
    const second = Promise.withResolvers<Stripe.Customer>()
    const body = { name: 'Ada', metadata: ownMetadata(deps.provider, id) }
    const keys: string[] = []
    const first = create(id, 'Ada', {
      ...deps,
      intend: async (intention) => {
        const intended = await intend(deps.db, intention, intention)
        const known = await intend(deps.db, intention, intention)
        // It has read how the call stands, and goes on only when the first has given up.
        const gate = first.then(
          () => known,
          () => known,
        )
        second.resolve(
          callStripe(
            { ...deps, intend: () => gate },
            { id, kind: 'customer.create', subjectId: id, body },
            (stripe, options) => {
              keys.push(options.idempotencyKey)
              return stripe.customers.create(body, options)
            },
          ),
        )
        return { ...intended, withdrawal: given }
      },
    })
    await expect(first).rejects.toBe(given)
    await second.promise
    expect(keys).toEqual([`${deps.provider.instance}/${id}/2`])
    expect(await madeBy(id)).toHaveLength(1)
  })

  test('is not begun anew in other words while one of them sends it again, however long ago it was intended', async () => {
    const id = newOperation()
    await unknown(id)
    const own = still(3600)
    const second = await underWay(id, own)
    await expect(create(id, 'Grace', own)).rejects.toMatchObject({
      code: 'provider_unknown_outcome',
      retryAfterSeconds: 17,
    })
    const made = await second()
    expect(await madeBy(id)).toMatchObject([{ id: made, name: 'Ada' }])
  })

  test('is not begun anew when one of them sent it after the look that found nothing', async () => {
    const id = newOperation()
    await unknown(id)
    const second = Promise.withResolvers<() => Promise<string>>()
    const third = lookThen(id, 'Grace', later(3600), async () => {
      second.resolve(await underWay(id, later(3600)))
    })
    await expect(third).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    const made = await (await second.promise)()
    expect(await madeBy(id)).toMatchObject([{ id: made, name: 'Ada' }])
  })

  test('is begun anew by the first who hears that its key is spent, however often the others send that still', async () => {
    const id = newOperation()
    simulator.control.fail({ ...CREATE, kind: 'error_500_stored', times: 1 })
    const made = await lookThen(id, 'Ada', deps, async () => {
      await repeatAttempt(deps.db, await readOperation(deps.db, id), deps.clock.now())
    })
    expect(await madeBy(id)).toMatchObject([{ id: made.id }])
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'succeeded', attempt: 2 })
  })

  test('is not given up when one of them sent it after the look that found nothing', async () => {
    const id = newOperation()
    await unknown(id)
    const second = Promise.withResolvers<() => Promise<string>>()
    const own = { ...still(3600), withdrawn: async () => given }
    const first = lookThen(id, 'Ada', own, async () => {
      second.resolve(await underWay(id, later(3600)))
    })
    await expect(first).rejects.toMatchObject({ code: 'provider_unknown_outcome', retryAfterSeconds: 17 })
    const made = await (await second.promise)()
    expect(await madeBy(id)).toMatchObject([{ id: made }])
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'succeeded', attempt: 1 })
  })
})

describe('a call that one of several has sent, and waits for', () => {
  const given = new Problem('registration_canceled', 'Not any more.')
  const body = (id: string) => ({ name: 'Ada', metadata: ownMetadata(deps.provider, id) })

  /** One that was sent in vain before, and that somebody has just sent again: on its way to Stripe until it is let go. */
  async function sentAgain(id: string, own: CallDeps) {
    simulator.control.fail({ ...CREATE, kind: 'error_500', times: 100 })
    await expect(create(id, 'Ada', own)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    simulator.control.clearFaults()
    return onItsWay(id, own)
  }

  async function onItsWay(id: string, own: CallDeps) {
    const [sent, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const call = { id, kind: 'customer.create', subjectId: id, body: body(id) }
    const made = callStripe(own, call, async (stripe, options) => {
      sent.resolve()
      await gate.promise
      return stripe.customers.create(call.body, options)
    })
    await sent.promise
    return async () => {
      gate.resolve()
      return (await made).id
    }
  }

  test('is not begun anew after a look that took longer than its answer', async () => {
    const id = newOperation()
    const time = { now: deps.clock.now() }
    const own = { ...deps, clock: { now: () => time.now } }
    const arrive = await sentAgain(id, own)
    const call = { id, kind: 'customer.create', subjectId: id, body: { ...body(id), name: 'Grace' } }
    time.now += 1
    const second = callStripe(
      own,
      call,
      (stripe, options) => stripe.customers.create(call.body, options),
      async () => {
        expect(await madeBy(id)).toEqual([])
        // Ten seconds after it was sent it is done; the look goes on with the next page when its turn has come.
        await arrive()
        time.now += 30
        return undefined
      },
    )
    await second.catch((error: Problem) => expect(error.code).toBe('provider_unknown_outcome'))
    expect(await madeBy(id)).toMatchObject([{ name: 'Ada' }])
  })

  test('is not given up', async () => {
    const id = newOperation()
    const own = still(0)
    const arrive = await sentAgain(id, own)
    const first = create(id, 'Ada', { ...own, withdrawn: async () => given })
    await expect(first).rejects.toMatchObject({ code: 'provider_unknown_outcome', retryAfterSeconds: 17 })
    expect(await state(id)).not.toBe('refused')
    const made = await arrive()
    expect(await madeBy(id)).toMatchObject([{ id: made }])
  })

  test('is not given up either where it was parked, and a person had it tried again', async () => {
    const id = newOperation()
    const own = still(0)
    simulator.control.fail({ ...CREATE, kind: 'error_500', times: 100 })
    await expect(create(id, 'Ada', own)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    simulator.control.clearFaults()
    await database.pool.query(
      `update operation set state = 'parked', settled_at = prepared_at where id = $1`,
      [id],
    )
    const arrive = await onItsWay(id, own)
    const first = create(id, 'Ada', { ...own, withdrawn: async () => given })
    await expect(first).rejects.toMatchObject({ code: 'provider_unknown_outcome', retryAfterSeconds: 17 })
    const made = await arrive()
    expect(await madeBy(id)).toMatchObject([{ id: made }])
    expect(await state(id)).toBe('succeeded')
  })

  test('is awaited also where a process of an older version began its next attempt', async () => {
    const id = newOperation()
    simulator.control.fail({ ...CREATE, kind: 'error_500', times: 100 })
    await expect(create(id)).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    simulator.control.clearFaults()
    expect(await readOperation(deps.db, id)).toMatchObject({ repeats: 5, answered: 6 })
    // It knows nothing of the answers that are counted.
    await database.pool.query(
      `update operation set attempt = 2, idempotency_key = id || '/2', state = 'prepared', repeats = 0, repeated_at = null
        where id = $1`,
      [id],
    )
    expect(await readOperation(deps.db, id)).toMatchObject({ repeats: 0, answered: 0 })
  })

  test('is not given up by another either whom Stripe told to come later because of it', async () => {
    const id = newOperation()
    const own = still(0)
    const arrive = await sentAgain(id, own)
    let asked = 0
    const withdrawn = async () => (++asked > 1 ? given : undefined)
    simulator.control.fail({ ...CREATE, kind: 'lock_timeout' })
    const second = create(id, 'Ada', { ...own, withdrawn })
    await expect(second).rejects.toMatchObject({ code: 'provider_unknown_outcome', retryAfterSeconds: 17 })
    const made = await arrive()
    expect(await madeBy(id)).toMatchObject([{ id: made }])
    expect(await state(id)).toBe('succeeded')
  })
})

describe('a call that says how things shall be', () => {
  const name = (id: string, customer: string, name: string) => {
    const call = { id, kind: 'customer.update', subjectId: id, body: { name }, repeatable: true }
    return callStripe(deps, call, (stripe, options) => stripe.customers.update(customer, { name }, options))
  }

  test('says it in other words at once when what it said was done', async () => {
    const { id: customer } = await create(newOperation())
    const id = newOperation()
    await name(id, customer, 'Grace')
    expect((await name(id, customer, 'Hopper')).name).toBe('Hopper')
  })

  // DELETE has no key: https://docs.stripe.com/api/idempotent_requests
  test.each([
    ['refused twice, was not done', [], false],
    ['put off, and then refused twice, was not done', [{ kind: 'rate_limit' }], false],
    ['unanswered, and then refused twice, may have been done', [{ kind: 'timeout_after_commit' }], true],
  ] as const)('%s', async (_, faults, expected) => {
    const { id: customer } = await create(newOperation())
    const id = newOperation()
    const path = `/v1/customers/${customer}`
    if (!expected) await deps.provider.stripe.customers.del(customer)
    for (const fault of faults) simulator.control.fail({ ...fault, method: 'DELETE', path })
    const call = { id, kind: 'customer.delete', subjectId: id, body: {}, repeatable: true }
    for (let run = 0; run < 2; run += 1) {
      const made = callStripe(deps, call, (stripe, options) => stripe.customers.del(customer, options))
      await expect(made).rejects.toMatchObject({ code: 'provider_refused' })
      expect([await state(id), await callMayBeDone(deps.db, id)]).toEqual(['refused', expected])
    }
  })
})

describe('a call that waits for its turn at the limiter', () => {
  /** A process of its own: the same account through a limiter, and a clock that goes on while it waits. */
  async function waiting() {
    const [waits, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const time = { now: deps.clock.now() }
    const wait = (): Promise<void> => {
      waits.resolve()
      return gate.promise
    }
    // Nobody has taken a turn before.
    await database.pool.query('delete from provider_limit')
    const provider = await openProvider(database, {
      apiKey: 'sk_test_lockstep',
      apiBase: simulator.url,
      // One to an endpoint at once, and the next nine seconds later: a person waits for ten.
      limits: { account: 1000, endpoint: 1 / 9, burst: 1 },
      pace: { random: () => 0.5, wait },
    })
    await provider.stripe.customers.create({ name: 'Takes the turn' })
    return { own: { ...deps, provider, clock: { now: () => time.now } }, time, waits: waits.promise, gate }
  }

  test('is not taken for dead and made a second time by whoever takes it over in other words', async () => {
    const id = newOperation()
    const { own, time, waits, gate } = await waiting()
    const first = create(id, 'Ada', own)
    await waits
    time.now += 60
    const second = await create(id, 'Grace', { ...deps, clock: own.clock })
    gate.resolve()
    expect((await first).id).toBe(second.id)
    expect(await madeBy(id)).toMatchObject([{ id: second.id, name: 'Grace' }])
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'succeeded', attempt: 2 })
  })

  test('is not sent any more when it was given up meanwhile', async () => {
    const id = newOperation()
    const given = new Problem('registration_canceled', 'Not any more.')
    const { own, time, waits, gate } = await waiting()
    let isGivenUp = false
    const first = create(id, 'Ada', { ...own, withdrawn: async () => (isGivenUp ? given : undefined) })
    await waits
    isGivenUp = true
    time.now += 60
    gate.resolve()
    await expect(first).rejects.toBe(given)
    expect(await madeBy(id)).toEqual([])
    expect(await state(id)).toBe('refused')
  })

  test('is counted when its turn has come: from then on its answer is waited for', async () => {
    const id = newOperation()
    const { own, time, waits, gate } = await waiting()
    const first = create(id, 'Ada', own)
    await waits
    time.now += 60
    gate.resolve()
    const { id: made } = await first
    expect(await madeBy(id)).toMatchObject([{ id: made }])
    expect(await readOperation(deps.db, id)).toMatchObject({ repeats: 1, repeatedAt: time.now, answered: 1 })
  })
})

describe('what cannot be settled', () => {
  test('is parked when nothing can be looked up', async () => {
    const id = newOperation()
    const body = { name: 'Ada' }
    const call = (own: CallDeps) =>
      callStripe(own, { id, kind: 'customer.create', subjectId: id, body }, (stripe, options) =>
        stripe.customers.create(body, options),
      )
    simulator.control.fail({ ...CREATE, kind: 'timeout_before_commit', times: 100 })
    await expect(call(deps)).rejects.toBeInstanceOf(Problem)
    simulator.control.clearFaults()
    await expect(call(later(24 * 3600))).rejects.toMatchObject({ code: 'provider_unknown_outcome' })
    expect(await state(id)).toBe('parked')
  })

  test('is parked when Stripe keeps failing for one key after the other', async () => {
    const id = newOperation()
    simulator.control.fail({ ...CREATE, kind: 'error_500_stored', times: 100 })
    for (let run = 0; run < 2; run += 1) await expect(create(id)).rejects.toBeInstanceOf(Problem)
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'parked', attempt: 5 })
    // A person who has it tried again gets one attempt more, and is not sent away for ever.
    await expect(create(id)).rejects.toBeInstanceOf(Problem)
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'parked', attempt: 6 })
    simulator.control.clearFaults()
    await create(id)
    expect(await madeBy(id)).toHaveLength(1)
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'succeeded', attempt: 7 })
  })
})

describe('a refusal', () => {
  test('is thrown with the code of its reason, never with its words', async () => {
    const id = newOperation()
    const attach = callStripe(
      deps,
      { id, kind: 'payment_method.attach', subjectId: id, body: {} },
      (stripe, options) => stripe.paymentMethods.attach('pm_card_visa', { customer: 'cus_nobody' }, options),
    )
    await expect(attach).rejects.toMatchObject({
      code: 'provider_refused',
      detail: 'The payment provider refused: resource_missing (customer).',
    })
    expect(await state(id)).toBe('refused')
  })

  test('of a card is the bank saying no', async () => {
    const customer = await create(newOperation())
    const id = newOperation()
    const attach = callStripe(
      deps,
      { id, kind: 'payment_method.attach', subjectId: id, body: {} },
      (stripe, options) =>
        stripe.paymentMethods.attach(
          'pm_card_chargeDeclinedInsufficientFunds',
          { customer: customer.id },
          options,
        ),
    )
    await expect(attach).rejects.toMatchObject({ code: 'card_declined', status: 402 })
  })

  test('that is learnt late says nothing of the attempt that somebody has begun since', async () => {
    const id = newOperation()
    const gates = { late: Promise.withResolvers<void>(), next: Promise.withResolvers<void>() }
    const begun = Promise.withResolvers<void>()
    const body = { name: 'x'.repeat(10_000), metadata: ownMetadata(deps.provider, id) }
    const late = callStripe(
      deps,
      { id, kind: 'customer.create', subjectId: id, body },
      async (stripe, options) => {
        try {
          return await stripe.customers.create(body, options)
        } finally {
          await gates.late.promise
        }
      },
    )
    await expect(create(id, body.name)).rejects.toMatchObject({ code: 'provider_refused' })
    const words = { name: 'Ada', metadata: body.metadata }
    const next = callStripe(
      deps,
      { id, kind: 'customer.create', subjectId: id, body: words },
      async (stripe, options) => {
        begun.resolve()
        await gates.next.promise
        return stripe.customers.create(words, options)
      },
    )
    await begun.promise
    gates.late.resolve()
    await expect(late).rejects.toMatchObject({ code: 'provider_refused' })
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'prepared', attempt: 2 })
    gates.next.resolve()
    await next
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'succeeded', attempt: 2 })
  })

  test('made nothing, so asking again is a new attempt', async () => {
    const id = newOperation()
    await expect(create(id, 'x'.repeat(10_000))).rejects.toMatchObject({ code: 'provider_refused' })
    await create(id, 'Ada')
    expect(await readOperation(deps.db, id)).toMatchObject({ state: 'succeeded', attempt: 2 })
  })
})

test('no call is made while a transaction is open', async () => {
  const requests = simulator.control.requests().total
  await expect(transaction(deps.db, () => create(newOperation()))).rejects.toThrow(
    /inside a database transaction/,
  )
  await expect(
    transaction(deps.db, () => readStripe(deps, (stripe) => stripe.customers.list())),
  ).rejects.toThrow(/inside a database transaction/)
  await expect(transaction(deps.db, () => deps.provider.stripe.customers.list())).rejects.toThrow()
  expect(simulator.control.requests().total).toBe(requests)
})

test('every retry sends the same bytes under the same key', async () => {
  const id = newOperation()
  simulator.control.clearRequests()
  simulator.control.fail({ ...CREATE, kind: 'timeout_after_commit', times: 3 })
  await create(id)
  const sent = simulator.control.requests().requests.filter(({ method }) => method === 'POST')
  expect(sent.length).toBeGreaterThan(1)
  expect(new Set(sent.map(({ params, idempotency_key: key }) => `${key} ${params}`)).size).toBe(1)
})

function posts(): string[] {
  return simulator.control
    .requests()
    .requests.filter(({ method }) => method === 'POST')
    .map(({ path }) => path)
}
