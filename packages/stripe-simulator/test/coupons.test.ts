// docs.stripe.com/api/coupons. What is refused is in the words of 2026-08-26.dahlia, as recorded in Kiln-AI/stripe_world
// tests/conformance/cassettes/07_catalog.json, steps 42 to 58, where nothing else is said.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { clientOf, type Loose } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

const inADay = () => Math.floor(Date.now() / 1000) + DAY

test.each<[object, string, string | undefined, string | undefined]>([
  [{}, 'Must provide percent_off or amount_off.', undefined, 'parameter_missing'],
  [
    { percent_off: 10, amount_off: 500, currency: 'usd' },
    'Received both percent_off and amount_off parameters. Please pass in only one.',
    undefined,
    undefined,
  ],
  [{ amount_off: 500 }, 'You must pass currency when passing amount_off', 'currency', undefined],
  [
    { percent_off: 10, duration: 'repeating' },
    'The duration_in_months param must be set when creating a coupon with a repeating duration',
    'duration',
    undefined,
  ],
  [
    { percent_off: 0 },
    "This value must be greater than or equal to 0.01 (it currently is '0.0').",
    'percent_off',
    undefined,
  ],
  [
    { percent_off: 10, redeem_by: 1000 },
    'The parameter `redeem_by` expects a unix timestamp representing a date and time in the future. You specified the value `1000` which is in the past.',
    'redeem_by',
    undefined,
  ],
  // "Cannot be set to more than 5 years in the future"; the words are recorded of `expires_at` of a promotion code.
  [
    { percent_off: 10, redeem_by: 4_102_444_800 },
    'Invalid timestamp: can be no more than five years in the future.',
    'redeem_by',
    undefined,
  ],
  [
    { percent_off: 5, currency_options: { eur: { amount_off: 4 } } },
    'You may only specify one of these parameters: currency_options, percent_off.',
    'currency_options',
    undefined,
  ],
  [
    { amount_off: 500, currency: 'usd', currency_options: { EUR: { amount_off: 4 } } },
    'Currencies must be lowercase when used as keys in a map. Use `eur` instead of `EUR`.',
    'currency_options',
    undefined,
  ],
])('a coupon of %j is refused', async (given, message, param, code) => {
  const refused = await refusal(stripe.coupons.create(given))
  expect({ message: refused.message, param: refused.param, code: refused.code }).toEqual({
    message,
    param,
    code,
  })
  expect(refused.statusCode).toBe(400)
})

test('more than 100 percent is refused, parts of a percent are not', async () => {
  expect((await refusal(stripe.coupons.create({ percent_off: 100.5 }))).param).toBe('percent_off')
  expect(await stripe.coupons.create({ percent_off: 22.5 })).toMatchObject({
    percent_off: 22.5,
    currency: null,
  })
  expect((await stripe.coupons.create({ percent_off: 0.01 })).percent_off).toBe(0.01)
})

test('which coupon is not there is said under `coupon`', async () => {
  const { id } = await stripe.coupons.create({ percent_off: 10 })
  expect(await stripe.coupons.del(id)).toEqual({ id, object: 'coupon', deleted: true })
  for (const ask of [
    () => stripe.coupons.retrieve(id),
    () => stripe.coupons.update(id, { name: 'x' }),
    () => stripe.coupons.del(id),
  ]) {
    expect(await refusal(ask())).toMatchObject({
      ...{ statusCode: 404, code: 'resource_missing', param: 'coupon', message: `No such coupon: '${id}'` },
    })
  }
})

test('a coupon of amounts names them when it is asked to, and nothing of it changes but what may', async () => {
  const product = await world.product()
  const { id } = await stripe.coupons.create({
    ...{ amount_off: 500, currency: 'usd', duration: 'repeating', duration_in_months: 3, name: 'five off' },
    ...{ max_redemptions: 10, redeem_by: inADay(), applies_to: { products: [product.id] } },
    currency_options: { eur: { amount_off: 400 } },
  })
  const asked = { expand: ['applies_to', 'currency_options'] }
  expect(await stripe.coupons.retrieve(id, asked)).toMatchObject({
    applies_to: { products: [product.id] },
    currency_options: { usd: { amount_off: 500 }, eur: { amount_off: 400 } },
  })
  const changed = await stripe.coupons.update(id, {
    ...{ name: 'less', metadata: { a: 'b' }, currency_options: { jpy: { amount_off: 600 } } },
    ...asked,
  })
  expect(changed).toMatchObject({
    ...{ name: 'less', metadata: { a: 'b' }, amount_off: 500, max_redemptions: 10, valid: true },
    currency_options: { usd: { amount_off: 500 }, eur: { amount_off: 400 }, jpy: { amount_off: 600 } },
  })
  const [told] = (await world.events(['coupon.updated'])).slice(-1)
  expect(told?.data.previous_attributes).toEqual({ name: 'five off', metadata: { a: null } })
  const fixed = stripe.coupons.update(id, { duration: 'once' } as Stripe.CouponUpdateParams)
  expect((await refusal(fixed)).code).toBe('parameter_unknown')
})

