// Cards that are kept as sources of their customers: docs.stripe.com/api/cards, .../api/tokens, and
// docs.stripe.com/payments/payment-methods/transitioning
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { clientOf, type Loose, majors } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

const FEB_1 = JAN_1 + 31 * DAY

const signUp = (source = 'tok_visa', more: Stripe.CustomerCreateParams = {}) =>
  stripe.customers.create({ source, ...more })

/** What was told meanwhile, by type, oldest first. */
async function told(story: () => Promise<unknown>) {
  const before = new Set((await world.events()).map(({ id }) => id))
  await story()
  const news = (await world.events()).filter(({ id }) => !before.has(id))
  return news.map(({ type, data }) => [type, data] as const)
}

const sourcesOf = async (customer: string) =>
  (await stripe.customers.listSources(customer)).data.map(({ id }) => id)

describe('keeping', () => {
  test('a customer signs up with a token: its card is the default, and all are told', async () => {
    let ada: Stripe.Customer | undefined
    const events = await told(async () => {
      ada = await signUp('tok_visa', { email: 'ada@example.com' })
    })
    const card = ada?.default_source as string
    expect(card).toMatch(/^card_/)
    expect(events).toMatchObject([
      ['customer.created', { object: { id: ada?.id, default_source: card } }],
      ['payment_method.attached', { object: { id: card, object: 'payment_method', customer: ada?.id } }],
      ['customer.source.created', { object: { id: card, object: 'card', customer: ada?.id } }],
    ])
    // A customer has shown its sources only where they are expanded since 2020-08-27.
    expect(ada).not.toHaveProperty('sources')
    const whole = await stripe.customers.retrieve(ada?.id as string, {
      expand: ['sources', 'default_source'],
    })
    expect(whole).toMatchObject({
      default_source: { id: card, object: 'card' },
      sources: { object: 'list', data: [{ id: card }], url: `/v1/customers/${ada?.id}/sources` },
    })
  })

  // The card of docs.stripe.com/api/cards/create, with what was added to it since.
  test('a card has the face of its time, and that of a payment method under the same id', async () => {
    const { id: customer } = await stripe.customers.create()
    const card = (await stripe.customers.createSource(customer, {
      source: 'tok_mastercard',
      metadata: { seat: '7' },
    })) as Stripe.Card
    expect(card).toEqual({
      ...{ id: card.id, object: 'card', customer, metadata: { seat: '7' }, name: null },
      ...{ address_city: null, address_country: null, address_line1: null, address_line1_check: null },
      ...{ address_line2: null, address_state: null, address_zip: null, address_zip_check: null },
      ...{ allow_redisplay: 'unspecified', brand: 'MasterCard', country: 'US', cvc_check: 'pass' },
      ...{ dynamic_last4: null, exp_month: card.exp_month, exp_year: card.exp_year, funding: 'credit' },
      ...{ fingerprint: card.fingerprint, last4: '4444', regulated_status: 'unregulated' },
      ...{ tokenization_method: null, wallet: null },
    })
    expect(await stripe.customers.retrieveSource(customer, card.id)).toMatchObject({ id: card.id })
    // As recorded: github.com/dj-stripe/dj-stripe tests/fixtures/payment_method_card_fakefakefakefakefake0001.json
    const method = await stripe.paymentMethods.retrieve(card.id)
    expect(method).toMatchObject({
      ...{ id: card.id, object: 'payment_method', customer, metadata: { seat: '7' }, type: 'card' },
      card: { brand: 'mastercard', last4: '4444', fingerprint: card.fingerprint },
    })
    const methods = await stripe.customers.listPaymentMethods(customer, { type: 'card' })
    expect(methods.data.map(({ id }) => id)).toEqual([card.id])
  })

  // "If the card's owner has no default card, then the new card will become the default. However, if the owner already
  // has a default, then it will not change." docs.stripe.com/api/cards/create
  test('the first one is the default; a further one leaves it and is listed before it', async () => {
    const { id } = await stripe.customers.create()
    const types = async (source: string) =>
      (await told(() => stripe.customers.createSource(id, { source }))).map(([type]) => type)
    // The set that others saw at Stripe: createSource of a customer who had none.
    expect(await types('tok_visa')).toEqual([
      'payment_method.attached',
      'customer.source.created',
      'customer.updated',
    ])
    const [first] = await sourcesOf(id)
    expect(await types('tok_amex')).toEqual(['payment_method.attached', 'customer.source.created'])
    const customer = (await stripe.customers.retrieve(id)) as Stripe.Customer
    expect(customer.default_source).toBe(first)
    const both = await sourcesOf(id)
    expect(both).toHaveLength(2)
    expect(both[1]).toBe(first)
    expect((await stripe.customers.listSources(id, { object: 'bank_account' })).data).toEqual([])
    const other = both[0] as string
    const [[type, data] = []] = await told(() => stripe.customers.update(id, { default_source: other }))
    expect([type, data]).toMatchObject([
      'customer.updated',
      { previous_attributes: { default_source: first } },
    ])
  })

  test('a card that declines cannot be kept, and nobody is made with it', async () => {
    const { id } = await stripe.customers.create()
    const declined = await refusal(stripe.customers.createSource(id, { source: 'tok_chargeDeclined' }))
    expect(declined).toMatchObject({
      statusCode: 402,
      code: 'card_declined',
      decline_code: 'generic_decline',
    })
    const email = 'declined@example.com'
    await refusal(signUp('tok_chargeDeclinedInsufficientFunds', { email }))
    expect((await stripe.customers.list({ email })).data).toEqual([])
  })

  test.each([
    ['tok_kitteh', 'resource_missing', "No such token: 'tok_kitteh'"],
    ['card_1', 'resource_missing', "No such token: 'card_1'"],
    ['src_1', 'simulator_gap', 'The simulator does not implement sources that are no cards (src_1).'],
  ])('%s is no card’s token', async (source, code, message) => {
    const { id } = await stripe.customers.create()
    for (const asked of [
      signUp(source),
      stripe.customers.update(id, { source }),
      stripe.customers.createSource(id, { source }),
    ]) {
      expect(await refusal(asked)).toMatchObject({ statusCode: 400, code, message, param: 'source' })
    }
  })

  test('what is not the customer’s is no source', async () => {
    const { default_source: theirs } = await signUp()
    const { id } = await stripe.customers.create()
    const card = theirs as string
    const message = `No such source: '${card}'`
    for (const asked of [
      stripe.customers.retrieveSource(id, card),
      stripe.customers.deleteSource(id, card),
      stripe.customers.updateSource(id, card, { name: 'Ada' }),
    ]) {
      expect(await refusal(asked)).toMatchObject({ statusCode: 404, code: 'resource_missing', message })
    }
    const named = await refusal(stripe.customers.update(id, { default_source: card }))
    expect(named).toMatchObject({ statusCode: 400, message, param: 'default_source' })
  })
})

