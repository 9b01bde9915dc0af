import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { erasureRoutes } from '../src/http/routes/erasure.ts'
import { newId } from '../src/ids.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { beginRegistration } from '../src/workflow/begin-registration.ts'
import { doDue } from '../src/workflow/due.ts'
import { detachLeft, leaveMethodsOfForgotten } from '../src/workflow/left-methods.ts'
import { type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { mortalConnection } from './support/mortal.ts'
import { newServer, type TestServer } from './support/server.ts'

let world: BillingWorld
let server: TestServer
beforeAll(async () => {
  world = await newBillingWorld({ simulator: { settings: { afterRetries: 'past_due' } } })
  server = await newServer(world)
  erasureRoutes(server.app, { ...world.deps, workflows: world.workflows })
})
afterAll(() => world.close())

const doWhatIsDue = () => doDue({ ...world.deps, workflows: world.workflows })
const remove = ({ customerId }: Payer) =>
  server.call({ method: 'DELETE', url: `/v1/customers/${customerId}` })
const dryRun = async ({ customerId }: Payer) => {
  const { body } = await server.call({ method: 'POST', url: `/v1/customers/${customerId}/erasure` })
  return (body as { paymentMethods: unknown }).paymentMethods
}

async function methodsOf({ customer }: Payer): Promise<string[]> {
  const { data } = await world.stripe.customers.listPaymentMethods(customer, { limit: 100 })
  return data.map(({ id }) => id)
}

async function defaultOf({ customer }: Payer): Promise<string | null> {
  const found = await world.stripe.customers.retrieve(customer)
  if (found.deleted) throw new Error('It was deleted.')
  const { default_payment_method: method } = found.invoice_settings
  return method === null ? null : idOf(method)
}

/** With which method each of a customer's paid invoices was paid, and how much, oldest first. */
async function paidBy({ customer }: Payer): Promise<string[]> {
  const { data } = await world.stripe.charges.list({ customer, limit: 100 })
  return data
    .filter(({ paid }) => paid)
    .map(({ amount, payment_method: method }) => `${amount} ${method}`)
    .reverse()
}

async function ownMethod(payer: Payer, token: string, { isDefault = true } = {}): Promise<string> {
  const { id } = await world.stripe.paymentMethods.attach(token, { customer: payer.customer })
  if (isDefault)
    await world.stripe.customers.update(payer.customer, { invoice_settings: { default_payment_method: id } })
  return id
}

/** Registers again under the same name; how it ended. */
async function comeBack({ externalId }: Payer, plan: string, paymentMethod?: string) {
  const brings = paymentMethod === undefined ? {} : { paymentMethod }
  const begun = await beginRegistration(
    world.deps,
    { externalId, plan, quantity: 1, slot: 'default', ...brings },
    { operation: newId('operation'), mayGivePlans: true },
  )
  const { id, holder } = begun.workflow ?? { id: '', holder: '' }
  world.workflows.begin(id, holder)
  const { state, problem } = await world.workflows.settled(id, 600)
  return { state, code: (problem as { code?: string } | null)?.code ?? null }
}

const outcomes = async ({ customerId }: Payer) => {
  const { rows } = await world.pool.query<{ outcome: string | null }>(
    'select outcome from customer_erasure where customer_id = $1 order by id',
    [customerId],
  )
  return rows.map(({ outcome }) => outcome)
}

/** The renewal of 10 February cannot be charged, a card that can is there by then, and the customer goes. */
async function leavesOneOpen() {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await ownMethod(payer, 'pm_card_chargeCustomerFail')
  await world.turn(payer, '2026-02-10T02:00:00Z')
  await world.deliver()
  const old = await ownMethod(payer, 'pm_card_visa')
  const { body } = await remove(payer)
  await world.deliver()
  if ((body as { state: string }).state === 'waiting') {
    await world.turn(payer, '2026-02-10T04:00:00Z')
    await world.deliver()
  }
  const { data } = await world.stripe.invoices.list({ customer: payer.customer, status: 'open' })
  const [open] = data
  if (!open) throw new Error('No invoice is open.')
  return { payer, old, open: open.id }
}

test('who was erased and comes back without a card pays as one who has none: refused, and nothing is charged', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const more = []
  for (let i = 0; i < 120; i += 1) more.push(await ownMethod(ada, 'pm_card_visa', { isDefault: false }))
  const bank = await ownMethod(ada, 'pm_usBankAccount_success', { isDefault: false })
  const old = await defaultOf(ada)
  const before = await paidBy(ada)
  expect(before).toEqual([`2000 ${old}`])
  expect((await remove(ada)).body).toMatchObject({ state: 'erased' })
  const none = 'payment_method_required'
  // Not taken off yet.
  await expect(comeBack(ada, 'plain')).rejects.toMatchObject({ code: none })
  await doWhatIsDue()
  expect(await methodsOf(ada)).toEqual([])
  expect(await defaultOf(ada)).toBeNull()
  expect((await world.stripe.paymentMethods.retrieve(bank)).customer).toBeNull()
  expect(await outcomes(ada)).toEqual(['detached'])
  // And now that it is.
  expect(await comeBack(ada, 'plain')).toEqual({ state: 'rolledBack', code: none })
  expect(await paidBy(ada)).toEqual(before)
  // A trial needs none, as of anybody.
  await world.deliver()
  expect(await comeBack(ada, 'trying')).toEqual({ state: 'completed', code: null })
  expect(await paidBy(ada)).toEqual(before)
})

