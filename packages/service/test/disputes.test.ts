import { expect, test } from 'vitest'
import { disputeRoutes } from '../src/http/routes/disputes.ts'
import { showSync } from '../src/invoice/figures.ts'
import { createMetrics } from '../src/metrics.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer({ db: world.db }, { clock: world.deps.clock })
disputeRoutes(server.app, world.deps)

const list = async (query: string) =>
  (
    (await server.call({ method: 'GET', url: `/v1/disputes?${query}` })).body as {
      data: Record<string, unknown>[]
    }
  ).data

async function disputedPayer(): Promise<Payer> {
  // Its first payment is taken back at once.
  const payer = await world.register('plain', '2026-01-31T09:30:00Z', {
    paymentMethod: 'pm_card_createDispute',
  })
  await world.deliver()
  return payer
}

test('a disputed payment is shown with its customer and invoice, and followed until it is decided', async () => {
  const payer = await disputedPayer()
  const [atStripe] = (await world.stripe.disputes.list({ limit: 1 })).data
  const [invoice] = (await world.invoices(payer)).filter(({ status }) => status === 'paid')
  const [dispute, ...more] = await list(`customer=${payer.customerId}`)
  expect(more).toEqual([])
  expect(dispute).toMatchObject({
    customer: payer.customerId,
    invoice: invoice?.id,
    status: 'needs_response',
    reason: 'fraudulent',
    amount: { amount: '20.00', currency: 'usd' },
    providerId: atStripe?.id,
  })
  expect(await list(`invoice=${invoice?.id}&open=true`)).toEqual([dispute])
  expect(await list(`invoice=${invoice?.id}&open=false`)).toEqual([])

  await world.stripe.disputes.update(atStripe?.id ?? '', {
    evidence: { uncategorized_text: 'winning_evidence', customer_email_address: 'ada@example.org' },
  })
  // Backwards and twice: it is one, and stands as at Stripe.
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) {
    await world.receive(event)
    await world.drain()
  }
  expect(await list(`customer=${payer.customerId}`)).toMatchObject([{ id: dispute?.id, status: 'won' }])
  expect(await list(`customer=${payer.customerId}&open=true`)).toEqual([])
  // It is still paid, and who the evidence names is not kept with it.
  expect((await world.invoices(payer)).find(({ id }) => id === invoice?.id)?.status).toBe('paid')
  const { rows } = await world.pool.query(`select raw::text from provider_object where type = 'dispute'`)
  expect(rows).toHaveLength(1)
  expect(rows[0].raw).not.toContain('ada@example.org')
})

test('it is told and counted', async () => {
  await world.pool.query(
    `insert into webhook_endpoint (id, url, secrets, created_at) values ('webhook_endpoint_1', 'https://app.example', '[]', now())`,
  )
  const payer = await disputedPayer()
  const { rows } = await world.pool.query(
    `select source, after ->> 'customer_id' as customer, after ->> 'status' as status from outgoing_change
     where source = 'dispute'`,
  )
  expect(rows).toEqual([{ source: 'dispute', customer: payer.customerId, status: 'needs_response' }])
  const metrics = createMetrics()
  showSync({ ...world.deps, metrics, nextRound: (now) => now })
  expect(await metrics.registry.metrics()).toContain('lockstep_disputes{status="needs_response"} 1\n')
})

test('of somebody else nothing is kept', async () => {
  const customer = await world.stripe.customers.create({ name: 'A stranger' })
  await world.stripe.paymentIntents.create({
    ...{ amount: 4000, currency: 'usd', customer: customer.id },
    ...{ payment_method: 'pm_card_createDispute', confirm: true, off_session: true },
  })
  const before = (await list('limit=100')).length
  await world.deliver()
  expect(await list('limit=100')).toHaveLength(before)
})