describe('changing and leaving', () => {
  test('what is changed of a card is told with what it was; its other face has it too', async () => {
    const { id, default_source: card } = await signUp()
    const before = (await stripe.customers.retrieveSource(id, card as string)) as Stripe.Card
    const year = before.exp_year + 1
    const changes = { name: 'Ada Lovelace', address_zip: '10115', exp_year: `${year}`, metadata: { a: 'b' } }
    const events = await told(() => stripe.customers.updateSource(id, card as string, changes))
    expect(events).toMatchObject([
      [
        'customer.source.updated',
        {
          object: {
            id: card,
            name: 'Ada Lovelace',
            address_zip: '10115',
            exp_year: year,
            metadata: { a: 'b' },
          },
          previous_attributes: { name: null, address_zip: null, exp_year: before.exp_year },
        },
      ],
    ])
    expect(await stripe.paymentMethods.retrieve(card as string)).toMatchObject({
      billing_details: { name: 'Ada Lovelace', address: { postal_code: '10115', city: null } },
      card: { exp_year: year },
    })
  })

  // docs.stripe.com/api/cards/delete: "the most recently added source will become the new default"
  test('of those that are left the one that came last becomes the default, and in the end none', async () => {
    const { id, default_source: first } = await signUp()
    await stripe.customers.createSource(id, { source: 'tok_amex' })
    const { id: last } = await stripe.customers.createSource(id, { source: 'tok_discover' })
    const events = await told(async () => {
      expect(await stripe.customers.deleteSource(id, first as string)).toMatchObject({
        ...{ id: first, object: 'card', deleted: true },
      })
    })
    // The set that others saw at Stripe.
    expect(events).toMatchObject([
      [
        'customer.updated',
        { object: { default_source: last }, previous_attributes: { default_source: first } },
      ],
      ['customer.source.deleted', { object: { id: first, object: 'card', customer: id } }],
      ['payment_method.detached', { object: { id: first, customer: null } }],
    ])
    for (const card of await sourcesOf(id)) await stripe.customers.deleteSource(id, card)
    expect(await stripe.customers.retrieve(id)).toMatchObject({ default_source: null })
  })

  // github.com/dj-stripe/dj-stripe/pull/1013: cards are deleted when they are detached.
  test('detached as a payment method it is gone under both names', async () => {
    const { id, default_source } = await signUp()
    const card = default_source as string
    await stripe.customers.update(id, { invoice_settings: { default_payment_method: card } })
    await stripe.paymentMethods.detach(card)
    expect(await stripe.customers.retrieve(id)).toMatchObject({
      ...{ default_source: null, invoice_settings: { default_payment_method: null } },
    })
    for (const asked of [stripe.paymentMethods.retrieve(card), stripe.customers.retrieveSource(id, card)]) {
      expect(await refusal(asked)).toMatchObject({ statusCode: 404, code: 'resource_missing' })
    }
    const again = await refusal(stripe.paymentMethods.attach(card, { customer: id }))
    expect(again).toMatchObject({ statusCode: 404, code: 'resource_missing' })
  })

  // "Passing `source` will create a new source object, make it the new customer default source, and delete the old
  // customer default if one exists." docs.stripe.com/api/customers/update in the releases that document it
  test('a source that is given to a customer takes the place of the default', async () => {
    const { id, default_source: old } = await signUp()
    const events = await told(() => stripe.customers.update(id, { source: 'tok_amex' }))
    const [now] = await sourcesOf(id)
    expect(events).toMatchObject([
      ['payment_method.attached', { object: { id: now } }],
      ['customer.source.created', { object: { id: now, brand: 'American Express' } }],
      ['customer.updated', { object: { default_source: now }, previous_attributes: { default_source: old } }],
      ['customer.source.deleted', { object: { id: old } }],
      ['payment_method.detached', { object: { id: old } }],
    ])
    expect(await sourcesOf(id)).toEqual([now])
  })
})