test('the card that is given then is charged and stays, though the old one is taken off later', async () => {
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const old = await defaultOf(bob)
  await remove(bob)
  await world.deliver()
  // Nothing was taken off yet; the old card, named, is none.
  expect(await methodsOf(bob)).toEqual([old])
  expect(await comeBack(bob, 'plain', old ?? '')).toMatchObject({ state: 'rolledBack' })
  expect(await comeBack(bob, 'plain', 'pm_card_mastercard')).toEqual({ state: 'completed', code: null })
  await doWhatIsDue()
  const [own, ...others] = await methodsOf(bob)
  expect(others).toEqual([])
  expect(own).not.toBe(old)
  expect(await paidBy(bob)).toEqual([`2000 ${old}`, `2000 ${own}`])
  expect(await defaultOf(bob)).toBe(own)
  // Done twice, it is done once.
  const { rows } = await world.pool.query<{ id: string }>(
    'select id from customer_erasure where customer_id = $1',
    [bob.customerId],
  )
  for (const { id } of rows) expect(await detachLeft(world.deps, id)).toBe('detached')
  expect(await methodsOf(bob)).toEqual([own])
})

test('an open invoice is paid by the old card, which pays for nothing else and is taken off then', async () => {
  const { payer: cleo, old, open } = await leavesOneOpen()
  const left = await methodsOf(cleo)
  expect(left).toHaveLength(3)
  await doWhatIsDue()
  expect(await methodsOf(cleo)).toEqual(left)
  expect(await outcomes(cleo)).toEqual([null])
  expect(await defaultOf(cleo)).toBeNull()
  expect(await dryRun(cleo)).toEqual({ found: left.map((id) => ({ id, type: 'card' })), waitsFor: [open] })

  await expect(comeBack(cleo, 'plain')).rejects.toMatchObject({ code: 'payment_method_required' })
  expect(await comeBack(cleo, 'plain', 'pm_card_mastercard')).toEqual({ state: 'completed', code: null })
  const own = await defaultOf(cleo)
  expect(left).not.toContain(own)
  await world.deliver()
  await doWhatIsDue()
  expect(await methodsOf(cleo)).toEqual([own, ...left])

  // What is owed of the time before is tried once more: by the card of that time.
  await world.stripe.invoices.pay(open)
  await world.deliver()
  expect((await paidBy(cleo)).slice(1)).toEqual([`2000 ${own}`, `2000 ${old}`])
  world.wall.time += 600
  await doWhatIsDue()
  expect(await methodsOf(cleo)).toEqual([own])
  expect(await outcomes(cleo)).toEqual(['detached'])
  expect(await defaultOf(cleo)).toBe(own)
})

test('a void invoice and an uncollectible one need no card any more', async () => {
  for (const end of ['voidInvoice', 'markUncollectible'] as const) {
    const { payer, open } = await leavesOneOpen()
    await doWhatIsDue()
    expect(await methodsOf(payer)).toHaveLength(3)
    await world.stripe.invoices[end](open)
    await world.deliver()
    world.wall.time += 600
    await doWhatIsDue()
    expect(await methodsOf(payer)).toEqual([])
    expect(await outcomes(payer)).toEqual(['detached'])
  }
})

