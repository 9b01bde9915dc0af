// docs.stripe.com/api/prices, .../api/plans and .../products-prices/pricing-models
import Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

type Invoice = Stripe.Invoice

test('a price in several currencies is billed in the one that the customer has, or the request names', async () => {
  const { stripe } = world
  const price = await world.price(1000, {
    currency_options: { EUR: { unit_amount: 900 }, jpy: { unit_amount: 1500 } },
  })
  const expanded = await stripe.prices.retrieve(price.id, { expand: ['currency_options'] })
  expect(expanded.currency_options).toMatchObject({
    usd: { unit_amount: 1000 },
    eur: { unit_amount: 900, unit_amount_decimal: '900' },
    jpy: { unit_amount: 1500 },
  })
  expect(price.currency_options).toBeUndefined()
  const ada = await world.customer()
  const first = await stripe.subscriptions.create({
    customer: ada.id,
    currency: 'eur',
    items: [{ price: price.id, quantity: 2 }],
    expand: ['latest_invoice'],
  })
  expect(first.currency).toBe('eur')
  expect(first.latest_invoice as Invoice).toMatchObject({ currency: 'eur', total: 1800 })
  expect((first.latest_invoice as Invoice).lines.data[0]?.description).toBe('2 × Team (at €9.00 / month)')
  // From now on the customer has a currency, and it selects.
  const second = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: price.id }] })
  expect(second.currency).toBe('eur')
  const dollars = stripe.subscriptions.create({
    customer: ada.id,
    currency: 'usd',
    items: [{ price: price.id }],
  })
  expect(await refusal(dollars)).toMatchObject({ statusCode: 400, param: 'currency' })
  // 900 x 2 and 900 x 3 for 21 of 31 days: 1219.35 and 1829.03.
  await world.advance(ada.clock, JAN_1 + 10 * DAY)
  const changed = await stripe.subscriptions.update(first.id, {
    items: [{ id: first.items.data[0]?.id as string, quantity: 3 }],
    proration_behavior: 'always_invoice',
    expand: ['latest_invoice'],
  })
  expect(amounts(changed.latest_invoice as Invoice)).toEqual([-1219, 1829])
})

test('a price that lacks something, or has it twice, is refused in the words of Stripe', async () => {
  // github.com/Kiln-AI/stripe_world, cassette 07 (2026-08-26.dahlia), steps 23 to 27 and 36; none has a code but the last.
  const { stripe } = world
  const { id: product } = await world.product()
  const cases = [
    [
      { unit_amount: 1000 },
      'You must specify either `product` or `product_data` when creating a price.',
      undefined,
    ],
    [{ product }, 'Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.', undefined],
    [
      { product, unit_amount: 1000, product_data: { name: 'x' } },
      'You may only specify one of these parameters: product, product_data.',
      'product',
    ],
    [
      {
        product,
        billing_scheme: 'tiered',
        tiers_mode: 'volume',
        tiers: [{ up_to: 'inf', unit_amount: 500 }],
      },
      'Prices with `type=one_time` are not supported with tiered billing.',
      'interval',
    ],
    [
      { product, unit_amount: 5, recurring: { interval: 'month', usage_type: 'metered' } },
      'Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.',
      undefined,
    ],
  ] satisfies [Partial<Stripe.PriceCreateParams>, string, string | undefined][]
  for (const [given, message, param] of cases) {
    const refused = await refusal(stripe.prices.create({ currency: 'usd', ...given }))
    expect(refused).toMatchObject({ statusCode: 400, message })
    expect([refused.param, refused.code]).toEqual([param, undefined])
  }
  for (const call of [stripe.prices.retrieve('price_nope'), stripe.prices.update('price_nope', {})]) {
    expect(await refusal(call)).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      message: "No such price: 'price_nope'",
      param: 'price',
    })
  }
})

