import { beginImport } from '@lockstep/service/workflow/import/import-account'
import { workflowKinds } from '@lockstep/service/workflow/kinds'
import { makeWorkflows, type Workflows } from '@lockstep/service/workflow/workflows'
import type Stripe from 'stripe'
import { type Installation, newInstallation } from '../../packages/service/test/support/installation.ts'
import { mortalConnection } from '../../packages/service/test/support/mortal.ts'
import { type Random, seeded } from '../support/random.ts'
import { newSimulator } from '../support/simulator.ts'

export interface ImportRuns {
  readonly customers: number
  readonly kills: number
  readonly seed: number
}

export interface ImportVerdict {
  readonly customers: number
  readonly subscriptions: number
  readonly deaths: number
  /** Requests to Stripe, and how few pages its lists have. */
  readonly calls: number
  readonly fewestCalls: number
  readonly breaches: readonly string[]
}

/** What Stripe gives at once. */
const PAGE = 100
/** Statements that a customer and its subscriptions take, about: deaths are spread over the whole import. */
const STATEMENTS_EACH = 30
const AT_ONCE = 8
const COUPONS = ['SPRING', 'SUMMER', 'AUTUMN', 'WINTER']

/**
 * Imports an account that was made without us, in processes that die after a number of statements, and holds what
 * stands here afterwards against what Stripe lists, neither of it through our own code.
 */
export async function crashImport({ customers, kills, seed }: ImportRuns): Promise<ImportVerdict> {
  const random = seeded(seed)
  const simulator = await newSimulator()
  const installation = await newInstallation(simulator)
  try {
    const { stripe } = installation.deps.provider
    await fillAccount(stripe, customers, random)
    let [calls, deaths] = [0, 0]
    for (let life = 1; life <= kills + 1; life += 1) {
      const most = Math.ceil((customers * STATEMENTS_EACH) / Math.max(1, kills))
      const statements = life > kills ? Number.MAX_SAFE_INTEGER : 1 + random.below(most)
      simulator.control.clearRequests()
      if (await liveAndDie(installation, statements)) deaths += 1
      calls += simulator.control.requests().requests.length
    }
    const there = await listed(stripe)
    const breaches = await hold(installation, there)
    const fewestCalls = pagesOf(there)
    if (calls * 100 > fewestCalls * 105 + deaths * 100)
      breaches.push(`${calls} calls for ${fewestCalls} pages and ${deaths} deaths`)
    const { subscriptions } = there
    return { customers, subscriptions: subscriptions.length, deaths, calls, fewestCalls, breaches }
  } finally {
    await simulator.close()
    await installation.close()
  }
}

/** One process: begins the import, or goes on with what the last one left. True: it died of it. */
export async function liveAndDie(installation: Installation, statements: number): Promise<boolean> {
  const connection = mortalConnection(installation.database.url, statements)
  const deps = { ...installation.deps, ...connection }
  const workflows: Workflows = makeWorkflows(
    deps,
    workflowKinds({ ...deps, drainInbox: async () => 0, doDue: async () => 0 }),
  )
  try {
    await beginImport({ ...deps, workflows }, { dryRun: false, operation: 'operation_of_the_import' })
    await workflows.resumeDue()
    const { rows } = await installation.database.pool.query<{ id: string }>(
      'select workflow_id as id from import_run',
    )
    for (const { id } of rows) await workflows.stopped(id)
  } catch (error) {
    if (!connection.died()) throw error
  } finally {
    await workflows.close()
    await connection.close()
  }
  // The lease of the dead runs out, and whoever waits waits no longer: time passes without being waited for.
  await installation.database.pool.query(
    'update workflow set lease_until = null, next_attempt_at = null where ended_at is null',
  )
  return connection.died()
}

/** Two products, four prices in two rhythms and two currencies, a fifth of all customers with a second subscription, and a third of them with a coupon. */
async function fillAccount(stripe: Stripe, customers: number, random: Random): Promise<void> {
  const prices: Record<string, string[]> = { usd: [], jpy: [] }
  for (const name of ['Team', 'Studio']) {
    const product = await stripe.products.create({ name })
    for (const [currency, interval] of [
      ['usd', 'month'],
      ['jpy', 'year'],
    ] as const) {
      const price = await stripe.prices.create({
        product: product.id,
        currency,
        unit_amount: 500 + random.below(1000),
        recurring: { interval },
      })
      prices[currency]?.push(price.id)
    }
  }
  for (const id of COUPONS) await stripe.coupons.create({ id, percent_off: 20, duration: 'forever' })
  const numbers = Array.from({ length: customers }, (_, number) => number).values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const number of numbers) {
        const currency = number % 4 === 3 ? 'jpy' : 'usd'
        const customer = await stripe.customers.create({
          name: `Customer ${number}`,
          email: `customer-${number}@example.org`,
        })
        const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
        for (let count = number % 5 === 0 ? 2 : 1; count > 0; count -= 1) {
          const price = prices[currency]?.[count - 1] ?? ''
          await stripe.subscriptions.create({
            customer: customer.id,
            items: [{ price, quantity: 1 + (number % 7) }],
            default_payment_method: card.id,
            ...(number % 11 === 0 && { trial_period_days: 14 }),
            ...(number % 13 === 0 && { cancel_at_period_end: true }),
            ...(number % 3 === 0 && { discounts: [{ coupon: COUPONS[number % COUPONS.length] ?? '' }] }),
          })
        }
      }
    }),
  )
}

