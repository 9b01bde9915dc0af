import { expect, test } from 'vitest'
import { contractRoutes } from '../src/http/routes/contracts.ts'
import { erasureRoutes } from '../src/http/routes/erasure.ts'
import { newId } from '../src/ids.ts'
import { eraseWhatCameLater } from '../src/jobs/erase-again.ts'
import { makeEvents } from '../src/outbox/make-events.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { insertBusMessage, listBusMessages } from '../src/store/bus-messages.ts'
import { insertOverride } from '../src/store/price-overrides.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { smallCatalog } from './support/catalogs.ts'
import { patient } from './support/patient.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld({ catalog: smallCatalog }))
const server = await newServer(world)
erasureRoutes(server.app, { ...world.deps, workflows: patient(world.workflows) })
contractRoutes(server.app, world)
const ask = (
  method: 'GET' | 'POST',
  url: string,
): Promise<{ status: number; body: Record<string, unknown> }> => server.call({ method, url })

/** Every row of every table that says a word, table by table. */
async function tablesSaying(word: string): Promise<string[]> {
  const { rows: tables } = await world.pool.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  )
  const saying: string[] = []
  for (const { name } of tables) {
    const { rows } = await world.pool.query(`select 1 from "${name}" t where t::text ilike $1 limit 1`, [
      `%${word}%`,
    ])
    if (rows.length > 0) saying.push(name)
  }
  return saying
}

test('who a customer was is gone from every table; contracts and invoices still hold', async () => {
  const ada = await world.register('team', '2026-01-31T09:30:00Z')
  await world.deliver()
  const word = `${ada.externalId}@example.org`
  // What the application wrote at Stripe, and a message that found no plan, say it too.
  await world.stripe.subscriptions.update(ada.subscription, { metadata: { contact: word } })
  await world.deliver()
  const content = { externalId: ada.externalId, email: word, plan: 'none' }
  await insertBusMessage(world.deps.db, {
    ...{ id: newId('bus_message'), subject: 'profile', source: 'auth', messageId: 'one', content },
    ...{ problem: null, sentAt: null, at: world.wall.time },
  })
  const { customerId, subscriptionId } = ada
  await transaction(world.db, (trx) =>
    insertOverride(trx, {
      ...{ id: newId('price_override'), customerId, subscriptionId, firstPeriod: 'currentPeriod' },
      ...{ price: 'usage', terms: null, startsAt: world.wall.time, expectedAt: world.wall.time },
      ...{ reason: `Promised to ${word}`, agent: word, madeBy: 'api_key_1', madeAt: world.wall.time },
    }),
  )
  const path = `/v1/customers/${ada.customerId}/erasure`

  // As long as something is under way it is refused, and says what.
  const refused = await ask('POST', `${path}?dryRun=false`)
  expect(refused).toMatchObject({ status: 409, body: { code: 'customer_in_use' } })
  expect(refused.body.errors).toMatchObject([{ code: 'subscription_live' }, { code: 'invoice_unfinished' }])

  const card = await world.stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_visa' },
    billing_details: { email: word },
  })
  await world.stripe.paymentMethods.attach(card.id, { customer: ada.customer })
  await world.stripe.customers.update(ada.customer, { address: { country: 'DE', postal_code: '10115' } })
  await world.stripe.subscriptions.cancel(ada.subscription)
  await world.deliver()
  expect(await tablesSaying(word)).toEqual([
    'bus_message',
    'contract_acceptance',
    'customer_profile',
    'price_override',
    'provider_event',
    'provider_object',
  ])

  const dry = await ask('POST', path)
  expect(dry).toMatchObject({
    status: 200,
    body: { dryRun: true, erased: { profiles: 1, acceptances: 1, requests: 2 }, provider: 'queued' },
  })
  expect(await tablesSaying(word)).toHaveLength(6)

  const done = await ask('POST', `${path}?dryRun=false`)
  expect(done).toMatchObject({
    status: 200,
    body: { dryRun: false, erased: dry.body.erased, provider: 'told' },
  })
  expect(await tablesSaying(word)).toEqual([])
  expect(await listBusMessages(world.deps.db, { limit: 10 })).toMatchObject([
    { state: 'processed', outcome: 'erased' },
  ])
  // No digest of what was sent is left, of the customer or of what was bought: they have no salt.
  const { rows: digests } = await world.pool.query(
    `select kind from operation o where body_hash <> '' and exists (
       select from registration r where r.customer_id = $1 and o.subject_id in (r.customer_id, r.subscription_id))`,
    [ada.customerId],
  )
  expect(digests.map(({ kind }) => kind)).toEqual(['customer.update'])
  expect(await world.stripe.customers.retrieve(ada.customer)).toMatchObject({
    name: null,
    email: null,
    address: null,
  })

  // The event of that very change says what the address was.
  await world.deliver()
  expect(await tablesSaying(word)).toEqual(['provider_event'])
  world.wall.time += 86_400
  await eraseWhatCameLater(world.deps)
  expect(await tablesSaying(word)).toEqual([])

  const chain = await ask('GET', `/v1/customers/${ada.customerId}/contract-chain`)
  expect(chain.body).toMatchObject({ intact: true, contracts: 1, erased: 1 })
  const { body } = await ask('GET', `/v1/contracts?customer=${ada.customerId}`)
  const [contract] = body.data as { id: string }[]
  expect((await ask('GET', `/v1/contracts/${contract?.id}`)).body).toMatchObject({ person: null })
  expect((await world.invoices(ada)).map(({ status, total }) => `${status} ${total}`)).toContain('paid 900')

  // Taken off long afterwards, a card says whose it was, and names no customer.
  world.wall.time += 30 * 86_400
  await world.stripe.paymentMethods.detach(card.id)
  await world.deliver()
  expect(await tablesSaying(word)).toEqual(['provider_event'])
  await eraseWhatCameLater(world.deps)
  expect(await tablesSaying(word)).toEqual([])

  // Once more is nothing more.
  expect(await ask('POST', `${path}?dryRun=false`)).toMatchObject({
    status: 200,
    body: { erased: { profiles: 0, acceptances: 0, requests: 0, providerRows: 0 } },
  })
})

