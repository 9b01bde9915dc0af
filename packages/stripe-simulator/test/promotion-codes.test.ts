// docs.stripe.com/api/promotion_codes. What is refused is in the words of 2026-08-26.dahlia, as recorded in
// Kiln-AI/stripe_world tests/conformance/cassettes/07_catalog.json, steps 59 to 74, where nothing else is said.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

const now = () => Math.floor(Date.now() / 1000)

async function coded(
  more: Partial<Stripe.PromotionCodeCreateParams> = {},
  of: Partial<Stripe.CouponCreateParams> = {},
) {
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'forever', ...of })
  return stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, ...more })
}

test.each<[Partial<Stripe.PromotionCodeCreateParams>, string, string]>([
  [
    { code: 'has spaces!' },
    String.raw`This value must match the regex pattern. (/\A[a-zA-Z0-9\-_]+\z/ does not match for the value has spaces!).`,
    'code',
  ],
  [
    { promotion: { type: 'coupon' } },
    'You must pass promotion.coupon when passing promotion',
    'promotion.coupon',
  ],
  [{ promotion: { type: 'coupon', coupon: 'NOPE1234' } }, "No such coupon: 'NOPE1234'", 'promotion[coupon]'],
  [{ customer: 'cus_nope' }, "No such customer: 'cus_nope'", 'customer'],
  [
    { expires_at: 2000 },
    'The parameter `expires_at` expects a unix timestamp representing a date and time in the future. You specified the value `2000` which is in the past.',
    'expires_at',
  ],
  [
    { expires_at: 4_102_444_800 },
    'Invalid timestamp: can be no more than five years in the future.',
    'expires_at',
  ],
])('a code of %j is refused', async (given, message, param) => {
  expect(await refusal(coded(given))).toMatchObject({ statusCode: 400, message, param })
})

test('a code that is not there', async () => {
  expect(await refusal(stripe.promotionCodes.retrieve('promo_nope'))).toMatchObject({
    ...{ statusCode: 404, param: 'promotion_code', message: "No such promotion code: 'promo_nope'" },
  })
})

test('restrictions are fixed but for currencies', async () => {
  const { id } = await coded()
  const given = { restrictions: { first_time_transaction: true } } as Stripe.PromotionCodeUpdateParams
  expect(await refusal(stripe.promotionCodes.update(id, given))).toMatchObject({
    ...{ code: 'parameter_unknown', param: 'restrictions[first_time_transaction]' },
  })
})

// https://stripe.com/docs/billing/subscriptions/discounts/codes: "You can create multiple customer-restricted promotion codes
// with the same code, but you cannot reuse that code for a promotion code redeemable by any customer. If you create a
// promotion code that is redeemable by any customer, you cannot create another active promotion code with the same code."
test('a code for everybody is the only one; of codes for one customer each customer has their own', async () => {
  const [ada, eva] = [await world.customer(), await world.customer()]
  await coded({ code: 'FALL_25' })
  const refused = await refusal(coded({ code: 'fall_25', customer: ada.id }))
  expect(refused).toMatchObject({
    ...{ statusCode: 400, code: undefined, param: undefined },
    message: 'An active promotion code with `code: fall_25` already exists.',
  })
  await coded({ code: 'MINE', customer: ada.id })
  await coded({ code: 'mine', customer: eva.id })
  await refusal(coded({ code: 'Mine', customer: ada.id }))
  await refusal(coded({ code: 'MINE' }))
  const found = await stripe.promotionCodes.list({ code: 'MINE', customer: eva.id })
  expect(found.data.map(({ code }) => code)).toEqual(['mine'])
})

test('a code can be used again by another when it is inactive or used up, and is not activated beside it', async () => {
  const first = await coded({ code: 'NEWUSER' })
  await stripe.promotionCodes.update(first.id, { active: false })
  const second = await coded({ code: 'NEWUSER' })
  const again = stripe.promotionCodes.update(first.id, { active: true })
  expect((await refusal(again)).message).toBe('An active promotion code with `code: NEWUSER` already exists.')
  await stripe.coupons.del(second.promotion.coupon as string)
  expect((await stripe.promotionCodes.retrieve(second.id)).active).toBe(false)
  expect((await stripe.promotionCodes.update(first.id, { active: true })).active).toBe(true)
  // One that is made inactive takes nobody's code.
  expect((await coded({ code: 'NEWUSER', active: false })).active).toBe(false)
})