describe('tokens', () => {
  const ADAS = { number: '5555 5555 5555 4444', exp_month: '11', exp_year: '2031', cvc: '123' }

  test('a token stands for a card once', async () => {
    const token = await stripe.tokens.create({
      card: { ...ADAS, name: 'Ada', address_line1: '1 Main Street' },
    })
    expect(token).toMatchObject({ object: 'token', type: 'card', used: false, livemode: false })
    expect(token.card).toMatchObject({
      ...{ object: 'card', brand: 'MasterCard', last4: '4444', exp_month: 11, exp_year: 2031, name: 'Ada' },
      ...{ cvc_check: 'unchecked', address_line1_check: 'unchecked', address_zip_check: null },
    })
    // As recorded of tokens: whose the card is, is not said.
    expect(token.card).not.toHaveProperty('customer')
    const { id } = await stripe.customers.create()
    const unkept = token.card?.id as string
    expect(await refusal(stripe.paymentMethods.attach(unkept, { customer: id }))).toMatchObject({
      ...{ statusCode: 404, code: 'resource_missing' },
    })
    const kept = await stripe.customers.createSource(id, { source: token.id })
    expect(kept).toMatchObject({ id: unkept, cvc_check: 'pass', address_line1_check: 'pass', customer: id })
    expect(await stripe.tokens.retrieve(token.id)).toMatchObject({ used: true })
    const twice = await refusal(stripe.customers.createSource(id, { source: token.id }))
    expect(twice).toMatchObject({ statusCode: 400, code: 'token_already_used', param: undefined })
    expect(twice.message).toBe(`You cannot use a Stripe token more than once: ${token.id}.`)
  })

  test('it may become a payment method instead', async () => {
    const { id } = await stripe.tokens.create({ card: { ...ADAS, name: 'Ada' } })
    const method = await stripe.paymentMethods.create({ type: 'card', card: { token: id } })
    expect(method).toMatchObject({
      ...{ id: expect.stringMatching(/^pm_/), customer: null, billing_details: { name: 'Ada' } },
      card: { last4: '4444', exp_month: 11, exp_year: 2031 },
    })
    expect(await refusal(signUp(id))).toMatchObject({ code: 'token_already_used' })
  })

  test('a card may be read out in its place; what cannot be is told', async () => {
    const read = { object: 'card', ...ADAS } as unknown as string
    const { default_source } = await signUp(read)
    expect(await stripe.paymentMethods.retrieve(default_source as string)).toMatchObject({
      ...{ card: { last4: '4444', exp_year: 2031 } },
    })
    const wrong = await refusal(stripe.tokens.create({ card: { ...ADAS, number: '4242424242424241' } }))
    expect(wrong).toMatchObject({ statusCode: 402, code: 'incorrect_number', param: 'number' })
    expect(await refusal(stripe.tokens.retrieve('tok_nope'))).toMatchObject({
      ...{ statusCode: 404, code: 'resource_missing', message: "No such token: 'tok_nope'" },
    })
    const account = await refusal(stripe.tokens.create({ bank_account: 'ba_1' }))
    expect(account).toMatchObject({ code: 'simulator_gap', param: 'bank_account' })
  })
})