test('so is who had a card that was taken off, and whom a comparison, a change and a secret named', async () => {
  const word = 'Secretname'
  const eve = await world.register('team', '2026-01-31T09:30:00Z')
  await world.deliver()
  const card = await world.stripe.paymentMethods.create({
    type: 'card',
    card: { token: 'tok_visa' },
    billing_details: { name: `Evelyn ${word}` },
  })
  await world.stripe.paymentMethods.attach(card.id, { customer: eve.customer })
  await world.deliver()
  await world.stripe.paymentMethods.detach(card.id)
  await world.deliver()
  await world.stripe.customers.update(eve.customer, { email: `${word}@example.org` })
  expect((await findDrift(world.deps)).drifts).toMatchObject([
    { differences: [{ field: 'email', there: `${word}@example.org` }] },
  ])
  // With an endpoint every change is noted.
  await world.pool.query(
    `insert into webhook_endpoint (id, url, secrets, created_at) values ('endpoint_1', 'https://app.example/', '[]', now())`,
  )
  await world.pool.query('update customer_profile set address = $2 where customer_id = $1', [
    eve.customerId,
    JSON.stringify({ country: 'DE', line1: `${word} 1` }),
  ])
  // What came with a change of plan, and why usage was corrected.
  await world.pool.query(
    `with asked as (
       insert into workflow (id, kind, subject_id, input, state, created_at, ended_at)
       values ('workflow_asked', 'change-plan', 'plan_change_asked', jsonb_build_object('profile', $2::text), 'completed', now(), now())
       returning id)
     insert into plan_change (id, customer_id, subscription_id, workflow_id, request_hash, from_plan_version_id, from_quantity,
       plan_version_id, quantity, direction, takes_effect, state, contract_id, requested_by, effective_at, created_at)
     select 'plan_change_asked', s.customer_id, s.id, asked.id, $2, s.plan_version_id, 1, s.plan_version_id, 2, 'upgrade', 'now',
       'effective', 'contract_asked', 'test', now(), now() from subscription s, asked where s.id = $1`,
    [eve.subscriptionId, word],
  )
  await world.pool.query(
    `insert into usage_correction (id, customer_id, meter_key, kind, period_start, period_end, removed_events, removed_quantity,
       added_events, added_quantity, effect, reason, made_by, agent, made_at)
     values ('usage_correction_1', $1, 'seconds', 'backfill', now(), now(), 0, 0, 0, 0, '{}', $2, 'test', $2, now())`,
    [eve.customerId, word],
  )
  await world.stripe.subscriptions.cancel(eve.subscription)
  await world.deliver()
  // Gone there, it is linked to nobody here.
  await world.stripe.customers.del(eve.customer)
  await world.deliver()
  expect(await world.stripe.customers.retrieve(eve.customer)).toMatchObject({ deleted: true })
  expect(await tablesSaying(word)).toContain('provider_event')

  const done = await ask('POST', `/v1/customers/${eve.customerId}/erasure?dryRun=false`)
  expect(done.status).toBe(200)
  await world.deliver()
  world.wall.time += 86_400
  await eraseWhatCameLater(world.deps)
  expect(await tablesSaying(word)).toEqual([])
  // Whoever has it may pay as the customer, so it is not even stored.
  expect(await tablesSaying('\\_secret\\_')).toEqual([])
})