test('amounts of a price are not below zero and have twelve decimals at most', async () => {
  // As recorded by the walks of github.com/crvouga/mockingbird through Stripe's test mode: packages/service/stripe/src/fields.ts.
  const { stripe } = world
  const { id: product } = await world.product()
  const raw = async (more: string) => {
    const body = `currency=usd&product=${product}&${more}`
    const answer = await fetch(`${world.simulator.url}/v1/prices`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_x', 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
    const { error } = (await answer.json()) as { error: { message: string; param: string } }
    return [answer.status, error.param, error.message]
  }
  expect(await raw('unit_amount=-1')).toEqual([400, 'unit_amount', 'Invalid non-negative integer'])
  expect(await raw('unit_amount_decimal=-1.5')).toEqual([
    400,
    'unit_amount_decimal',
    "This value must be greater than or equal to 0 (it currently is '-0.15e1').",
  ])
  expect(await raw('unit_amount_decimal=0.0123456789012')).toEqual([
    400,
    'unit_amount_decimal',
    'Invalid decimal: 0.123456789012e-1; must contain at most 12 decimal places.',
  ])
  expect(await raw('unit_amount_decimal=ten')).toEqual([400, 'unit_amount_decimal', 'Invalid decimal: ten'])
  const zzz = await refusal(stripe.prices.create({ currency: 'zzz', product, unit_amount: 1 }))
  expect(zzz).toMatchObject({ statusCode: 400, param: 'currency' })
  expect(zzz.message).toMatch(
    /^Invalid currency: zzz\. Stripe currently supports these currencies: usd, aed, afn, all, .*, zar, zmw/,
  )
})

test('no price is billed less often than every three years', async () => {
  // docs.stripe.com/api/prices/create: "Maximum of three years interval allowed (3 years, 36 months, or 156 weeks)". The
  // sentence as recorded: github.com/crvouga/mockingbird, packages/service/stripe/src/prices.ts.
  for (const [interval, most, often] of [
    ['day', 1095, 'daily'],
    ['week', 156, 'weekly'],
    ['month', 36, 'monthly'],
    ['year', 3, 'yearly'],
  ] as const) {
    const price = await world.price(100, { recurring: { interval, interval_count: most } })
    expect(price.recurring).toMatchObject({ interval, interval_count: most })
    const more = world.price(100, { recurring: { interval, interval_count: most + 1 } })
    expect(await refusal(more)).toMatchObject({
      statusCode: 400,
      param: 'recurring[interval_count]',
      message: `The interval_count for ${often} prices can't be greater than ${most}`,
    })
  }
  const often = refusal(world.price(1, { recurring: { interval: 'hour' } }))
  expect((await often).message).toBe('Invalid recurring[interval]: must be one of month, year, week, or day')
})

test('a tiered price has tiers', async () => {
  const bare = { recurring: { interval: 'month' }, billing_scheme: 'tiered', tiers_mode: 'volume' } as const
  const { id: product } = await world.product()
  const call = world.stripe.prices.create({ currency: 'usd', product, ...bare })
  expect(await refusal(call)).toMatchObject({ statusCode: 400, param: 'tiers' })
})

test('each tier has an amount, and one of each kind', async () => {
  // docs.stripe.com/api/prices/create: "Only one of `unit_amount` and `unit_amount_decimal` can be set", and of
  // `flat_amount` too. The sentence about none: github.com/lukasaron/terraform-provider-stripe/issues/45
  const { stripe } = world
  const { id: product } = await world.product()
  const tiered = (first: Stripe.PriceCreateParams.Tier) =>
    refusal(
      stripe.prices.create({
        product,
        currency: 'usd',
        recurring: { interval: 'month' },
        billing_scheme: 'tiered',
        tiers_mode: 'graduated',
        tiers: [first, { up_to: 'inf', unit_amount: 100 }],
      }),
    )
  const one = Stripe.Decimal.from('1')
  expect(await tiered({ up_to: 5 })).toMatchObject({
    statusCode: 400,
    message: 'An entry in the tiers array is missing an amount.',
  })
  for (const kind of ['unit_amount', 'flat_amount'] as const) {
    expect(await tiered({ up_to: 5, [kind]: 1, [`${kind}_decimal`]: one })).toMatchObject({
      statusCode: 400,
      message: `You may only specify one of these parameters: ${kind}, ${kind}_decimal.`,
      param: `tiers[0][${kind}]`,
    })
  }
})

test('the own currency of a price is none of its options', async () => {
  // github.com/stripe/stripe-node/issues/1559
  const { stripe } = world
  const price = await world.price(1000)
  const changed = stripe.prices.update(price.id, { currency_options: { usd: { unit_amount: 900 } } })
  expect(await refusal(changed)).toMatchObject({
    statusCode: 400,
    param: 'currency_options[usd]',
    message:
      'You are specifying an update to a currency option that matches the top-level currency for this price. Please remove this currency option and update the top-level params instead.',
  })
  const made = world.price(1000, { currency_options: { usd: { unit_amount: 900 } } })
  expect(await refusal(made)).toMatchObject({ statusCode: 400, param: 'currency_options[usd]' })
})

test('whether an amount in another currency includes tax is said once, and stays when the amount changes', async () => {
  // docs.stripe.com/api/prices/update, currency_options.tax_behavior: "Once specified as either `inclusive` or `exclusive`, it cannot
  // be changed." An option that is there needs no amount again.
  const { stripe } = world
  const price = await world.price(1000, { currency_options: { eur: { unit_amount: 900 } } })
  const change = async (eur: Stripe.PriceUpdateParams.CurrencyOptions) =>
    (await stripe.prices.update(price.id, { currency_options: { eur }, expand: ['currency_options'] }))
      .currency_options?.eur
  expect(await change({ tax_behavior: 'inclusive' })).toMatchObject({
    unit_amount: 900,
    tax_behavior: 'inclusive',
  })
  expect(await change({ unit_amount: 950 })).toMatchObject({ unit_amount: 950, tax_behavior: 'inclusive' })
  expect(await refusal(change({ tax_behavior: 'exclusive' }))).toMatchObject({
    statusCode: 400,
    param: 'currency_options[eur][tax_behavior]',
  })
  expect(await refusal(change({ unit_amount: 100_000_000 }))).toMatchObject({
    code: 'amount_too_large',
    param: 'currency_options[eur][unit_amount]',
  })
})

test('the default price of a product is not archived', async () => {
  // The sentence stands in many reports of whoever archived a price before the default was another.
  const { stripe } = world
  const { id, default_price: price } = await stripe.products.create({
    name: 'Team',
    default_price_data: { currency: 'usd', unit_amount: 1000 },
  })
  const archived = () => stripe.prices.update(price as string, { active: false })
  expect(await refusal(archived())).toMatchObject({
    statusCode: 400,
    message: 'This price cannot be archived because it is the default price of its product.',
  })
  const other = await stripe.prices.create({ product: id, currency: 'usd', unit_amount: 1200 })
  await stripe.products.update(id, { default_price: other.id })
  expect((await archived()).active).toBe(false)
})

test('an archived price is for nothing new: no subscription, no phase, no invoice item', async () => {
  // docs.stripe.com/api/prices/object, active: "Whether the price can be used for new purchases." The sentence as many have met it.
  const { stripe } = world
  const once = await stripe.prices.create({
    product: (await world.product()).id,
    currency: 'usd',
    unit_amount: 500,
  })
  const [monthly, ada] = [await world.price(1000), await world.customer()]
  const items = [{ price: monthly.id }]
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items })
  for (const price of [once, monthly]) await stripe.prices.update(price.id, { active: false })
  const extra = [{ price: once.id }]
  const other = (await world.price(2000)).id
  for (const [call, param] of [
    [stripe.subscriptions.create({ customer: ada.id, items }), 'items[0][price]'],
    [stripe.invoiceItems.create({ customer: ada.id, pricing: { price: once.id } }), 'pricing[price]'],
    [stripe.subscriptions.update(id, { add_invoice_items: extra }), /^add_invoice_items\[0\]/],
    [
      stripe.subscriptionSchedules.create({
        customer: ada.id,
        start_date: 'now',
        phases: [
          {
            items: [{ price: other }],
            add_invoice_items: extra,
            duration: { interval: 'month', interval_count: 1 },
          },
        ],
      }),
      'phases[0][add_invoice_items][0][price]',
    ],
  ] as const) {
    expect(await refusal(call)).toMatchObject({
      statusCode: 400,
      message: 'The price specified is inactive. This field only accepts active prices.',
      param: typeof param === 'string' ? param : expect.stringMatching(param),
    })
  }
  // Who has it keeps it, and may have more of it.
  const [item] = (await stripe.subscriptions.retrieve(id)).items.data
  const more = await stripe.subscriptionItems.update(item?.id ?? '', { quantity: 2 })
  expect(more).toMatchObject({ quantity: 2, price: { id: monthly.id, active: false } })
})

