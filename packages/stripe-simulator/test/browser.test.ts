// What a person does on the hosted pages and in the window, done by a person's program: a browser without a window.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath, openBrowser } from '../../../test/support/browser.ts'
import { DAY, JAN_1, newWorld, type World } from './world.ts'

if (browserPath === undefined) {
  test.skip('the pages in a browser: there is no Chromium (Debian: apt-get install chromium)', () => {})
}

describe.runIf(browserPath !== undefined)('in a browser', () => {
  let world: World
  let browser: Browser
  let page: Page
  /** Where Checkout and the portal come back to. */
  const shop = createServer((_request, response) => response.end('the shop'))
  let home: string

  beforeAll(async () => {
    world = await newWorld()
    browser = await openBrowser()
    page = await browser.newPage()
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
    home = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await browser.close()
    shop.close()
    await world.close()
  })

  const said = () => page.locator('main, body').first().textContent()
  const pick = (card: string) => page.getByLabel('Card').selectOption(card)

  async function checkout(params: Parameters<World['stripe']['checkout']['sessions']['create']>[0]) {
    const session = await world.stripe.checkout.sessions.create({
      success_url: `${home}/done?session={CHECKOUT_SESSION_ID}`,
      cancel_url: `${home}/back`,
      ...params,
    })
    await page.goto(session.url ?? '')
    return session
  }

  test('Checkout saves a card', async () => {
    const { id } = await world.stripe.customers.create({ email: 'ada@example.com' })
    const session = await checkout({ mode: 'setup', currency: 'usd', customer: id })
    expect(await said()).toContain('Nothing is charged now.')
    await pick('pm_card_mastercard')
    await page.getByRole('button', { name: 'Save card' }).click()
    await page.waitForURL(`${home}/done?session=${session.id}`)
    const methods = await world.stripe.customers.listPaymentMethods(id)
    expect(methods.data.map(({ card }) => card?.last4)).toEqual(['4444'])
  })

  test('Checkout signs a subscriber up, after a card that is declined', async () => {
    const price = await world.price(2500)
    const session = await checkout({ mode: 'subscription', line_items: [{ price: price.id, quantity: 2 }] })
    expect(await said()).toContain('Due now: $50.00')
    expect(await said()).toContain('Then 2 × $25.00 every month')
    await page.getByLabel('E-mail').fill('grace@example.com')
    await pick('pm_card_chargeDeclined')
    await page.getByRole('button', { name: 'Pay' }).click()
    expect(await page.getByRole('alert').textContent()).toBe('Your card was declined.')
    // What was filled in stays, as on Stripe's page.
    expect(await page.getByLabel('E-mail').inputValue()).toBe('grace@example.com')
    expect(await page.getByLabel('Card').inputValue()).toBe('pm_card_chargeDeclined')
    await pick('pm_card_visa')
    await page.getByRole('button', { name: 'Pay' }).click()
    await page.waitForURL(`${home}/done?session=${session.id}`)
    const done = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })
    expect(done).toMatchObject({
      status: 'complete',
      subscription: { status: 'active', items: { data: [{ quantity: 2 }] } },
    })
  })

  test('Checkout says when a trial is first charged', async () => {
    const price = await world.price(2500)
    await checkout({
      mode: 'subscription',
      line_items: [{ price: price.id, quantity: 1 }],
      subscription_data: { trial_period_days: 14 },
    })
    expect(await said()).toContain('Due now: $0.00')
    expect(await said()).toContain('Free for 14 days, then 1 × $25.00 every month')
    await page.getByRole('link', { name: 'Go back' }).click()
    await page.waitForURL(`${home}/back`)
  })

  test('Checkout takes a payment, in a currency without cents', async () => {
    const { id } = await world.product('Poster')
    const price = await world.stripe.prices.create({ product: id, currency: 'jpy', unit_amount: 1500 })
    const session = await checkout({ mode: 'payment', line_items: [{ price: price.id, quantity: 1 }] })
    expect(await said()).toContain('Due now: ¥1,500')
    // Nobody pays without an address: the browser stays on the page.
    await page.getByRole('button', { name: 'Pay' }).click()
    expect(page.url()).toBe(session.url)
    await page.getByLabel('E-mail').fill('grace@example.com')
    await page.getByRole('button', { name: 'Pay' }).click()
    await page.waitForURL(`${home}/done?session=${session.id}`)
    expect((await world.stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe('paid')
  })

  test('Checkout asks for a quantity, a phone number, a tax id, a field of the shop and the terms', async () => {
    const price = (await world.price(2500)).id
    const session = await checkout({
      mode: 'subscription',
      line_items: [{ price, quantity: 1, adjustable_quantity: { enabled: true, minimum: 1, maximum: 10 } }],
      phone_number_collection: { enabled: true },
      tax_id_collection: { enabled: true },
      custom_fields: [{ key: 'cost', label: { type: 'custom', custom: 'Cost center' }, type: 'numeric' }],
      consent_collection: { terms_of_service: 'required' },
    })
    await page.getByLabel('Quantity of Team').fill('4')
    await page.getByLabel('E-mail').fill('grace@example.com')
    await page.getByLabel('Business name').fill('Grace AG')
    await page.getByLabel('Type of tax ID').selectOption('eu_vat')
    await page.getByLabel('Tax ID', { exact: true }).fill('DE123456789')
    await page.getByLabel('Cost center').fill('seven')
    await page.getByLabel('I agree to the terms of service').check()
    await page.getByRole('button', { name: 'Pay' }).click()
    // The browser asks for the phone number; the page for digits. What was filled in stays.
    expect(page.url()).toBe(session.url)
    await page.getByLabel('Phone number').fill('+49 30 1234567')
    await page.getByRole('button', { name: 'Pay' }).click()
    expect(await page.getByRole('alert').textContent()).toBe('Invalid value of Cost center: seven')
    expect(await page.getByLabel('Quantity of Team').inputValue()).toBe('4')
    expect(await page.getByLabel('I agree to the terms of service').isChecked()).toBe(true)
    await page.getByLabel('Cost center').fill('42')
    await page.getByRole('button', { name: 'Pay' }).click()
    await page.waitForURL(`${home}/done?session=${session.id}`)
    const done = await world.stripe.checkout.sessions.retrieve(session.id, {
      expand: ['customer', 'subscription'],
    })
    // 4 × 25.00
    expect(done).toMatchObject({
      ...{ amount_total: 10_000, payment_status: 'paid', consent: { terms_of_service: 'accepted' } },
      custom_fields: [{ key: 'cost', numeric: { value: '42' } }],
      customer: { name: 'Grace AG', phone: '+49301234567' },
      customer_details: { tax_ids: [{ type: 'eu_vat', value: 'DE123456789' }] },
      subscription: { items: { data: [{ quantity: 4 }] } },
    })
  })

  test('the portal ends a plan, keeps it after all, and changes the card', async () => {
    const { id } = await world.customer()
    const price = await world.price(2500)
    const subscription = await world.stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
    })
    const { url } = await world.stripe.billingPortal.sessions.create({
      customer: id,
      return_url: `${home}/account`,
    })
    await page.goto(url)
    expect(await said()).toContain('Renews on 2026-02-01.')
    await page.getByRole('button', { name: 'Cancel plan' }).click()
    expect(await said()).toContain('Ends on 2026-02-01.')
    const retrieve = () => world.stripe.subscriptions.retrieve(subscription.id)
    // In flexible billing mode by its date: https://docs.stripe.com/billing/subscriptions/billing-mode/compare
    const atPeriodEnd = Date.UTC(2026, 1, 1) / 1000
    expect(await retrieve()).toMatchObject({ cancel_at: atPeriodEnd, cancel_at_period_end: false })
    await page.getByRole('button', { name: 'Keep plan' }).click()
    expect(await retrieve()).toMatchObject({ cancel_at: null, cancel_at_period_end: false })
    expect(await said()).toContain('Charged now: visa 4242')
    await pick('pm_card_mastercard')
    await page.getByRole('button', { name: 'Change card' }).click()
    expect(await said()).toContain('Charged now: mastercard 4444')
    const customer = await world.stripe.customers.retrieve(id, {
      expand: ['invoice_settings.default_payment_method'],
    })
    expect(customer).toMatchObject({
      invoice_settings: { default_payment_method: { card: { last4: '4444' } } },
    })
    await page.getByRole('link', { name: 'Go back' }).click()
    await page.waitForURL(`${home}/account`)
  })

  test('the bank’s question is answered, and the browser comes back with the outcome', async () => {
    const ask = () =>
      world.stripe.paymentIntents.create({
        amount: 1099,
        currency: 'eur',
        payment_method: 'pm_card_authenticationRequired',
        confirm: true,
        return_url: `${home}/order`,
      })
    for (const [button, outcome, status] of [
      ['Complete', 'succeeded', 'succeeded'],
      ['Fail', 'failed', 'requires_payment_method'],
    ] as const) {
      const intent = await ask()
      await page.goto(intent.next_action?.redirect_to_url?.url ?? '')
      expect(await said()).toContain('€10.99')
      await page.getByRole('button', { name: button }).click()
      await page.waitForURL(`${home}/order?**`)
      const at = new URL(page.url())
      expect(at.searchParams.get('payment_intent')).toBe(intent.id)
      expect(at.searchParams.get('redirect_status')).toBe(outcome)
      expect((await world.stripe.paymentIntents.retrieve(intent.id)).status).toBe(status)
    }
  })

  test('an invoice is paid on its page: declined at first, then by a card whose bank asks', async () => {
    const { id } = await world.customer({ card: null })
    const price = await world.price(2500)
    const { latest_invoice: invoice } = await world.stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice'],
    })
    if (invoice === null || typeof invoice === 'string') throw new Error('the invoice is not expanded')
    await page.goto(invoice.hosted_invoice_url ?? '')
    expect(await said()).toContain('To pay: $25.00')
    await pick('pm_card_chargeDeclined')
    await page.getByRole('button', { name: 'Pay' }).click()
    expect(await page.getByRole('alert').textContent()).toBe('Your card was declined.')
    await pick('pm_card_authenticationRequired')
    await page.getByRole('button', { name: 'Pay' }).click()
    await page.getByRole('button', { name: 'Complete' }).click()
    await page.waitForURL(`${invoice.hosted_invoice_url}?**`)
    expect(await said()).toContain('To pay: $0.00')
    expect(await page.getByRole('button', { name: 'Pay' }).count()).toBe(0)
    expect((await world.stripe.invoices.retrieve(invoice.id)).status).toBe('paid')
  })

  test('the window: from the kinds to a customer, to a subscription, to a clock that is turned', async () => {
    const { id, clock } = await world.customer()
    const price = await world.price(1000)
    const subscription = await world.stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
    })
    await page.goto(world.simulator.url)
    await page.getByRole('link', { name: 'Customers' }).click()
    await page.getByRole('link', { name: id }).click()
    await page.getByRole('link', { name: subscription.id }).first().click()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(
      `subscription ${subscription.id}`,
    )
    await page.getByRole('link', { name: 'Clocks' }).click()
    const row = page.getByRole('row').filter({ hasText: clock })
    await row.getByRole('button', { name: '+1 month' }).click()
    await world.simulator.control.idle()
    expect((await world.stripe.testHelpers.testClocks.retrieve(clock)).frozen_time).toBe(JAN_1 + 31 * DAY)
    await page.getByRole('link', { name: 'Requests' }).click()
    await page.getByRole('link', { name: /^req_/ }).first().click()
    expect(await page.getByRole('heading', { name: 'Answered' }).count()).toBe(1)
  })
})
