import { defineCatalog } from '@lockstep/core/catalog'
import type { PlanInput } from '@lockstep/core/catalog-input'
import { adjustmentRoutes } from '../../src/http/routes/adjustments.ts'
import { creditNoteRoutes } from '../../src/http/routes/credit-notes.ts'
import { invoiceRoutes } from '../../src/http/routes/invoices.ts'
import { planChangeRoutes } from '../../src/http/routes/plan-changes.ts'
import { refundRoutes } from '../../src/http/routes/refunds.ts'
import { spendLimitRoutes } from '../../src/http/routes/spend-limits.ts'
import { subscriptionDeedRoutes } from '../../src/http/routes/subscription-deeds.ts'
import { subscriptionStatsRoutes } from '../../src/http/routes/subscription-stats.ts'
import { subscriptionRoutes } from '../../src/http/routes/subscriptions.ts'
import { newBillingWorld, type Payer } from '../support/billing-world.ts'
import { newServer } from '../support/server.ts'

// The same things for sale in four currencies, in which a coin is something else each: a hundredth, a whole, a
// thousandth that is charged in tens, and a whole that Stripe writes with two decimals (docs.stripe.com/currencies).
// Prices are told as a number of hundredths of a dollar, of ten fils, of yen and krónur.

export const currencies = ['usd', 'jpy', 'kwd', 'isk'] as const
export type Code = (typeof currencies)[number]

/** A price as a catalogue writes it: 1001 is 10.01 usd, 1001 jpy, 10.010 kwd, 1001 isk. */
export function price(code: Code, number: number): string {
  if (code === 'jpy' || code === 'isk') return String(number)
  const digits = String(number).padStart(3, '0')
  const text = `${digits.slice(0, -2)}.${digits.slice(-2)}`
  return code === 'kwd' ? `${text}0` : text
}

const fee = (code: Code, number: number) => ({
  fee: { kind: 'recurring', model: 'flat', amount: price(code, number) } as const,
})

/** What one unit of usage costs is finer than a coin: 0.037 usd, 3.7 jpy, 0.037 kwd, 3.7 isk. */
const rates = (code: Code) =>
  code === 'jpy' || code === 'isk'
    ? { call: '3.7', first: '5.5', further: '2.25' }
    : { call: '0.037', first: '0.055', further: '0.0225' }

/** Of a fee it may be so fine where the last coin is charged. */
const seats = { usd: '1.255', jpy: '125.5', kwd: '1.250', isk: '125' } as const

const monthlyIn = (code: Code) => ({ product: 'app', interval: 'month', currency: code }) as const

function plansIn(code: Code): Record<string, PlanInput<'app', 'calls' | 'store' | 'sms', 'app'>> {
  const monthly = monthlyIn(code)
  const { call, first, further } = rates(code)
  const calls = { meter: 'calls', model: 'perUnit', unitAmount: call } as const
  return {
    [`${code}-small`]: { ...monthly, name: 'Small', prices: fee(code, 1001) },
    [`${code}-trial`]: { ...monthly, name: 'Small', trialDays: 14, prices: fee(code, 1001) },
    [`${code}-big`]: { ...monthly, name: 'Big', prices: fee(code, 2503) },
    [`${code}-team`]: {
      ...monthly,
      name: 'Team',
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: price(code, 307) } },
    },
    [`${code}-metered`]: {
      ...{ ...monthly, name: 'Metered' },
      prices: {
        ...fee(code, 1001),
        calls,
        store: {
          ...{ meter: 'store', model: 'graduated' },
          tiers: [
            { upTo: '10', unitAmount: first },
            { upTo: null, unitAmount: further },
          ],
        },
        sms: { meter: 'sms', model: 'package', amount: price(code, 33), size: '100' },
      },
    },
    [`${code}-bounded`]: {
      ...{ ...monthly, name: 'Bounded' },
      prices: {
        ...fee(code, 1001),
        calls,
        least: { name: 'Least', model: 'minimum', amount: price(code, 400) },
        most: { name: 'Most', model: 'maximum', amount: price(code, 900) },
      },
    },
    [`${code}-ticket`]: {
      ...{ ...monthly, name: 'Ticket', purchase: 'event_ticket' },
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: seats[code] } },
    },
    [`${code}-course`]: {
      ...{ ...monthly, name: 'Course', purchase: 'course', payments: 3 },
      prices: fee(code, 1001),
    },
  }
}

export const fourCurrencies = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: {
    calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' },
    store: { name: 'Store', unitLabel: 'GB', aggregation: 'sum' },
    sms: { name: 'SMS', unitLabel: 'message', aggregation: 'sum' },
  },
  plans: Object.assign({}, ...currencies.map(plansIn)),
  addons: Object.fromEntries(
    currencies.map((code) => [
      `${code}-extra`,
      { ...monthlyIn(code), name: 'Extra', prices: fee(code, 113) },
    ]),
  ),
  coupons: {
    percent: { name: '15 %', percentOff: '15', duration: 'once' },
    ...Object.fromEntries(
      currencies.map((code) => [
        `${code}-off`,
        { name: 'Off', amountOff: price(code, 200), currency: code, duration: 'once' },
      ]),
    ),
  },
})

/** Whole numbers of our smallest coin, as the API tells them. */
export const minors = (amounts: readonly { readonly minor: string }[]): number[] =>
  amounts.map(({ minor }) => Number(minor))

export interface Shown {
  readonly minor: string
}

/** A billing world that sells in four currencies, and what is asked of it over HTTP. */
export async function newMoneyWorld() {
  const world = await newBillingWorld({ catalog: fourCurrencies })
  const server = await newServer(world.deps, { clock: world.deps.clock })
  const config = { secrets: ['a secret of the tests, long enough'] }
  const parts = { ...world.deps, workflows: world.workflows, config }
  for (const register of [
    adjustmentRoutes,
    creditNoteRoutes,
    invoiceRoutes,
    planChangeRoutes,
    refundRoutes,
    spendLimitRoutes,
    subscriptionDeedRoutes,
    subscriptionRoutes,
    subscriptionStatsRoutes,
  ])
    register(server.app, parts)

  return {
    ...world,

    async ask(method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object) {
      const { status, body } = await server.call({ method, url, ...(payload && { payload }) })
      return { status, body: body as Record<string, never> }
    },

    /** Turns the customer's time, and hears of what happened. */
    async go(payer: Payer, time: string): Promise<void> {
      await world.turn(payer, time)
      await world.deliver()
    },

    /** Our invoices that are paid, in a line each: period, reason, total. */
    async paid(payer: Payer): Promise<string[]> {
      return (await world.story(payer)).filter((line) => line.includes(' paid '))
    },

    /** Stripe's last invoice of the customer, in its own numbers, and what was charged for it. */
    async lastAtStripe({ customer }: Payer) {
      const { data } = await world.stripe.invoices.list({ customer, limit: 1 })
      const [invoice] = data
      if (!invoice) throw new Error('Stripe has no invoice of this customer.')
      const { total, amount_due: due, amount_paid: paid, ending_balance: balance } = invoice
      return { total, due, paid, balance }
    },
  }
}