// docs.stripe.com/api/prices/object, active: "Whether the price can be used for new purchases." These are none.
describe('what was planned or drawn up with a price goes on when that is archived', () => {
  const once = async (amount: number) =>
    world.stripe.prices.create({ product: (await world.product()).id, currency: 'usd', unit_amount: amount })
  const archive = (price: string) => world.stripe.prices.update(price, { active: false })

  test('a phase begins, and bills it', async () => {
    const { stripe } = world
    const [{ id: customer, clock }, monthly, fee] = [
      await world.customer(),
      await world.price(1000),
      await once(700),
    ]
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly.id }] })
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
    const items = [{ price: monthly.id }]
    await stripe.subscriptionSchedules.update(schedule.id, {
      phases: [
        { items, start_date: JAN_1, end_date: JAN_1 + 31 * DAY },
        { items, add_invoice_items: [{ price: fee.id }] },
      ],
    })
    await archive(fee.id)
    await world.advance(clock, JAN_1 + 31 * DAY + 2 * HOUR)
    expect((await stripe.testHelpers.testClocks.retrieve(clock)).status).toBe('ready')
    const { data } = await stripe.invoices.list({ customer })
    // 10.00 of January; 10.00 of February and 7.00 once.
    expect(data.map(({ total }) => total)).toEqual([1700, 1000])
  })

  test('an item that waits is billed more often', async () => {
    const { stripe } = world
    const [ada, fee] = [await world.customer(), await once(700)]
    const item = await stripe.invoiceItems.create({ customer: ada.id, pricing: { price: fee.id } })
    await archive(fee.id)
    expect(await stripe.invoiceItems.update(item.id, { quantity: 3 })).toMatchObject({ amount: 2100 })
    expect(await refusal(stripe.invoiceItems.update(item.id, { pricing: { price: fee.id } }))).toMatchObject({
      param: 'pricing[price]',
    })
  })

  test('a page that is open is completed', async () => {
    const { stripe } = world
    const fee = await once(700)
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: fee.id, quantity: 2 }],
      invoice_creation: { enabled: true },
      success_url: 'https://shop.example/done',
    })
    await archive(fee.id)
    world.simulator.control.completeCheckout(session.id, { card: 'pm_card_visa' })
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      ...{ status: 'complete', payment_status: 'paid', amount_total: 1400 },
    })
  })
})