test('killed after any statement, by two at once and again: the old ones are taken off, and the new one stays', async () => {
  const { payer: dan, open } = await leavesOneOpen()
  const { rows } = await world.pool.query<{ id: string }>(
    'select id from customer_erasure where customer_id = $1',
    [dan.customerId],
  )
  const id = rows[0]?.id ?? ''
  let deaths = 0
  const goOn = async () => {
    for (let statements = 0; ; statements += 1) {
      const mortal = mortalConnection(world.url, statements)
      const outcome = await detachLeft({ ...world.deps, ...mortal }, id).catch((error: unknown) => {
        if (!mortal.died()) throw error
        deaths += 1
      })
      const died = mortal.died()
      await mortal.pool.end().catch(() => {})
      // What it sent is certainly done by then.
      world.wall.time += 60
      if (!died) return outcome
    }
  }
  expect(await goOn()).toBeNull()
  expect(await defaultOf(dan)).toBeNull()
  expect(await comeBack(dan, 'plain', 'pm_card_mastercard')).toEqual({ state: 'completed', code: null })
  const own = await defaultOf(dan)
  await world.stripe.invoices.pay(open)
  await world.deliver()
  expect(await goOn()).toBe('detached')
  expect(deaths).toBeGreaterThan(10)
  expect(await methodsOf(dan)).toEqual([own])
  expect((await paidBy(dan)).slice(1).map((text) => text.split(' ')[0])).toEqual(['2000', '2000'])

  const eve = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await remove(eve)
  await Promise.allSettled([doWhatIsDue(), doWhatIsDue()])
  world.wall.time += 600
  await doWhatIsDue()
  expect(await methodsOf(eve)).toEqual([])
  expect(await outcomes(eve)).toEqual(['detached'])
})

test('of others nothing is touched: another installation, a link that is gone, one who was deleted', async () => {
  const fay = await world.register('plain', '2026-01-10T00:00:00Z')
  const gus = await world.register('plain', '2026-01-10T00:00:00Z')
  const hal = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const { id: product } = await world.stripe.products.create({ name: 'Other' })
  const price = { currency: 'usd', product, recurring: { interval: 'month' as const }, unit_amount: 500 }
  const theirs = await world.stripe.subscriptions.create({
    customer: fay.customer,
    items: [{ price_data: price }],
    metadata: { lockstep_instance: 'instance_of_others' },
  })
  await world.deliver()
  for (const payer of [fay, gus, hal]) expect((await remove(payer)).body).toMatchObject({ state: 'erased' })
  const other = await world.stripe.customers.create({})
  await world.pool.query(`delete from mapping where entity_type = 'customer' and entity_id = $1`, [
    gus.customerId,
  ])
  await world.pool.query(
    `insert into mapping (entity_type, entity_id, provider, provider_account, livemode, provider_type, provider_id, origin, created_at)
     select entity_type, $1, provider, provider_account, livemode, provider_type, $2, origin, created_at
       from mapping where entity_type = 'customer' and entity_id = $3`,
    [gus.customerId, other.id, fay.customerId],
  )
  const kept = await ownMethod({ ...gus, customer: other.id }, 'pm_card_visa')
  await world.stripe.customers.del(hal.customer)
  await doWhatIsDue()
  expect([await outcomes(fay), await outcomes(gus), await outcomes(hal)]).toEqual([
    [null],
    ['unlinked'],
    ['deleted'],
  ])
  expect(await methodsOf(gus)).toHaveLength(1)
  expect(await methodsOf({ ...gus, customer: other.id })).toEqual([kept])
  // The card is the other installation's as well: it stays, and pays for nothing that begins here.
  const [shared] = await methodsOf(fay)
  expect(await defaultOf(fay)).toBe(shared)
  for (const plan of ['plain', 'trying'])
    await expect(comeBack(fay, plan)).rejects.toMatchObject({ code: 'payment_method_required' })
  await world.stripe.subscriptions.cancel(theirs.id)
  await world.deliver()
  world.wall.time += 600
  await doWhatIsDue()
  expect([await methodsOf(fay), await outcomes(fay)]).toEqual([[], ['detached']])
})

/**
 * Stripe with two bank accounts of the older kind on every customer, which the simulator does not have: in front of
 * it, as https://docs.stripe.com/api/customer_bank_accounts says. The first one is the default until it is deleted.
 */