interface Account {
  readonly customers: readonly Stripe.Customer[]
  readonly subscriptions: readonly Stripe.Subscription[]
}

async function listed(stripe: Stripe): Promise<Account> {
  const [customers, subscriptions]: [Stripe.Customer[], Stripe.Subscription[]] = [[], []]
  for await (const customer of stripe.customers.list({ limit: PAGE })) customers.push(customer)
  for await (const one of stripe.subscriptions.list({ limit: PAGE, status: 'all' })) subscriptions.push(one)
  return { customers, subscriptions }
}

/** Products, prices, coupons, promotion codes, open and draft invoices and pending items take a page each; an empty list is one as well. */
function pagesOf({ customers, subscriptions }: Account): number {
  return Math.ceil(customers.length / PAGE) + Math.ceil(subscriptions.length / PAGE) + 7
}

async function hold({ database: { pool } }: Installation, there: Account): Promise<string[]> {
  const breaches: string[] = []
  const { rows: customers } = await pool.query<{ id: string; name: string; email: string }>(
    `select m.provider_id as id, p.name, p.email from customer c
       join customer_profile p on p.customer_id = c.id
       left join mapping m on m.entity_type = 'customer' and m.entity_id = c.id`,
  )
  compare(
    breaches,
    'customer',
    there.customers.map(({ id, name, email }) => [id, `${name} ${email}`]),
    customers.map(({ id, name, email }) => [id, `${name} ${email}`]),
  )
  const { rows: subscriptions } = await pool.query<Record<string, string>>(
    `select m.provider_id as id, c.provider_id as customer, s.status, s.quantity, s.currency,
            extract(epoch from s.current_period_end)::bigint as end, s.cancel_at_period_end as ends
       from subscription s left join mapping m on m.entity_type = 'subscription' and m.entity_id = s.id
       left join mapping c on c.entity_type = 'customer' and c.entity_id = s.customer_id`,
  )
  compare(
    breaches,
    'subscription',
    there.subscriptions.map((one) => [
      one.id,
      [
        typeof one.customer === 'string' ? one.customer : one.customer.id,
        one.status,
        one.items.data[0]?.quantity,
        one.currency,
        one.items.data[0]?.current_period_end,
        one.cancel_at_period_end,
      ].join(' '),
    ]),
    subscriptions.map((one) => [
      one.id ?? '',
      [one.customer, one.status, one.quantity, one.currency, one.end, one.ends].join(' '),
    ]),
  )
  const { rows: discounts } = await pool.query<{ id: string; off: string }>(
    `select id, terms->'off'->>'percent' || ' ' || jsonb_array_length(products) as off from provider_discount`,
  )
  compare(
    breaches,
    'discount',
    there.subscriptions.flatMap((one) =>
      one.discounts.map((id) => [typeof id === 'string' ? id : id.id, '20 0'] as const),
    ),
    discounts.map(({ id, off }) => [id, off]),
  )
  const { rows: runs } = await pool.query<{
    proof: { unequalCount: number; mrr: { there: string; here: string }[] }
  }>('select proof from import_run where ended_at is not null')
  const [run, ...others] = runs
  if (!run || others.length > 0) breaches.push(`${runs.length} imports came to their end`)
  else if (run.proof.unequalCount > 0 || run.proof.mrr.some((sum) => sum.there !== sum.here))
    breaches.push(`the proof does not hold: ${JSON.stringify(run.proof)}`)
  const { rows: open } = await pool.query<{ count: string }>(
    `select count(*) from subscription s where s.status in ('active', 'trialing')
       and (select count(*) from invoice i where i.subscription_id = s.id and i.status = 'current') <> 1`,
  )
  if (Number(open[0]?.count) !== 0)
    breaches.push(`${open[0]?.count} subscriptions have not one current invoice`)
  return breaches
}

type Said = readonly [id: string, text: string]

/** What is on one side only, twice here, or said otherwise. */
function compare(breaches: string[], what: string, there: readonly Said[], here: readonly Said[]): void {
  const expected = new Map(there)
  const met = new Set<string>()
  for (const [id, text] of here) {
    if (met.has(id)) breaches.push(`${what} ${id} is here twice`)
    met.add(id)
    const wanted = expected.get(id)
    if (wanted === undefined) breaches.push(`${what} ${id} is not at Stripe`)
    else if (wanted !== text) breaches.push(`${what} ${id} is ${text}, and at Stripe ${wanted}`)
  }
  for (const [id] of there) if (!met.has(id)) breaches.push(`${what} ${id} is not here`)
}