// "A promotion code can only be reactivated when the coupon is still valid and the promotion code is otherwise redeemable."
test('a code whose coupon is gone is not activated', async () => {
  const code = await coded({ active: false })
  await stripe.coupons.del(code.promotion.coupon as string)
  expect(await refusal(stripe.promotionCodes.update(code.id, { active: true }))).toMatchObject({
    ...{ statusCode: 400, param: 'active' },
  })
})

test('it may not outlast its coupon, nor be redeemed more often', async () => {
  const until = now() + 10 * DAY
  expect((await refusal(coded({ expires_at: until + 1 }, { redeem_by: until }))).param).toBe('expires_at')
  expect((await refusal(coded({ max_redemptions: 6 }, { max_redemptions: 5 }))).param).toBe('max_redemptions')
  const code = await coded(
    { expires_at: until, max_redemptions: 5 },
    { redeem_by: until, max_redemptions: 5 },
  )
  expect(code).toMatchObject({ expires_at: until, max_redemptions: 5, times_redeemed: 0, active: true })
})

async function subscribed(currency: string, amount: number, code: string, more: { customer?: string } = {}) {
  const price = await world.price(amount, { currency })
  const customer = more.customer ?? (await world.customer()).id
  return stripe.subscriptions.create({
    ...{ customer, items: [{ price: price.id }], discounts: [{ promotion_code: code }] },
    expand: ['latest_invoice'],
  })
}

// https://docs.stripe.com/api/promotion_codes/create#create_promotion_code-restrictions-currency_options
test('the least purchase is named for each currency, and others are added later', async () => {
  const code = await coded({
    restrictions: {
      ...{ minimum_amount: 1000, minimum_amount_currency: 'usd' },
      currency_options: { eur: { minimum_amount: 900 } },
    },
  })
  expect(code.restrictions).toEqual({
    ...{ first_time_transaction: false, minimum_amount: 1000, minimum_amount_currency: 'usd' },
  })
  const same = { restrictions: { currency_options: { usd: { minimum_amount: 5 } } } }
  expect(await refusal(stripe.promotionCodes.update(code.id, same))).toMatchObject({ statusCode: 400 })
  // 8.99 is too little, 9.00 less a tenth is 8.10.
  expect((await refusal(subscribed('eur', 899, code.id))).statusCode).toBe(400)
  const paid = await subscribed('eur', 900, code.id)
  expect((paid.latest_invoice as Stripe.Invoice).total).toBe(810)
  expect((await refusal(subscribed('gbp', 5000, code.id))).statusCode).toBe(400)
  const widened = await stripe.promotionCodes.update(code.id, {
    restrictions: { currency_options: { gbp: { minimum_amount: 800 } } },
    expand: ['restrictions.currency_options'],
  })
  expect(widened.restrictions.currency_options).toEqual({
    ...{ usd: { minimum_amount: 1000 }, eur: { minimum_amount: 900 }, gbp: { minimum_amount: 800 } },
  })
  expect(((await subscribed('gbp', 5000, code.id)).latest_invoice as Stripe.Invoice).total).toBe(4500)
})

// "Customers without any successful payments or invoices." The words: https://github.com/stripe/stripe-node/issues/1318
test('a first transaction is one of somebody who has paid nothing and has no paid invoice', async () => {
  const code = await coded({ restrictions: { first_time_transaction: true } })
  const [ada, eva] = [await world.customer(), await world.customer()]
  const free = await world.price(0)
  await stripe.subscriptions.create({ customer: ada.id, items: [{ price: free.id }] })
  expect((await refusal(subscribed('usd', 1000, code.id, { customer: ada.id }))).message).toBe(
    'This promotion code cannot be redeemed because the associated customer has prior transactions.',
  )
  const first = await subscribed('usd', 1000, code.id, { customer: eva.id })
  expect((first.latest_invoice as Stripe.Invoice).total).toBe(900)
  await refusal(subscribed('usd', 1000, code.id, { customer: eva.id }))
})
