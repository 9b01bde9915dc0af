// docs.stripe.com/currencies
import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { expect, test } from 'vitest'
import { newSimulator } from '../../../../test/support/simulator.ts'
import { importRoutes } from '../../src/http/routes/imports.ts'
import { findDrift } from '../../src/workflow/drift/find.ts'
import { newInstallation } from '../support/installation.ts'
import { sharedInstallation } from '../support/shared.ts'
import { newSubscriber } from '../support/subscriber.ts'
import { type Code, currencies, fourCurrencies } from './money-world.ts'

const { installation } = await sharedInstallation(fourCurrencies)

async function paidBy(customer: unknown): Promise<number[]> {
  const { stripe } = installation.deps.provider
  const { body } = await installation.ask('GET', `/v1/customers/${customer}`)
  const { data } = await stripe.invoices.list({ customer: String(body.providerId), limit: 100 })
  return data.map(({ amount_paid: paid }) => paid).reverse()
}

// Three seats of 125.5 are 376.5, so 377; of 1250 fils 3750, and of 125 krónur 375. Three payments of 1001.
test.each<[Code, string, number, number]>([
  ['usd', '3.77', 377, 1001],
  ['jpy', '377', 377, 1001],
  ['kwd', '3.750', 3750, 10_010],
  ['isk', '375', 37_500, 100_100],
])('%s: a ticket is paid once as agreed, a course three times', async (code, agreed, ticket, payment) => {
  const wanted = { externalId: `guest_${code}`, paymentMethod: 'pm_card_visa' }
  const bought = await installation.ask('POST', '/v1/registrations', {
    ...{ ...wanted, plan: `${code}-ticket`, quantity: 3, agreed: { amount: agreed } },
  })
  expect([bought.status, bought.body.state]).toEqual([201, 'completed'])
  expect(await paidBy(bought.body.customer)).toEqual([ticket])
  const pupil = await newSubscriber(installation, `${code}-course`, { at: '2026-01-31T09:30:00Z' })
  await pupil.turn('2026-03-31T12:00:00Z')
  expect(await paidBy(pupil.customer)).toEqual([payment, payment, payment])
})

test.each<[string, { currency: string; amount: string }, string]>([
  ['10.005 kwd', { currency: 'kwd', amount: '10.005' }, 'provider_cannot_bill'],
  ['10.0005 kwd', { currency: 'kwd', amount: '10.0005' }, 'amount_invalid'],
  ['10.5 jpy', { currency: 'jpy', amount: '10.5' }, 'amount_invalid'],
  ['10.5 isk', { currency: 'isk', amount: '10.5' }, 'amount_invalid'],
  ['10.20 mga', { currency: 'mga', amount: '10.20' }, 'provider_cannot_bill'],
  ['10.005 usd', { currency: 'usd', amount: '10.005' }, 'amount_invalid'],
  // 99,999,999 of Stripe's units is the most that it charges at once.
  ['1000000 usd', { currency: 'usd', amount: '1000000.00' }, 'provider_cannot_bill'],
  ['100000000 jpy', { currency: 'jpy', amount: '100000000' }, 'provider_cannot_bill'],
])('a fee of %s is refused where it is written', async (_name, { currency, amount }, code) => {
  const document = catalogDocumentOf(fourCurrencies)
  const prices = { fee: { kind: 'recurring', model: 'flat', amount } }
  const tea = { name: 'Tea', product: 'app', interval: 'month', currency, prices }
  const plans = { ...document.plans, tea }
  const { status, body } = await installation.ask('POST', '/v1/catalog/apply', { ...document, plans })
  expect([status, body.code]).toEqual([422, 'catalog_invalid'])
  expect((body.errors as object[])[0]).toMatchObject({ pointer: '#/plans/tea/prices/fee/amount', code })
})

test.each([
  ['kwd', '10.005'],
  ['kwd', '0.001'],
  ['isk', '0.5'],
  ['ugx', '0.5'],
  ['mga', '0.50'],
  ['isk', '1000000'],
  ['usd', '1000000.00'],
])('so is a fee of %s %s a seat: nobody agrees on what cannot be charged', async (currency, unitAmount) => {
  const document = catalogDocumentOf(fourCurrencies)
  const tiers = [{ upTo: null, unitAmount }]
  const sold = (price: object) => ({
    ...{ name: 'Tea', product: 'app', interval: 'month', currency },
    prices: { seat: { kind: 'recurring', ...price } },
  })
  const plans = {
    tea: sold({ model: 'perUnit', unitAmount }),
    tiered: sold({ model: 'graduated', tiers }),
  }
  const all = { ...document, plans: { ...document.plans, ...plans } }
  const { status, body } = await installation.ask('POST', '/v1/catalog/apply', all)
  expect([status, body.errors]).toMatchObject([
    422,
    [
      { pointer: '#/plans/tea/prices/seat/unitAmount', code: 'provider_cannot_bill' },
      { pointer: '#/plans/tiered/prices/seat/tiers/0/unitAmount', code: 'provider_cannot_bill' },
    ],
  ])
})

test('a coupon of half a step is refused where it is written', async () => {
  const document = catalogDocumentOf(fourCurrencies)
  const off = { name: 'Off', amountOff: '0.005', currency: 'kwd', duration: 'once' }
  const coupons = { ...document.coupons, off }
  expect(await installation.ask('POST', '/v1/catalog/apply', { ...document, coupons })).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '#/coupons/off/amountOff', code: 'provider_cannot_bill' }] },
  })
})

test('what stands at Stripe in four currencies is imported as it is, and nothing drifts', async () => {
  const elsewhere = await newSimulator()
  const other = await newInstallation(elsewhere)
  importRoutes(other.app, { ...other.deps, workflows: other.workflows })
  const { stripe } = other.deps.provider
  const product = (await stripe.products.create({ name: 'App' })).id
  // 123.40 usd, 12,340 jpy, 12.340 kwd, 123 isk.
  for (const currency of currencies) {
    const unit_amount = currency === 'isk' ? 12_300 : 12_340
    const recurring = { interval: 'month' as const }
    const price = await stripe.prices.create({ product, currency, unit_amount, recurring })
    const { id: customer } = await stripe.customers.create({ name: currency })
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    await stripe.subscriptions.create({
      ...{ customer, default_payment_method: method.id },
      items: [{ price: price.id, quantity: 2 }],
    })
  }
  const { body } = await other.ask('POST', '/v1/imports', { dryRun: false })
  const { rows } = await other.database.pool.query('select workflow_id from import_run where id = $1', [
    body.id,
  ])
  await other.workflows.settled(rows[0].workflow_id, 600)
  const done = await other.ask('GET', `/v1/imports/${body.id}`)
  expect(done.body).toMatchObject({ refusals: [], proof: { unequalCount: 0, subscriptions: 4 } })
  type Amount = { amount: string; currency: string }
  const { mrr } = done.body.proof as { mrr: { there: Amount; here: Amount }[] }
  const said = ({ amount, currency }: Amount) => `${amount} ${currency}`
  expect(mrr.map(({ there, here }) => `${said(there)}, ${said(here)}`).sort()).toEqual([
    '24.680 kwd, 24.680 kwd',
    '246 isk, 246 isk',
    '246.80 usd, 246.80 usd',
    '24680 jpy, 24680 jpy',
  ])
  expect((await findDrift(other.deps)).drifts).toEqual([])
  await other.close()
  await elsewhere.close()
})
