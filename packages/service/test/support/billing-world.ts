import { createHmac } from 'node:crypto'
import { type Catalog, defineCatalog } from '@lockstep/core/catalog'
import { defaultSyncPolicy, type SyncPolicy } from '@lockstep/core/direction'
import { formatInstant, type Instant, parseInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { defaultTimeRules } from '@lockstep/core/usage-rules'
import type Stripe from 'stripe'
import type { Simulator, SimulatorOptions } from 'stripe-simulator'
import { newDatabase } from '../../../../test/support/database.ts'
import { newEventReader } from '../../../../test/support/new-events.ts'
import { newSimulator, serviceDeps } from '../../../../test/support/simulator.ts'
import { newId } from '../../src/ids.ts'
import { drainInbox } from '../../src/inbox/process.ts'
import { receive } from '../../src/inbox/receive.ts'
import { readInvoice, type ShownInvoice } from '../../src/invoice/read.ts'
import type { InvoiceRow } from '../../src/store/invoices.ts'
import { newDirectory } from '../../src/usage/directory.ts'
import { newIngest } from '../../src/usage/ingest.ts'
import { newMonths } from '../../src/usage/months.ts'
import { readRequest } from '../../src/usage/read-request.ts'
import { readSent } from '../../src/usage/sent.ts'
import { newWriter } from '../../src/usage/writer.ts'
import { applyCatalog } from '../../src/workflow/apply-catalog.ts'
import { beginRegistration } from '../../src/workflow/begin-registration.ts'
import { doDue } from '../../src/workflow/due.ts'
import { workflowKinds } from '../../src/workflow/kinds.ts'
import { newTestClock } from '../../src/workflow/make-test-clock.ts'
import { syncSubscription } from '../../src/workflow/sync-invoice.ts'
import { makeWorkflows, type Workflows } from '../../src/workflow/workflows.ts'

const at = (text: string): Instant => {
  const instant = parseInstant(text)
  if (instant === undefined) throw new Error(`not a time: ${text}`)
  return instant
}

/** A plan of a monthly fee and one sub-cent rate, with figures that are easy to check. */
const plainCatalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
    level: { name: 'Level', unitLabel: 'unit', aggregation: 'last' },
  },
  plans: {
    plain: {
      name: 'Plain',
      product: 'cloud',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
        compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' },
      },
    },
    tiered: {
      name: 'Tiered',
      product: 'cloud',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
        compute: {
          meter: 'seconds',
          product: 'compute',
          model: 'graduated',
          tiers: [
            { upTo: '100', unitAmount: '0.10' },
            { upTo: null, unitAmount: '0.01' },
          ],
        },
        support: { product: 'cloud', model: 'percentage', percent: '10' },
      },
    },
    seats: {
      name: 'Seats',
      product: 'cloud',
      interval: 'month',
      prices: {
        seat: { kind: 'recurring', model: 'perUnit', unitAmount: '10.00' },
        support: { product: 'cloud', model: 'percentage', percent: '10' },
      },
    },
    leveled: {
      name: 'Leveled',
      product: 'cloud',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
        level: { meter: 'level', product: 'compute', model: 'perUnit', unitAmount: '0.01' },
      },
    },
    trying: {
      name: 'Trying',
      product: 'cloud',
      interval: 'month',
      trialDays: 14,
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
        compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' },
      },
    },
    dinar: {
      name: 'Dinar',
      product: 'cloud',
      currency: 'kwd',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '2.000' },
        compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.001' },
      },
    },
    yen: {
      name: 'Yen',
      product: 'cloud',
      currency: 'jpy',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '2000' },
        compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.1' },
      },
    },
  },
})

export interface Payer {
  readonly externalId: string
  readonly customerId: string
  readonly subscriptionId: string
  /** Stripe's ids. */
  readonly customer: string
  readonly subscription: string
  readonly testClock: string
}

type Wanted = Parameters<typeof beginRegistration>[1]

const SECRET = 'whsec_of_the_tests'

export interface WorldOptions {
  readonly catalog?: Catalog
  readonly simulator?: SimulatorOptions
  readonly sync?: SyncPolicy
}

/** The service without its HTTP: a database, a simulator, and time that is turned by hand. */
export type BillingWorld = Awaited<ReturnType<typeof newBillingWorld>>