test('prices are listed of a product that there is', async () => {
  // github.com/Kiln-AI/stripe_world, tests/test_prices.py, probed at 2026-08-26.dahlia.
  expect(await refusal(world.stripe.prices.list({ product: 'prod_nope' }))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    message: "No such product: 'prod_nope'",
    param: 'product',
  })
})

test('a currency that a price lacks is refused, and can be added later', async () => {
  const { stripe } = world
  const price = await world.price(1000)
  const ada = await world.customer()
  const items = [{ price: price.id }]
  const refused = stripe.subscriptions.create({ customer: ada.id, currency: 'gbp', items })
  expect(await refusal(refused)).toMatchObject({ statusCode: 400, param: 'currency' })
  await stripe.prices.update(price.id, { currency_options: { gbp: { unit_amount: 800 } } })
  const { currency } = await stripe.subscriptions.create({ customer: ada.id, currency: 'gbp', items })
  expect(currency).toBe('gbp')
})

test('a tiered price has tiers in each of its currencies', async () => {
  const { stripe } = world
  const { id: product } = await world.product()
  const base = {
    product,
    currency: 'usd',
    recurring: { interval: 'month' },
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 10, unit_amount: 500 },
      { up_to: 'inf', unit_amount: 400 },
    ],
  } satisfies Stripe.PriceCreateParams
  const flat = stripe.prices.create({ ...base, currency_options: { eur: { unit_amount: 1 } } })
  expect(await refusal(flat)).toMatchObject({ statusCode: 400, param: 'currency_options[eur]' })
  const price = await stripe.prices.create({
    ...base,
    currency_options: {
      eur: {
        tiers: [
          { up_to: 10, unit_amount: 450 },
          { up_to: 'inf', unit_amount: 350 },
        ],
      },
    },
  })
  const ada = await world.customer()
  const { latest_invoice: invoice } = await stripe.subscriptions.create({
    customer: ada.id,
    currency: 'eur',
    items: [{ price: price.id, quantity: 12 }],
    expand: ['latest_invoice'],
  })
  // 10 x 450 + 2 x 350
  expect(amounts(invoice as Invoice).sort((a, b) => a - b)).toEqual([700, 4500])
  // They are asked for currency by currency.
  const options = ['currency_options', 'currency_options.eur.tiers']
  const shown = await stripe.prices.retrieve(price.id, { expand: options })
  expect(shown.currency_options?.eur?.tiers).toMatchObject([{ unit_amount: 450 }, { unit_amount: 350 }])
  expect(shown.currency_options?.usd?.tiers).toBeUndefined()
})

