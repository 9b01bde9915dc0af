import type { Catalog } from '@lockstep/core/catalog'
import type { Simulator } from 'stripe-simulator'
import { newDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { serviceDeps } from '../../../../test/support/simulator.ts'
import { newBell } from '../../src/bell.ts'
import { addonRoutes } from '../../src/http/routes/addons.ts'
import { catalogRoutes } from '../../src/http/routes/catalog.ts'
import { contractRoutes } from '../../src/http/routes/contracts.ts'
import { couponRoutes } from '../../src/http/routes/coupons.ts'
import { customerRoutes } from '../../src/http/routes/customers.ts'
import { entitlementRoutes } from '../../src/http/routes/entitlements.ts'
import { mappingRoutes } from '../../src/http/routes/mappings.ts'
import { meterRoutes } from '../../src/http/routes/meters.ts'
import { planChangeRoutes } from '../../src/http/routes/plan-changes.ts'
import { planRoutes } from '../../src/http/routes/plans.ts'
import { registrationRoutes } from '../../src/http/routes/registrations.ts'
import { subscriptionRoutes } from '../../src/http/routes/subscriptions.ts'
import { testClockRoutes } from '../../src/http/routes/test-clocks.ts'
import { drainInbox } from '../../src/inbox/process.ts'
import { applyCatalog } from '../../src/workflow/apply-catalog.ts'
import { doDue } from '../../src/workflow/due.ts'
import { workflowKinds } from '../../src/workflow/kinds.ts'
import type { RegisterDeps } from '../../src/workflow/register.ts'
import { makeWorkflows, type Workflows } from '../../src/workflow/workflows.ts'
import { newServer, type ServerWanted } from './server.ts'

/** The service without its process: routes, workflows and a database, beside a simulator. */
export async function newInstallation(simulator: Simulator, catalog?: Catalog, wanted?: ServerWanted) {
  const database = await newDatabase()
  const deps = await serviceDeps(database, simulator)
  const installation = await onDatabase(database, deps, wanted)
  if (catalog) await applyCatalog({ ...deps, workflows: installation.workflows }, catalog)
  return installation
}

export type Installation = Awaited<ReturnType<typeof newInstallation>>

/** A process on a database, perhaps after another one that died. */
export async function onDatabase(
  database: TestDatabase,
  deps: Awaited<ReturnType<typeof serviceDeps>> & Pick<RegisterDeps, 'purchases' | 'tax'>,
  wanted?: ServerWanted,
) {
  const workflows: Workflows = makeWorkflows(
    deps,
    workflowKinds({
      ...deps,
      drainInbox: () => drainInbox(deps),
      doDue: (testClock) => doDue({ ...deps, workflows, requestSync: async () => {} }, { testClock }),
    }),
  )
  const server = await newServer(database, wanted)
  const parts = {
    ...deps,
    workflows,
    bell: newBell(),
    config: { secrets: ['a secret of the tests, long enough'] },
  }
  for (const register of [
    addonRoutes,
    catalogRoutes,
    contractRoutes,
    couponRoutes,
    customerRoutes,
    entitlementRoutes,
    mappingRoutes,
    meterRoutes,
    planChangeRoutes,
    planRoutes,
    registrationRoutes,
    subscriptionRoutes,
    testClockRoutes,
  ]) {
    register(server.app, parts)
  }

  /** One request; the answer's body as it comes, to be matched. */
  async function ask(
    method: 'GET' | 'POST' | 'PATCH',
    url: string,
    payload?: object,
    idempotencyKey?: string,
  ) {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }
    const { status, body } = await server.call({ method, url, headers, ...(payload && { payload }) })
    return { status, body: body as Record<string, unknown> }
  }

  return { database, deps, workflows, app: server.app, call: server.call, ask, close: () => database.drop() }
}

/** Everything of this installation at Stripe, whatever its state. */
export async function atStripe({ deps: { provider } }: Pick<Installation, 'deps'>) {
  const isOwn = ({ metadata }: { metadata: Record<string, string> | null }) =>
    metadata?.lockstep_instance === provider.instance
  const { stripe } = provider
  const customers = await stripe.customers.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })
  const subscriptions = await stripe.subscriptions
    .list({ limit: 100, status: 'all' })
    .autoPagingToArray({ limit: 10_000 })
  return { customers: customers.filter(isOwn), subscriptions: subscriptions.filter(isOwn) }
}
