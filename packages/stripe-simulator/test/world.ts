import Stripe from 'stripe'
import { type SimulatorOptions, startSimulator } from '../src/simulator.ts'

/** 2026-01-01T00:00:00Z: January has 31 days, February 28. */
export const JAN_1 = 1767225600
export const HOUR = 3600
export const DAY = 86_400

/** Of methods that send nobody away an intent is confirmed without a `return_url`. */
export const NO_REDIRECTS = {
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
} as const

export type World = Awaited<ReturnType<typeof newWorld>>

/** A simulator, the unmodified client of it, and the few steps that every story starts with. */
export async function newWorld(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ seed: 7, ...options })
  const stripe = new Stripe('sk_test_simulator', {
    host: '127.0.0.1',
    port: simulator.port,
    protocol: 'http',
    maxNetworkRetries: 0,
  })

  async function product(name = 'Team') {
    return stripe.products.create({ name })
  }

  async function price(amount: number, more: Partial<Stripe.PriceCreateParams> = {}) {
    const owner = more.product ?? (await product()).id
    return stripe.prices.create({
      currency: 'usd',
      unit_amount: amount,
      recurring: { interval: 'month' },
      ...more,
      product: owner,
    })
  }

  async function clock(at = JAN_1) {
    return stripe.testHelpers.testClocks.create({ frozen_time: at })
  }

  /** A customer on a clock of its own, with a card that is the default. */
  async function customer({ at = JAN_1, card = 'pm_card_visa' }: { at?: number; card?: string | null } = {}) {
    const testClock = await clock(at)
    const created = await stripe.customers.create({ email: 'ada@example.com', test_clock: testClock.id })
    if (card !== null) await setCard(created.id, card)
    return { id: created.id, clock: testClock.id }
  }

  async function setCard(customerId: string, card: string) {
    const method = await stripe.paymentMethods.attach(card, { customer: customerId })
    await stripe.customers.update(customerId, { invoice_settings: { default_payment_method: method.id } })
    return method
  }

  /** Turns a clock and waits until it is ready and every event was delivered. */
  async function advance(clockId: string, to: number) {
    await stripe.testHelpers.testClocks.advance(clockId, { frozen_time: to })
    // Patient: how long a machine takes is no matter of these tests.
    const { idle } = await simulator.control.idle({ timeoutMs: 600_000 })
    if (!idle) throw new Error('the clock does not come to rest')
  }

  async function events(types?: string[]) {
    const all = await stripe.events
      .list({ limit: 100, ...(types === undefined ? {} : { types }) })
      .autoPagingToArray({ limit: 1000 })
    return all.reverse()
  }

  /** What happened while `story` ran: the types of the new events, oldest first. */
  async function typesDuring(story: () => Promise<unknown>) {
    const before = new Set((await events()).map((event) => event.id))
    await story()
    return (await events()).filter((event) => !before.has(event.id)).map((event) => event.type as string)
  }

  async function invoices(subscription: string) {
    return (await stripe.invoices.list({ subscription, limit: 100 })).data.reverse()
  }

  return {
    simulator,
    stripe,
    product,
    price,
    clock,
    customer,
    setCard,
    advance,
    events,
    typesDuring,
    invoices,
    close: () => simulator.close(),
  }
}

/** The refusal that a call ends with. */
export async function refusal(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error
    throw error
  }
  throw new Error('the call was expected to be refused')
}

export function amounts(invoice: Stripe.Invoice) {
  return invoice.lines.data.map((line) => line.amount)
}