test('a lookup key moves from one price to the next', async () => {
  const { stripe } = world
  const old = await world.price(1000, { lookup_key: 'standard' })
  // github.com/Kiln-AI/stripe_world, cassette 07 (2026-08-26.dahlia), steps 15, 32 and 34.
  const taken = {
    message: `A price (\`${old.id}\`) already uses that lookup key.`,
    param: 'lookup_key',
    code: undefined,
  }
  expect(await refusal(world.price(1200, { lookup_key: 'standard' }))).toMatchObject(taken)
  await stripe.prices.update(old.id, { active: false })
  expect(await refusal(world.price(1200, { lookup_key: 'standard' }))).toMatchObject(taken)
  const next = await world.price(1200, { lookup_key: 'standard', transfer_lookup_key: true })
  expect((await stripe.prices.retrieve(old.id)).lookup_key).toBeNull()
  const found = await stripe.prices.list({ lookup_keys: ['standard'] })
  expect(found.data.map((price) => price.id)).toEqual([next.id])
  expect((await stripe.prices.update(next.id, { lookup_key: '' })).lookup_key).toBeNull()
  // github.com/crvouga/mockingbird, packages/service/stripe/src/prices.ts: none, twice.
  for (const _ of [1, 2]) expect((await world.price(1, { lookup_key: '' })).lookup_key).toBeNull()
})

test('an amount that the customer names is for Checkout alone', async () => {
  const { stripe } = world
  const { id: product } = await world.product('Tip')
  const price = await stripe.prices.create({
    product,
    currency: 'usd',
    custom_unit_amount: { enabled: true, minimum: 100, preset: 500 },
  })
  expect(price).toMatchObject({
    unit_amount: null,
    unit_amount_decimal: null,
    custom_unit_amount: { minimum: 100, maximum: null, preset: 500 },
  })
  const ada = await world.customer()
  const item = stripe.invoiceItems.create({ customer: ada.id, pricing: { price: price.id } })
  expect(await refusal(item)).toMatchObject({ statusCode: 400, param: 'pricing[price]' })
  const recurring = world.price(0, { custom_unit_amount: { enabled: true }, product })
  expect(await refusal(recurring)).toMatchObject({ statusCode: 400, param: 'custom_unit_amount' })
})

