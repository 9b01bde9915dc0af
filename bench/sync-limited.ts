import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { defineCatalog } from '@lockstep/core/catalog'
import { type Client, createClient } from '@lockstep/sdk'
import { type Bench, median } from './bench.ts'
import { ADMIN_KEY, openStageWithSimulator, type Stage, type StageWithSimulator } from './stage.ts'

const INVOICES = 500
/** Of somebody who waits for the answer, one after the other while the invoices are synchronised. */
const PEOPLE = 12
const AT_ONCE = 16

/** Requests a second in all, and for one endpoint: what a live account has by default. */
const RATE = { account: 80, endpoint: 20 }
/** So many times the bound is too late for a figure. */
const PATIENCE = 4

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' } },
  meters: { units: { name: 'Units', unitLabel: 'unit', aggregation: 'sum' } },
  plans: {
    cloud: {
      name: 'Cloud',
      product: 'cloud',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '10.00' },
        units: { meter: 'units', product: 'cloud', model: 'perUnit', unitAmount: '0.01' },
      },
    },
  },
})

/**
 * 500 dirty invoices, sent under the limiter of an account: the shortest time in which the busiest endpoint can take
 * its calls ÷ the time from the moment at which all are due to the last one that is told. Meanwhile somebody else asks for
 * invoices of their own, and waits.
 */
export const syncLimited: Bench = {
  name: 'sync-limited',
  unit: 's',
  bar: 0.9,
  run: async ({ note }) => {
    const stage = await openStageWithSimulator()
    try {
      // Never by itself while they are made.
      const unlimited = await stage.startService({ ...stage.stripe, LOCKSTEP_SYNC_CRON: '0 0 29 2 *' })
      const before = createClient({ baseUrl: unlimited.url, apiKey: ADMIN_KEY })
      await before.catalog.apply(catalogDocumentOf(catalog))
      const names = Array.from({ length: INVOICES + PEOPLE }, (_, i) => `user-${i}`)
      const customers = await together(names, (name) => register(before, name))
      note(`${customers.length} customers`)
      const time = new Date().toISOString()
      await before.usage.send(
        names.map((subject) => {
          const event = { source: 'bench', id: subject, type: 'units', subject, time }
          return { ...event, data: { quantity: '7' } }
        }),
      )
      await unlimited.stop()

      const { url } = await stage.startService({
        ...stage.stripe,
        LOCKSTEP_STRIPE_RATE: `${RATE.account},${RATE.endpoint}`,
        LOCKSTEP_SYNC_CRON: '* * * * *',
      })
      const client = createClient({ baseUrl: url, apiKey: ADMIN_KEY })
      const [many, people] = [customers.slice(0, INVOICES), customers.slice(INVOICES)]
      await stage.forgetRequests()
      await allAtOnce(stage, names.length)
      const begun = performance.now()
      const waited = waitInLine(client, people)
      const seconds = await untilTold(stage, many, begun)
      const { bound, calls } = await boundOf(stage)
      const ratio = bound / seconds
      return {
        ...{ value: seconds, baseline: bound, ratio, ratios: [ratio] },
        remarks: [
          `${calls} calls at ${RATE.endpoint}/s an endpoint and ${RATE.account}/s in all`,
          await waited,
        ],
      }
    } finally {
      await stage.close()
    }
  },
}

async function register(client: Client, externalId: string): Promise<string> {
  const wanted = { externalId, plan: 'cloud', paymentMethod: 'pm_card_visa' }
  const begun = await client.registrations.create(wanted)
  const { state } = await client.registrations.ended(begun.id)
  if (state !== 'completed') throw new Error(`The registration is ${state}.`)
  return begun.customer
}

/** A few at a time, in order. */
async function together<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [i, item] of queue) results[i] = await work(item)
    }),
  )
  return results
}

/** The schedule spreads its jobs over five minutes: as soon as they are there, all of them are due. */
async function allAtOnce(stage: Stage, count: number): Promise<void> {
  for (;;) {
    const due = await stage.query(
      stage.databaseUrl,
      `update pgboss.job set start_after = now() where name = 'sync-subscription' and state = 'created'
          and (select count(*) from pgboss.job where name = 'sync-subscription') >= ${count}
        returning id`,
    )
    if (due.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A sync of one line is two calls, each of which may wait a slot of its endpoint. */
async function waitInLine(client: Client, people: readonly string[]): Promise<string> {
  const took: number[] = []
  for (const customer of people) {
    const invoice = await client.invoices.list({ customer, status: 'current' }).first()
    if (!invoice) throw new Error('There is no current invoice.')
    const asked = performance.now()
    await client.invoices.sync(invoice.id)
    took.push(performance.now() - asked)
  }
  const slots = (2 * 1000) / RATE.endpoint
  const [middle, most] = [median(took), Math.max(...took)].map(Math.round)
  return `meanwhile a sync that somebody waits for took ${middle} ms, at most ${most}; its two slots are ${slots} ms`
}

/** Seconds until the provider was told of all of them, and of the right amount. */
async function untilTold(stage: Stage, customers: readonly string[], begun: number): Promise<number> {
  const list = customers.map((customer) => `'${customer}'`).join(', ')
  const most = (PATIENCE * INVOICES) / RATE.endpoint
  for (;;) {
    const [row] = await stage.query<{ waiting: number; placed: number }>(
      stage.databaseUrl,
      `select count(*) filter (where dirty or sync_pending)::int4 as waiting,
              (select count(*)::int4 from invoice_item where customer_id in (${list}) and state = 'placed' and amount = 7) as placed
         from invoice where customer_id in (${list}) and status = 'current'`,
    )
    const seconds = (performance.now() - begun) / 1000
    if (row?.waiting === 0 && row.placed === customers.length) return seconds
    if (seconds > most) throw new Error(`${row?.waiting} invoices still wait after ${Math.round(seconds)} s.`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The shortest time that the limits allow for what was asked. */
async function boundOf(stage: StageWithSimulator): Promise<{ bound: number; calls: number }> {
  const requests = await stage.requests()
  const endpoints = Map.groupBy(requests, ({ method, route, path }) => `${method} ${route ?? path}`)
  const busiest = Math.max(...[...endpoints.values()].map((asked) => asked.length))
  return { bound: Math.max(busiest / RATE.endpoint, requests.length / RATE.account), calls: requests.length }
}
