import { expect, test } from 'vitest'
import { erasureRoutes } from '../src/http/routes/erasure.ts'
import { newId } from '../src/ids.ts'
import { beginRegistration } from '../src/workflow/begin-registration.ts'
import { changeCustomer } from '../src/workflow/change-customer.ts'
import { doDue } from '../src/workflow/due.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world)
erasureRoutes(server.app, { ...world.deps, workflows: world.workflows })

const remove = (id: string) => server.call({ method: 'DELETE', url: `/v1/customers/${id}` })

async function emailOf({ customerId }: Payer): Promise<string | null | undefined> {
  const { rows } = await world.pool.query<{ email: string | null }>(
    'select email from customer_profile where customer_id = $1',
    [customerId],
  )
  return rows[0]?.email
}

test('what is left is billed first, and who it is erased when the last invoice is final', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.registerAlso(ada, 'leveled', 'second')
  await world.deliver()
  await world.turn(ada, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(ada, '300', '2026-01-15T00:00:00Z')
  const { status, body } = await remove(ada.customerId)
  expect([status, body]).toMatchObject([200, { customer: ada.customerId, state: 'waiting' }])
  expect((body as { ended: string[] }).ended).toHaveLength(2)
  expect(await emailOf(ada)).toBe(`${ada.externalId}@example.org`)
  await world.deliver()
  const due = () => doDue({ ...world.deps, workflows: world.workflows })
  await due()
  expect(await emailOf(ada)).toBe(`${ada.externalId}@example.org`)
  await world.turn(ada, '2026-01-20T02:00:00Z')
  await world.deliver()
  await due()
  expect(await emailOf(ada)).toBeUndefined()
  expect((await world.stripe.customers.retrieve(ada.customer)) as object).toMatchObject({ email: null })
  expect((await world.atStripe(ada)).flatMap(({ lines }) => lines)).toContain('300 Seconds: 300 second')
  // Asked again, there is nothing left to do.
  expect((await remove(ada.customerId)).body).toMatchObject({ ended: [], state: 'erased' })
})

test('an end that is refused stops it with the reason: nothing is erased', async () => {
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  // Something else is being done to it, by a version that this one does not know.
  await world.pool.query(
    `with running as (insert into workflow (id, kind, subject_id, input, state, created_at)
       values ('workflow_other', 'other', 'deed_other', '{}', 'running', now()) returning id)
     insert into subscription_deed (id, customer_id, subscription_id, kind, input, actor, operation, workflow_id, created_at)
     select 'deed_other', $1, $2, 'other', '{}', 'test', 'operation_other', id, now() from running`,
    [bob.customerId, bob.subscriptionId],
  )
  const { status, body } = await remove(bob.customerId)
  expect([status, body]).toMatchObject([409, { code: 'subscription_changing' }])
  expect(await emailOf(bob)).toBe(`${bob.externalId}@example.org`)
})

test('what was begun is given up first: a page that is still open charges nobody who is forgotten', async () => {
  const page = { returnUrl: 'https://app.example/welcome', cancelUrl: 'https://app.example/pricing' }
  const begun = await beginRegistration(
    world.deps,
    {
      externalId: 'eve',
      email: 'eve@example.org',
      quantity: 1,
      plan: 'plain',
      slot: 'default',
      paymentPage: page,
    },
    { operation: newId('operation'), mayGivePlans: true },
  )
  const workflow = begun.workflow ?? { id: '', holder: '' }
  world.workflows.begin(workflow.id, workflow.holder)
  expect(await world.workflows.settled(workflow.id, 600)).toMatchObject({ state: 'requiresAction' })
  const { customerId } = await world.db
    .selectFrom('registration')
    .select('customerId')
    .where('id', '=', begun.registrationId)
    .executeTakeFirstOrThrow()
  const { data: open } = await world.stripe.checkout.sessions.list({ status: 'open' })
  expect(open).toHaveLength(1)

  expect(await remove(customerId)).toMatchObject({ status: 200, body: { ended: [], state: 'erased' } })
  expect((await world.stripe.checkout.sessions.retrieve(open[0]?.id ?? '')).status).toBe('expired')
  expect(await world.workflows.settled(workflow.id, 600)).toMatchObject({ state: 'rolledBack' })
  const { rows } = await world.pool.query('select 1 from customer_profile where customer_id = $1', [
    customerId,
  ])
  expect(rows).toEqual([])
})

test('who was deleted at Stripe owes nothing that could be billed, and is erased at once', async () => {
  const eve = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.use(eve, '300', '2026-01-10T00:00:00Z')
  await world.stripe.customers.del(eve.customer)
  await world.deliver()
  await world.sync(eve, 'schedule')
  expect((await world.invoices(eve)).map(({ status, total }) => `${status} ${total}`)).toEqual([
    'void 0',
    'paid 2000',
  ])
  expect((await remove(eve.customerId)).body).toMatchObject({ ended: [], state: 'erased' })
  // Nobody is named by being called nothing: who was erased stays erased.
  await changeCustomer(
    { ...world.deps, workflows: world.workflows },
    { id: eve.customerId, providerId: null },
    { name: null },
  )
  expect(await emailOf(eve)).toBeUndefined()
})