// https://github.com/useautumn/autumn/pull/2260 tells of discounts "whose deleted coupon has a same-ID replacement".
test('the id of a deleted coupon can be used again; what was made of the deleted one goes on', async () => {
  const product = await world.product()
  const price = await world.price(1000, { product: product.id })
  const applies_to = { products: [product.id] }
  const first = { id: 'SPRING', percent_off: 50, duration: 'forever', applies_to } as const
  await stripe.coupons.create(first)
  expect(await refusal(stripe.coupons.create({ id: 'SPRING', percent_off: 10 }))).toMatchObject({
    ...{ statusCode: 400, code: 'resource_already_exists' },
  })
  const { id: early } = await stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: 'SPRING' },
  })
  const ada = await world.customer()
  const subscription = await stripe.subscriptions.create({
    ...{ customer: ada.id, items: [{ price: price.id }], discounts: [{ coupon: 'SPRING' }] },
  })
  await stripe.coupons.del('SPRING')
  const second = await stripe.coupons.create({ id: 'SPRING', percent_off: 10, duration: 'forever' })
  expect(second).toMatchObject({ id: 'SPRING', percent_off: 10, times_redeemed: 0, valid: true })

  await world.advance(ada.clock, JAN_1 + 31 * DAY + HOUR)
  expect((await world.invoices(subscription.id)).map((invoice) => invoice.total)).toEqual([500, 500])
  const kept = await stripe.subscriptions.retrieve(subscription.id, {
    expand: ['discounts.source.coupon.applies_to'],
  })
  const [discount] = kept.discounts as Stripe.Discount[]
  expect(discount?.source).toMatchObject({
    coupon: { id: 'SPRING', percent_off: 50, valid: false, applies_to },
  })
  const plain = await stripe.subscriptions.retrieve(subscription.id, { expand: ['discounts'] })
  expect((plain.discounts as Stripe.Discount[])[0]?.source.coupon).toBe('SPRING')
  // The code promoted the one that is gone, and does not come back to life with the new one.
  expect(await stripe.promotionCodes.retrieve(early, { expand: ['promotion.coupon'] })).toMatchObject({
    active: false,
    promotion: { coupon: { percent_off: 50 } },
  })
  const eva = await world.customer()
  const late = await stripe.subscriptions.create({
    ...{ customer: eva.id, items: [{ price: price.id }], discounts: [{ coupon: 'SPRING' }] },
    expand: ['latest_invoice'],
  })
  expect((late.latest_invoice as Stripe.Invoice).total).toBe(900)
  expect((await stripe.coupons.list({ limit: 100 })).data.filter(({ id }) => id === 'SPRING')).toHaveLength(1)
  const older: Loose = await (await clientOf(17, world.simulator.port)).subscriptions.retrieve(
    subscription.id,
  )
  expect(older.discount.coupon).toMatchObject({ id: 'SPRING', percent_off: 50 })
})

test('a phase that names a coupon whose id is used again keeps the discount that it gave', async () => {
  const { stripe } = world
  const [{ id: customer, clock }, price] = [await world.customer(), await world.price(1000)]
  await stripe.coupons.create({ id: 'AUTUMN', percent_off: 10, duration: 'forever' })
  const phase = {
    items: [{ price: price.id }],
    discounts: [{ coupon: 'AUTUMN' }],
    duration: { interval: 'month', interval_count: 1 } as const,
  }
  await stripe.subscriptionSchedules.create({ customer, start_date: JAN_1, phases: [phase, phase] })
  await stripe.coupons.del('AUTUMN')
  await stripe.coupons.create({ id: 'AUTUMN', percent_off: 90, duration: 'forever' })
  await world.advance(clock, JAN_1 + 31 * DAY + 2 * HOUR)
  // 10 % of 10.00 is off, in January and in February.
  expect((await stripe.invoices.list({ customer })).data.map(({ total }) => total)).toEqual([900, 900])
})