test('a product can come with its price, also with its other currencies', async () => {
  const product = await world.stripe.products.create({
    name: 'Team',
    default_price_data: {
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'year' },
      currency_options: { eur: { unit_amount: 900 } },
    },
    expand: ['default_price.currency_options'],
  })
  expect(product.default_price).toMatchObject({
    unit_amount: 1000,
    recurring: { interval: 'year' },
    currency_options: { eur: { unit_amount: 900 } },
  })
})

test('a plan is a price by another name: made, changed and deleted, each told as both', async () => {
  const { stripe } = world
  const made = await world.typesDuring(async () => {
    const plan = await stripe.plans.create({
      id: 'gold',
      currency: 'usd',
      interval: 'month',
      amount: 3100,
      product: { name: 'Gold' },
    })
    expect(plan).toMatchObject({ id: 'gold', object: 'plan', amount: 3100, interval_count: 1 })
  })
  expect(made).toEqual(['product.created', 'price.created', 'plan.created'])
  expect(await stripe.prices.retrieve('gold')).toMatchObject({ unit_amount: 3100, type: 'recurring' })
  const again = stripe.plans.create({
    id: 'gold',
    currency: 'usd',
    interval: 'month',
    product: { name: 'x' },
  })
  expect(await refusal(again)).toMatchObject({ code: 'resource_already_exists' })
  const changed = await world.typesDuring(() => stripe.plans.update('gold', { nickname: 'Gold, monthly' }))
  expect(changed).toEqual(['price.updated', 'plan.updated'])
  const bare = { currency: 'usd', interval: 'month', product: { name: 'Bare' } } as const
  // Of plans the parameters have their own names.
  expect(await refusal(stripe.plans.create(bare))).toMatchObject({
    statusCode: 400,
    message: expect.stringMatching(/^Plans require an `amount`/),
  })
  const rare = stripe.plans.create({ ...bare, amount: 1, interval_count: 37 })
  expect(await refusal(rare)).toMatchObject({ param: 'interval_count' })
  const large = stripe.plans.create({ ...bare, amount: 100_000_000 })
  expect(await refusal(large)).toMatchObject({ param: 'amount' })
  const [event] = (await world.events(['plan.updated'])).slice(-1)
  expect(event?.data.previous_attributes).toEqual({ nickname: null })
  const ada = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: 'gold' }] })
  const moved = stripe.plans.update('gold', { product: (await world.product()).id })
  expect(await refusal(moved)).toMatchObject({ param: 'product' })
  const gone = await world.typesDuring(async () => {
    expect(await stripe.plans.del('gold')).toEqual({ id: 'gold', object: 'plan', deleted: true })
  })
  expect(gone).toEqual(['price.deleted', 'plan.deleted'])
  expect(await refusal(stripe.plans.retrieve('gold'))).toMatchObject({ statusCode: 404 })
  const anew = stripe.subscriptions.create({ customer: ada.id, items: [{ price: 'gold' }] })
  expect(await refusal(anew)).toMatchObject({ statusCode: 400, param: 'items[0][price]' })
  // Who has it keeps it.
  await world.advance(ada.clock, JAN_1 + 31 * DAY + 2 * HOUR)
  expect((await world.invoices(subscription.id)).at(-1)).toMatchObject({ total: 3100, status: 'paid' })
})

test('an amount off in several currencies', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({
    amount_off: 200,
    currency: 'usd',
    currency_options: { eur: { amount_off: 150 } },
    expand: ['currency_options'],
  })
  expect(coupon.currency_options).toEqual({ usd: { amount_off: 200 }, eur: { amount_off: 150 } })
  const price = await world.price(1000, { currency_options: { eur: { unit_amount: 900 } } })
  const ada = await world.customer()
  const { latest_invoice: invoice } = await stripe.subscriptions.create({
    customer: ada.id,
    currency: 'eur',
    items: [{ price: price.id }],
    discounts: [{ coupon: coupon.id }],
    expand: ['latest_invoice'],
  })
  expect(invoice).toMatchObject({ subtotal: 900, total: 750 })
})