test('so are links to pages that show it, and what somebody wrote on an item in the dashboard', async () => {
  const word = 'Wordofmouth'
  await world.pool.query('delete from webhook_endpoint')
  await world.pool.query(
    `insert into webhook_endpoint (id, url, secrets, created_at) values ('endpoint_2', 'https://app.example/', '[]', now())`,
  )
  const may = await world.register('team', '2026-01-31T09:30:00Z')
  await world.deliver()
  await world.stripe.subscriptions.cancel(may.subscription)
  await world.stripe.customers.update(may.customer, {
    description: `Friend of ${word}`,
    invoice_settings: { custom_fields: [{ name: 'For', value: word }], footer: `Thank you, ${word}` },
  })
  // It stands, and no subscription will bill it.
  const item = await world.stripe.invoiceItems.create({
    ...{ customer: may.customer, currency: 'usd', amount: 1200, description: `Lesson for ${word}` },
  })
  await world.stripe.invoiceItems.update(item.id, { description: `Lesson with ${word}` })
  await world.deliver()
  await makeEvents(world.deps)
  const { data } = await world.stripe.invoices.list({ customer: may.customer })
  const [page] = data.map(({ hosted_invoice_url: url }) => url)
  if (!page) throw new Error('There is no page of an invoice.')
  expect(await tablesSaying(page)).toEqual(['invoice', 'outgoing_event', 'provider_event', 'provider_object'])
  expect(await tablesSaying(word)).toEqual(['pending_item', 'provider_event', 'provider_object'])

  const done = await ask('POST', `/v1/customers/${may.customerId}/erasure?dryRun=false`)
  expect(done.status).toBe(200)
  expect(await tablesSaying(page)).toEqual([])
  expect(await tablesSaying(word)).toEqual([])
  // What stands is billed as before, under another name.
  const { rows } = await world.pool.query(
    `select content ->> 'amount' as amount, content ->> 'description' as description from pending_item where id = $1`,
    [item.id],
  )
  expect(rows).toEqual([{ amount: '1200', description: 'erased' }])

  // Stripe keeps its description of the customer, and tells of it with the very change of the name: until the night.
  await world.deliver()
  expect(await tablesSaying(word)).toEqual(['provider_event', 'provider_object'])
  await eraseWhatCameLater(world.deps)
  expect(await tablesSaying(word)).toEqual([])
})
