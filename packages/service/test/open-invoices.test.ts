import { afterAll, expect, test } from 'vitest'
import { billingRoutes } from '../src/http/routes/billing.ts'
import { startBoss } from '../src/jobs/boss.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld({ simulator: { settings: { afterRetries: 'past_due' } } }))
const server = await newServer(world.deps, { clock: world.deps.clock })
const boss = await startBoss({ databaseUrl: world.url, log: world.deps.log }, { supervise: false })
billingRoutes(server.app, { ...world.deps, boss })
afterAll(() => boss.stop({ graceful: true, timeout: 5000 }))

interface OpenInvoice {
  readonly number: string | null
  readonly providerId: string
  readonly period: { readonly end: string }
  readonly amountRemaining: { readonly amount: string }
  readonly nextPaymentAttemptAt: string | null
  readonly hostedInvoiceUrl: string
}

async function openOf({ customerId }: Pick<Payer, 'customerId'>): Promise<OpenInvoice[]> {
  const { body } = await server.call({ method: 'GET', url: `/v1/customers/${customerId}/billing` })
  return (body as { openInvoices: OpenInvoice[] }).openInvoices
}

const told = async (payer: Payer) =>
  (await openOf(payer)).map(
    ({ period, amountRemaining, nextPaymentAttemptAt: next }) =>
      `${period.end.slice(0, 10)} ${amountRemaining.amount} ${next}`,
  )

test('what a declined card left unpaid is shown with when it is tried next and where it is paid, until it is', async () => {
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  expect(await openOf(ada)).toEqual([])
  const bad = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: ada.customer,
  })
  await world.stripe.customers.update(ada.customer, {
    invoice_settings: { default_payment_method: bad.id },
  })

  // Final, and tried for the first time, an hour after the renewal; then after 3, 5 and 7 days more.
  await world.turn(ada, '2026-02-10T02:00:00Z')
  await world.deliver()
  expect(await told(ada)).toEqual(['2026-02-10 20.00 2026-02-13T01:00:00Z'])
  const [first] = await openOf(ada)
  const there = await world.stripe.invoices.retrieve(first?.providerId ?? '')
  expect(first).toMatchObject({
    ...{ number: there.number, hostedInvoiceUrl: there.hosted_invoice_url, status: 'open' },
    ...{ subscription: ada.subscriptionId, customer: ada.customerId, externalId: ada.externalId },
  })
  await world.turn(ada, '2026-02-13T02:00:00Z')
  await world.deliver()
  expect(await told(ada)).toEqual(['2026-02-10 20.00 2026-02-18T01:00:00Z'])

  await world.turn(ada, '2026-03-10T02:00:00Z')
  await world.deliver()
  expect(await told(ada)).toEqual(['2026-02-10 20.00 null', '2026-03-10 20.00 2026-03-13T01:00:00Z'])

  const visa = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: ada.customer })
  await world.stripe.invoices.pay(first?.providerId ?? '', { payment_method: visa.id })
  await world.deliver()
  expect(await told(ada)).toEqual(['2026-03-10 20.00 2026-03-13T01:00:00Z'])

  await world.stripe.invoices.markUncollectible((await openOf(ada))[0]?.providerId ?? '')
  await world.deliver()
  expect(await openOf(ada)).toEqual([])
})

test('what waits is shown also of a subscription that has ended, and of none', async () => {
  const bob = await world.register('dinar', '2026-01-10T00:00:00Z')
  const bad = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: bob.customer,
  })
  await world.stripe.customers.update(bob.customer, {
    invoice_settings: { default_payment_method: bad.id },
  })
  await world.turn(bob, '2026-02-10T02:00:00Z')
  await world.stripe.subscriptions.cancel(bob.subscription)
  const sent = await world.stripe.invoices.create({
    ...{ customer: bob.customer, currency: 'kwd', collection_method: 'send_invoice', days_until_due: 14 },
  })
  await world.stripe.invoiceItems.create({
    ...{ customer: bob.customer, invoice: sent.id, amount: 1230, currency: 'kwd' },
  })
  await world.stripe.invoices.finalizeInvoice(sent.id)
  await world.deliver()
  const open = await openOf(bob)
  expect(open).toMatchObject([
    { subscription: bob.subscriptionId, amountRemaining: { amount: '2.000', currency: 'kwd' } },
    {
      ...{ subscription: null, amountRemaining: { amount: '1.230', currency: 'kwd' } },
      ...{ nextPaymentAttemptAt: null, providerId: sent.id },
    },
  ])
  // One who has nothing at all.
  const carl = await world.register('plain', '2026-01-10T00:00:00Z')
  expect(await openOf(carl)).toEqual([])
})