describe('charging', () => {
  /** A customer on a clock with a card as the only thing to charge, and a monthly subscription of 25.00. */
  async function subscribed(source: string, more: Partial<Stripe.SubscriptionCreateParams> = {}) {
    const clock = await world.clock()
    const customer = await signUp(source, { test_clock: clock.id })
    const price = await world.price(2500)
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      ...more,
    })
    return { customer, subscription, clock: clock.id, card: customer.default_source as string }
  }

  async function paidBy(invoice: string) {
    const { data } = await stripe.invoicePayments.list({
      invoice,
      expand: ['data.payment.payment_intent.latest_charge'],
    })
    const intent = data[0]?.payment.payment_intent as Stripe.PaymentIntent
    return { intent, charge: intent.latest_charge as Stripe.Charge }
  }

  test('the first invoice and the renewal are charged to it', async () => {
    const { subscription, clock, card } = await subscribed('tok_visa')
    expect(subscription.status).toBe('active')
    await world.advance(clock, FEB_1 + 2 * HOUR)
    const invoices = await world.invoices(subscription.id)
    expect(invoices.map(({ status, amount_paid }) => [status, amount_paid])).toEqual([
      ['paid', 2500],
      ['paid', 2500],
    ])
    for (const { id } of invoices) {
      const { intent, charge } = await paidBy(id)
      // As recorded: github.com/dj-stripe/dj-stripe tests/fixtures/payment_intent_pi_fakefakefakefakefake0001.json
      expect(intent).toMatchObject({ payment_method: null, source: card, status: 'succeeded' })
      expect(charge).toMatchObject({ payment_method: card, source: { id: card, object: 'card' } })
    }
  })

  // docs.stripe.com/testing#declined-payments: tok_chargeCustomerFail attaches, and then declines.
  test('one that fails later is declined, retried, and recovered by the source that is given in its place', async () => {
    const { subscription, customer, clock, card } = await subscribed('tok_visa')
    await stripe.customers.update(customer.id, { source: 'tok_chargeCustomerFail' })
    await world.advance(clock, FEB_1 + 2 * HOUR)
    const late = await stripe.subscriptions.retrieve(subscription.id)
    expect(late.status).toBe('past_due')
    const [, renewal] = await world.invoices(subscription.id)
    const failing = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
    expect(failing.default_source).not.toBe(card)
    const { intent } = await paidBy(renewal?.id as string)
    expect(intent.last_payment_error).toMatchObject({
      code: 'card_declined',
      source: { id: failing.default_source, object: 'card', last4: '0341' },
    })
    expect(renewal).toMatchObject({ status: 'open', attempt_count: 1 })
    // "This retry doesn't count as an automatic retry": docs.stripe.com/api/customers/update
    await stripe.customers.update(customer.id, { source: 'tok_amex' })
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
    const [, recovered] = await world.invoices(subscription.id)
    expect(recovered).toMatchObject({ status: 'paid', attempt_count: 1, amount_paid: 2500 })
  })

  test('a retry that is declined changes nothing; a new default alone retries nothing', async () => {
    const { subscription, customer, clock } = await subscribed('tok_visa')
    await stripe.customers.update(customer.id, { source: 'tok_chargeCustomerFail' })
    await world.advance(clock, FEB_1 + 2 * HOUR)
    const [, before] = await world.invoices(subscription.id)
    await stripe.customers.update(customer.id, { source: 'tok_visa_chargeCustomerFail' })
    const [, after] = await world.invoices(subscription.id)
    expect(after).toMatchObject({
      ...{ status: 'open', attempt_count: 1, next_payment_attempt: before?.next_payment_attempt },
    })
    const { id } = await stripe.customers.createSource(customer.id, { source: 'tok_visa' })
    await stripe.customers.update(customer.id, { default_source: id })
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
    // Three days later Stripe tries again by itself.
    await world.advance(clock, (before?.next_payment_attempt as number) + HOUR)
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  })

  // docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority
  test('a subscription’s own come first, a method before a source', async () => {
    const { subscription, customer, clock, card } = await subscribed('tok_visa')
    const { id: own } = await stripe.customers.createSource(customer.id, { source: 'tok_amex' })
    const usual = await stripe.paymentMethods.attach('pm_card_discover', { customer: customer.id })
    const chosen = await stripe.paymentMethods.attach('pm_card_jcb', { customer: customer.id })
    const renewedBy = async (month: number) => {
      const at = Date.UTC(2026, month, 1, 2) / 1000
      await world.advance(clock, at)
      const { intent } = await paidBy((await world.invoices(subscription.id)).at(-1)?.id as string)
      return intent.source ?? intent.payment_method
    }
    expect(await renewedBy(1)).toBe(card)
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: usual.id } })
    expect(await renewedBy(2)).toBe(usual.id)
    const named = await stripe.subscriptions.update(subscription.id, {
      default_source: own,
      expand: ['default_source'],
    })
    expect(named.default_source).toMatchObject({ id: own, object: 'card', brand: 'American Express' })
    expect(await renewedBy(3)).toBe(own)
    await stripe.subscriptions.update(subscription.id, { default_payment_method: chosen.id })
    expect(await renewedBy(4)).toBe(chosen.id)
    await stripe.subscriptions.update(subscription.id, { default_payment_method: '', default_source: '' })
    expect(await renewedBy(5)).toBe(usual.id)
  })

  test('an invoice names its own source, or is paid with one', async () => {
    const { id: customer } = await signUp('tok_visa')
    const { id: card } = await stripe.customers.createSource(customer, { source: 'tok_amex' })
    const bill = async (more: Stripe.InvoiceCreateParams = {}) => {
      await stripe.invoiceItems.create({ customer, amount: 1000, currency: 'usd' })
      const draft = await stripe.invoices.create({
        ...{ customer, pending_invoice_items_behavior: 'include', auto_advance: false, ...more },
      })
      return stripe.invoices.finalizeInvoice(draft.id)
    }
    const named = await bill({ default_source: card })
    expect(named.default_source).toBe(card)
    await stripe.invoices.pay(named.id)
    expect((await paidBy(named.id)).intent.source).toBe(card)
    const other = await bill()
    await stripe.invoices.pay(other.id, { source: card })
    expect((await paidBy(other.id)).intent.source).toBe(card)
    const { default_source: theirs } = await signUp()
    const wrong = await refusal(stripe.invoices.create({ customer, default_source: theirs as string }))
    expect(wrong).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'default_source' })
  })

  test('a trial ends on it: nothing is missing that could be charged', async () => {
    const trial = { end_behavior: { missing_payment_method: 'cancel' } } as const
    const { subscription, clock } = await subscribed('tok_visa', {
      trial_period_days: 7,
      trial_settings: trial,
    })
    expect(subscription.pending_setup_intent).toBeNull()
    await world.advance(clock, JAN_1 + 7 * DAY + 2 * HOUR)
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  })

  test('a payment of its own takes it as its method', async () => {
    const { id: customer, default_source } = await signUp()
    const intent = await stripe.paymentIntents.create({
      ...{ amount: 1000, currency: 'usd', customer, confirm: true, off_session: true },
      payment_method: default_source as string,
      expand: ['latest_charge'],
    })
    expect(intent).toMatchObject({ status: 'succeeded', payment_method: default_source, source: null })
  })
})

test.each(majors)('release %i of the client signs up, changes and removes a card', async (major) => {
  const client: Loose = await clientOf(major, world.simulator.port)
  const ada = await client.customers.create({ source: 'tok_visa', expand: ['sources'] })
  expect(ada.sources.data).toMatchObject([{ id: ada.default_source, object: 'card', brand: 'Visa' }])
  const { id } = await client.customers.createSource(ada.id, { source: 'tok_amex' })
  await client.customers.update(ada.id, { default_source: id })
  expect((await client.customers.listSources(ada.id, { object: 'card' })).data).toHaveLength(2)
  expect(await client.customers.deleteSource(ada.id, id)).toMatchObject({ id, deleted: true })
  expect((await client.customers.retrieve(ada.id)).default_source).toBe(ada.default_source)
})
