import type { Catalog } from '@lockstep/core/catalog'
import { creditNoteRoutes } from '@lockstep/service/http/routes/credit-notes'
import { planChangeRoutes } from '@lockstep/service/http/routes/plan-changes'
import { refundRoutes } from '@lockstep/service/http/routes/refunds'
import { registrationRoutes } from '@lockstep/service/http/routes/registrations'
import { subscriptionDeedRoutes } from '@lockstep/service/http/routes/subscription-deeds'
import { subscriptionStartRoutes } from '@lockstep/service/http/routes/subscription-starts'
import type { Connection } from '@lockstep/service/postgres/connect'
import { someAtOnce } from '@lockstep/service/some-at-once'
import { doDue } from '@lockstep/service/workflow/due'
import { workflowKinds } from '@lockstep/service/workflow/kinds'
import { makeWorkflows, type Workflows } from '@lockstep/service/workflow/workflows'
import {
  type BillingWorld,
  newBillingWorld,
  type Payer,
} from '../../../packages/service/test/support/billing-world.ts'
import { mortalConnection } from '../../../packages/service/test/support/mortal.ts'
import { newServer } from '../../../packages/service/test/support/server.ts'
import type { Random } from '../../support/random.ts'
import { catalog as lives } from './plans.ts'

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface Request {
  readonly method: 'POST' | 'PATCH' | 'GET'
  readonly url: string
  readonly payload?: object
  /** Repeated with it, it is the same request. */
  readonly key: string
}

/** Where lives are lived: our database, the provider, and what customers do there and with us. */
export interface LifeWorld
  extends Pick<BillingWorld, 'stripe' | 'pool' | 'simulator' | 'register' | 'turn' | 'use'> {
  sync(payer: Payer): Promise<unknown>
}

/** The service behind its routes, a Stripe, and what happened there on its way to us. */
export interface Stage {
  readonly world: LifeWorld
  ask(request: Request): Promise<Answer>
  /** Delivers everything that happened, in whatever order and some of it twice, and does what is due. */
  settle(random: Random): Promise<void>
  close(): Promise<void>
}

interface StageOptions {
  readonly deaths?: Random | undefined
  /** What is sold; that of the random lives unless said. */
  readonly catalog?: Catalog
}

/** Statements of the longest request: every one of them is a place to die. */
const LONGEST_LIFE = 60
/** As many as the service has connections: a slow machine does not make the others wait for one too long. */
const DELIVERED_AT_ONCE = 8
const SECRETS = ['a secret of the tests, long enough']

/** With `deaths`, every sixth request is answered by a process that dies after one of its statements. */
export async function newStage({ deaths, catalog = lives }: StageOptions = {}): Promise<Stage> {
  const world = await newBillingWorld({ catalog })
  const { db, pool, deps, workflows } = world
  const askLiving = await asker({ db, pool }, deps, workflows)
  async function ask(request: Request): Promise<Answer> {
    if (deaths?.below(6) === 0 && request.method !== 'GET')
      await askMortal(world, request, 1 + deaths.below(LONGEST_LIFE))
    return askLiving(request)
  }

  async function deliver(random: Random): Promise<number> {
    const events = await world.newEvents()
    const twice = events.filter(() => random.below(8) === 0)
    await someAtOnce(random.shuffle([...events, ...twice]), DELIVERED_AT_ONCE, (event) =>
      world.receive(event),
    )
    await world.drain()
    return events.length
  }
  return {
    world,
    ask,
    async settle(random) {
      let news = await deliver(random)
      while (news > 0) {
        await doDue({ ...deps, workflows })
        await workflows.resumeDue()
        news = await deliver(random)
      }
    },
    close: () => world.close(),
  }
}

/**
 * Asks a process that dies on the way, and lets time pass without waiting for it: what it held is free, and the
 * next process goes on with what was begun. Whoever got no answer asks the same once more.
 */
async function askMortal(world: BillingWorld, request: Request, statements: number): Promise<void> {
  const { pool, deps, workflows } = world
  const connection = mortalConnection(world.url, statements)
  const mortal = { ...deps, ...connection }
  const kinds = workflowKinds({ ...mortal, drainInbox: async () => 0, doDue: async () => 0 })
  const own = makeWorkflows(mortal, kinds)
  try {
    await (await asker(connection, mortal, own))(request)
  } finally {
    await own.close()
    await connection.close()
  }
  await pool.query(`update workflow set lease_until = null, next_attempt_at = null where ended_at is null`)
  await pool.query(`update idempotency_key set locked_until = '-infinity' where completed_at is null`)
  await workflows.resumeDue()
}

/** The routes of a process, without a port. */
async function asker(
  connection: Pick<Connection, 'db' | 'pool'>,
  deps: BillingWorld['deps'],
  workflows: Workflows,
): Promise<(request: Request) => Promise<Answer>> {
  const server = await newServer(connection)
  const parts = { ...deps, ...connection, workflows, config: { secrets: SECRETS } }
  for (const register of [
    creditNoteRoutes,
    planChangeRoutes,
    refundRoutes,
    registrationRoutes,
    subscriptionDeedRoutes,
    subscriptionStartRoutes,
  ])
    register(server.app, parts)
  return async ({ method, url, payload, key }) => {
    const headers = method === 'GET' ? {} : { 'idempotency-key': key }
    const { status, body } = await server.call({ method, url, headers, ...(payload && { payload }) })
    return { status, body }
  }
}