async function withSources(ids: readonly string[]) {
  const left = [...ids]
  const asked: string[] = []
  const server = createServer((request, response) => {
    const answer = async () => {
      const { method = 'GET', url = '' } = request
      const path = url.split('?')[0] ?? ''
      const body = await text(request)
      const [, source] = /^\/v1\/customers\/[^/]+\/sources(?:\/(.+))?$/.exec(path) ?? []
      if (path.endsWith('/sources')) {
        const data = left.map((id) => ({ id, object: 'bank_account' }))
        return { object: 'list', data, has_more: false, url: path }
      }
      if (method === 'DELETE' && source !== undefined) {
        asked.push(`DELETE ${source}`)
        left.splice(left.indexOf(source), 1)
        return { id: source, object: 'bank_account', deleted: true }
      }
      if (method === 'POST' && path.startsWith('/v1/invoices/') && body.includes('default_source')) {
        asked.push(`POST invoice ${body}`)
        return {
          ...(await world.stripe.invoices.retrieve(path.split('/')[3] ?? '')),
          default_source: left[0],
        }
      }
      const { authorization = '', 'idempotency-key': key } = request.headers
      const there = await fetch(`${world.simulator.url}${url}`, {
        method,
        headers: {
          ...{ authorization, 'content-type': 'application/x-www-form-urlencoded' },
          ...(typeof key === 'string' && { 'idempotency-key': key }),
        },
        ...(method === 'POST' && { body }),
      })
      const object = (await there.json()) as object
      return /^\/v1\/customers\/[^/]+$/.test(path) ? { ...object, default_source: left[0] ?? null } : object
    }
    void answer().then((object) => response.end(JSON.stringify(object)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stripe = new Stripe('sk_test_lockstep', { protocol: 'http', host: '127.0.0.1', port })
  return {
    deps: { ...world.deps, provider: { ...world.deps.provider, stripe } },
    left,
    asked,
    close: () => server.close(),
  }
}

test('an account of the older kind is deleted; while an invoice is open it stays, and pays for nothing new', async () => {
  const { payer, open } = await leavesOneOpen()
  // It alone is the default.
  await world.stripe.customers.update(payer.customer, { invoice_settings: { default_payment_method: '' } })
  const older = await withSources(['ba_1', 'ba_2'])
  const { rows } = await world.pool.query<{ id: string }>(
    'select id from customer_erasure where customer_id = $1',
    [payer.customerId],
  )
  const id = rows[0]?.id ?? ''
  expect(await detachLeft(older.deps, id)).toBeNull()
  expect(older.asked).toEqual(['POST invoice default_source=ba_1'])
  for (const plan of ['plain', 'trying'])
    await expect(comeBack(payer, plan)).rejects.toMatchObject({ code: 'payment_method_required' })
  await world.stripe.invoices.voidInvoice(open)
  await world.deliver()
  // One that was added since is not theirs.
  older.left.push('ba_3')
  expect(await detachLeft(older.deps, id)).toBe('detached')
  expect(older.asked.slice(1)).toEqual(['DELETE ba_1', 'DELETE ba_2'])
  expect([await methodsOf(payer), older.left]).toEqual([[], ['ba_3']])
  older.close()
})

test('who was erased by an earlier version is taken up at night, but for who came back since', async () => {
  const ivy = await world.register('plain', '2026-01-10T00:00:00Z')
  const jon = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  world.wall.time += 60
  for (const payer of [ivy, jon]) await remove(payer)
  await world.deliver()
  for (const payer of [ivy, jon]) {
    await world.pool.query('delete from customer_erasure where customer_id = $1', [payer.customerId])
    await world.pool.query(`delete from due where kind = 'detach-left-methods' and customer_id = $1`, [
      payer.customerId,
    ])
  }
  world.wall.time += 60
  expect(await comeBack(jon, 'trying')).toEqual({ state: 'completed', code: null })
  const nightly = () => transaction(world.db, (trx) => leaveMethodsOfForgotten(trx, world.deps.clock))
  expect([await nightly(), await nightly()]).toEqual([1, 0])
  await doWhatIsDue()
  expect([await methodsOf(ivy), await outcomes(ivy)]).toEqual([[], ['detached']])
  expect([(await methodsOf(jon)).length, await outcomes(jon)]).toEqual([1, []])
})
