/**
 * What `registration` is held against: six steps written by hand, each remembered in a commit of its own
 * before the next, and one more for what was asked. No intentions, no checks, no way back, no HTTP.
 */
import pg from 'pg'
import Stripe from 'stripe'

export interface PlainOptions {
  readonly databaseUrl: string
  readonly stripeUrl: string
  readonly price: string
  readonly connections: number
  readonly seconds: number
}

export interface PlainResult {
  readonly seconds: number
  readonly registrations: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as PlainOptions
const { hostname: host, port } = new URL(options.stripeUrl)
const stripe = new Stripe('sk_test_bench', { host, port: Number(port), protocol: 'http', telemetry: false })
const pool = new pg.Pool({ connectionString: options.databaseUrl, max: options.connections })
await pool.query(`create table if not exists plain_user (id bigserial primary key, customer text, subscription text, state text not null);
  create table if not exists plain_step (user_id bigint not null references plain_user, name text not null, result jsonb, primary key (user_id, name))`)

let registrations = 0
const start = performance.now()
const end = start + options.seconds * 1000

async function register(): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into plain_user (state) values ('started') returning id`,
  )
  const user = rows[0]?.id ?? ''
  const done = (name: string, result: string) =>
    pool.query('insert into plain_step (user_id, name, result) values ($1, $2, to_jsonb($3::text))', [
      user,
      name,
      result,
    ])
  const customer = await stripe.customers.create({ metadata: { user } })
  await done('create customer', customer.id)
  await pool.query('update plain_user set customer = $2 where id = $1', [user, customer.id])
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await done('attach payment method', method.id)
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
  await done('set default payment method', method.id)
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: options.price }],
    metadata: { user },
  })
  await done('start subscription', subscription.id)
  await pool.query(`update plain_user set subscription = $2, state = 'completed' where id = $1`, [
    user,
    subscription.id,
  ])
  registrations += 1
}

async function connection(): Promise<void> {
  while (performance.now() < end) await register()
}

await Promise.all(Array.from({ length: options.connections }, connection))
const result: PlainResult = { seconds: (performance.now() - start) / 1000, registrations }
console.log(JSON.stringify(result))
await pool.end()
