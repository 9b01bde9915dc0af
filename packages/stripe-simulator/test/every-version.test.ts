import { afterAll, beforeAll, expect, test } from 'vitest'
import type { VersionChange } from '../src/versions/change.ts'
import { changes } from '../src/versions/changes.ts'
import { versions } from '../src/versions/versions.ts'
import type { Loose } from './clients.ts'
import { HOUR, JAN_1, NO_REDIRECTS, newWorld, type World } from './world.ts'

const LISTS = [
  'billing_portal/configurations',
  'charges',
  'checkout/sessions?expand[]=data.line_items',
  'credit_notes',
  'customers',
  'disputes',
  'invoiceitems',
  'invoices',
  'payment_intents',
  'products',
  'promotion_codes',
  'setup_intents',
  'subscription_schedules',
  'subscriptions?status=all',
]

let world: World
let customer: string
let clock: string

/** A little of everything: a discount, taxes, a proration, a refund, a credit note, a schedule, a dispute, a page. */
beforeAll(async () => {
  world = await newWorld()
  const { stripe } = world
  const ada = await world.customer()
  customer = ada.id
  clock = ada.clock
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id } })
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false })
  const [small, big] = [await world.price(1000), await world.price(3000)]
  const { id, items } = await stripe.subscriptions.create({
    customer,
    items: [{ price: small.id, tax_rates: [rate.id] }],
    discounts: [{ coupon: coupon.id }],
  })
  await world.advance(clock, JAN_1 + 10 * 24 * HOUR)
  await stripe.subscriptions.update(id, { items: [{ id: items.data[0]?.id as string, price: big.id }] })
  await world.advance(clock, JAN_1 + 31 * 24 * HOUR + 2 * HOUR)
  const [paid] = (await stripe.invoices.list({ subscription: id, status: 'paid' })).data
  await stripe.creditNotes.create({ invoice: paid?.id as string, amount: 100, refund_amount: 100 })
  await stripe.subscriptionSchedules.create({ from_subscription: id })
  await stripe.setupIntents.create({ customer })
  await stripe.paymentIntents.create({
    ...{ amount: 1000, currency: 'usd', customer, confirm: true },
    ...{ payment_method: 'pm_card_createDispute', ...NO_REDIRECTS },
  })
  await stripe.checkout.sessions.create({
    mode: 'subscription',
    success_url: 'https://example.com/done',
    line_items: [{ price: small.id, quantity: 1 }],
    tax_id_collection: { enabled: true },
  })
})
afterAll(() => world.close())

/** By object: fields that a version must not show, and fields that it must. */
function expected(version: string) {
  const absent = new Map<string, Set<string>>()
  const present = new Map<string, Set<string>>()
  const of = (sets: Map<string, Set<string>>, name: string) => {
    const set = sets.get(name) ?? new Set<string>()
    sets.set(name, set)
    return set
  }
  for (const { since, show = {} } of changes as readonly VersionChange[]) {
    if (version >= since) continue
    for (const [name, { drop = [], give = {} }] of Object.entries(show)) {
      for (const field of drop) {
        of(absent, name).add(field)
        of(present, name).delete(field)
      }
      for (const field of Object.keys(give)) {
        of(absent, name).delete(field)
        of(present, name).add(field)
      }
    }
  }
  return { absent, present }
}

/** Told only of some: an item of a line, the moment of a proration, what made an invoice item. */
const SOMETIMES = new Set(['invoice_item', 'subscription_item', 'subscription_proration_date'])

function* objectsIn(value: Loose): Generator<Loose> {
  if (typeof value !== 'object' || value === null) return
  if (typeof value.object === 'string') yield value
  for (const [key, inner] of Object.entries(value)) if (key !== 'metadata') yield* objectsIn(inner)
}

test('every version shows its own fields and no newer ones, in lists and in what is embedded', async () => {
  const met = new Set<string>()
  const wrong: string[] = []
  for (const version of versions) {
    const { absent, present } = expected(version)
    const headers = { authorization: 'Bearer sk_test_x', 'stripe-version': version }
    for (const list of LISTS) {
      const query = list === 'subscriptions?status=all' ? `&customer=${customer}` : ''
      const filter = list === 'customers' ? `?test_clock=${clock}` : query
      const answer: Loose = await (
        await fetch(`${world.simulator.url}/v1/${list}${filter}`, { headers })
      ).json()
      expect(answer.data?.length, `${list} in ${version}: ${JSON.stringify(answer.error)}`).toBeGreaterThan(0)
      for (const object of objectsIn(answer)) {
        met.add(object.object)
        const where = `${object.object} ${object.id} in ${version}`
        for (const field of absent.get(object.object) ?? []) {
          if (field in object) wrong.push(`${where} shows ${field}`)
        }
        for (const field of present.get(object.object) ?? []) {
          if (!(field in object) && !SOMETIMES.has(field)) wrong.push(`${where} lacks ${field}`)
        }
      }
    }
  }
  expect(wrong).toEqual([])
  // Whatever changed between versions was seen, but for what this story has none of.
  const changed = new Set((changes as readonly VersionChange[]).flatMap(({ show = {} }) => Object.keys(show)))
  const unseen = ['billing_portal.session', 'customer_balance_transaction', 'payment_method']
  expect([...changed].filter((name) => !met.has(name)).sort()).toEqual(unseen)
})