export async function newBillingWorld({
  catalog = plainCatalog,
  simulator: options,
  sync = defaultSyncPolicy,
}: WorldOptions = {}) {
  const database = await newDatabase()
  const simulator: Simulator = await newSimulator({
    ...options,
    settings: { unlimitedClocks: true, ...options?.settings },
  })
  const wall = { time: at('2026-01-01T00:00:00Z') }
  const opened = await serviceDeps(database, simulator)
  const provider = { ...opened.provider, sync }
  const parts = { ...opened, provider, clock: { now: () => wall.time } }
  // By a worker that has nothing else to do. What it cannot do is left to the schedule.
  const requestSync = async (id: string) => {
    await syncSubscription(parts, id, { reason: 'schedule' }).catch(() => {})
  }
  const deps = { ...parts, requestSync }
  const { db } = deps
  const { stripe } = provider
  const drain = () => drainInbox(deps)
  const workflows: Workflows = makeWorkflows(
    deps,
    workflowKinds({
      ...deps,
      drainInbox: drain,
      doDue: (testClock) => doDue({ ...deps, workflows }, { testClock }),
    }),
  )
  const writer = newWriter({
    databaseUrl: database.url,
    months: newMonths(deps),
    clock: deps.clock,
    lanes: 2,
    // As long as the machine needs: it is not the time that is tested.
    patienceMs: 600_000,
  })
  const ingest = newIngest(writer.write, { patienceSeconds: 600 })
  const directory = newDirectory(deps)
  await applyCatalog({ ...deps, workflows }, catalog)
  const newEvents = newEventReader(stripe)
  let counter = 0

  async function registerOn(
    plan: string,
    slot: string,
    customer: Pick<Wanted, 'externalId'> & Partial<Wanted>,
  ): Promise<Omit<Payer, 'testClock'>> {
    const begun = await beginRegistration(
      deps,
      { quantity: 1, ...customer, plan, slot },
      { operation: newId('operation'), mayGivePlans: true },
    )
    const { workflow } = begun
    if (!workflow) throw new Error('It was begun before.')
    workflows.begin(workflow.id, workflow.holder)
    // As long as the machine needs: it is not the time that is tested.
    const settled = await workflows.settled(workflow.id, 600)
    if (settled.state !== 'completed')
      throw new Error(`Registration ${settled.state}: ${JSON.stringify(settled.problem)}`)
    const row = await db
      .selectFrom('registration')
      .innerJoin('mapping', 'mapping.entityId', 'registration.subscriptionId')
      .select(['registration.customerId', 'registration.subscriptionId', 'mapping.providerId'])
      .where('registration.id', '=', begun.registrationId)
      .executeTakeFirstOrThrow()
    const subscription = await stripe.subscriptions.retrieve(row.providerId)
    return {
      externalId: customer.externalId,
      customerId: row.customerId,
      subscriptionId: row.subscriptionId,
      customer: subscription.customer as string,
      subscription: row.providerId,
    }
  }

  /** However long it takes: it is not the time that is tested. */
  async function clockAt(name: string, time: string) {
    const operation = newId('operation')
    for (;;) {
      try {
        return await newTestClock({ ...deps, workflows }, { name, frozenTime: at(time) }, operation)
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'provider_unavailable')) throw error
      }
    }
  }

  const world = {
    deps,
    workflows,
    catalog,
    url: database.url,
    db,
    pool: database.pool,
    stripe,
    simulator,
    wall,
    drain,

    /** A customer on a test clock of its own, registered by the real workflow. */
    async register(
      plan: string,
      time: string,
      {
        paymentMethod = 'pm_card_visa',
        ...more
      }: Partial<Pick<Wanted, 'paymentMethod' | 'quantity' | 'coupons' | 'addons'>> = {},
    ): Promise<Payer> {
      counter += 1
      const externalId = `user_${counter}`
      const clock = await clockAt(externalId, time)
      const email = `${externalId}@example.org`
      const known = { externalId, testClock: clock.id, paymentMethod, email, ...more }
      return { ...(await registerOn(plan, 'default', known)), testClock: clock.providerId ?? '' }
    },

    /** A second subscription of the same customer. */
    async registerAlso(
      payer: Payer,
      plan: string,
      slot: string,
      more: Partial<Pick<Wanted, 'paymentMethod'>> = {},
    ): Promise<Payer> {
      return { ...payer, ...(await registerOn(plan, slot, { externalId: payer.externalId, ...more })) }
    },

    /** Usage over the real ingest. */
    async use(
      payer: Payer,
      quantity: string,
      time: string,
      meter = 'seconds',
      data: Record<string, string> = {},
    ): Promise<void> {
      counter += 1
      const event = {
        specversion: '1.0',
        id: `event_${counter}`,
        source: 'test',
        type: meter,
        subject: payer.externalId,
        time,
        data: { ...data, quantity },
      }
      await ingest.take(await readRequest({ directory, times: defaultTimeRules }, readSent([event])))
    },

    /** Turns the customer's clock at Stripe. We hear of it by events, like of everything else. */
    async turn(payer: Payer, time: string): Promise<void> {
      await stripe.testHelpers.testClocks.advance(payer.testClock, { frozen_time: at(time) })
      // As long as the machine needs: it is not the time that is tested.
      const { idle } = await simulator.control.idle({ timeoutMs: 600_000 })
      if (!idle) throw new Error('The clock does not come to rest.')
    },

    /** Every event that was not delivered yet, oldest first. */
    newEvents,

    async receive(event: object): Promise<void> {
      const body = Buffer.from(JSON.stringify(event))
      const mac = createHmac('sha256', SECRET).update(`${wall.time}.`).update(body).digest('hex')
      await receive(
        { ...deps, secrets: [SECRET], nudge: () => {}, onUnhandled: () => {} },
        { body, signature: `t=${wall.time},v1=${mac}` },
      )
    },

    /** Delivers what happened at Stripe, and works on it. */
    async deliver(): Promise<Stripe.Event[]> {
      const events = await world.newEvents()
      for (const event of events) await world.receive(event)
      await drain()
      return events
    },

    sync: (payer: Payer, reason = 'request') => syncSubscription(deps, payer.subscriptionId, { reason }),

    /** Requests that Stripe got while `work` ran, by route. */
    async requests(work: () => Promise<unknown>): Promise<string[]> {
      simulator.control.clearRequests()
      await work()
      return simulator.control
        .requests()
        .requests.map(({ method, route, path }) => `${method} ${route ?? path}`)
    },

    invoices: (payer: Payer): Promise<InvoiceRow[]> =>
      db
        .selectFrom('invoice')
        .selectAll()
        .where('subscriptionId', '=', payer.subscriptionId)
        .orderBy('periodStart')
        .orderBy('periodEnd')
        .orderBy('id')
        .execute(),

    async read(payer: Payer, status: InvoiceRow['status']): Promise<ShownInvoice> {
      const rows = await world.invoices(payer)
      const row = rows.findLast((invoice) => invoice.status === status)
      const shown = row && (await readInvoice(db, row.id))
      if (!shown) throw new Error(`No ${status} invoice among ${rows.map((one) => one.status)}.`)
      return shown
    },

    /** Our invoices in a line each: period, reason, status, total. */
    async story(payer: Payer): Promise<string[]> {
      const rows = await world.invoices(payer)
      return rows.map(
        ({ periodStart, periodEnd, billingReason, status, total }) =>
          `${formatInstant(periodStart).slice(0, 10)} … ${formatInstant(periodEnd).slice(0, 10)} ${billingReason} ${status} ${total ?? '-'}`,
      )
    },

    /** Stripe's own invoices, oldest first, with all their lines. */
    async atStripe(payer: Payer): Promise<{ invoice: Stripe.Invoice; lines: string[] }[]> {
      const invoices: Stripe.Invoice[] = []
      for await (const invoice of stripe.invoices.list({ customer: payer.customer, limit: 100 }))
        invoices.push(invoice)
      return Promise.all(
        invoices.reverse().map(async (invoice) => {
          const lines: string[] = []
          for await (const line of stripe.invoices.listLineItems(invoice.id, { limit: 100 }))
            lines.push(`${line.amount} ${line.description}`)
          return { invoice, lines: lines.sort() }
        }),
      )
    },

    async close(): Promise<void> {
      await workflows.close()
      await ingest.close()
      await writer.close()
      await simulator.close()
      await database.drop()
    },
  }
  return world
}

export const amounts = (shown: ShownInvoice): string[] =>
  shown.lines.map(({ description, amount }) => `${amount.minor} ${description}`)
