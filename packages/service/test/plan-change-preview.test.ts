import { defineCatalog } from '@lockstep/core/catalog'
import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Random, seeded } from '../../../test/support/random.ts'
import { newSimulator } from '../../../test/support/simulator.ts'
import { type Installation, newInstallation } from './support/installation.ts'
import { type Body, newSubscriber } from './support/subscriber.ts'

// A preview is the deed: whatever the plans, the numbers, the add-ons, the moment, the currency, coupon and trial, what was
// shown is what the simulator then bills, line by line and to the smallest coin.

const CASES = 200
const CHANGES_EACH = 5
const SEED = 20_261_126

/** Amounts in the minor unit of each: none, two and three decimals; a dinar is charged in tens of fils. */
const currencies = [
  { currency: 'usd', amount: (minor: number) => (minor / 100).toFixed(2) },
  { currency: 'jpy', amount: (minor: number) => `${minor}` },
  { currency: 'kwd', amount: (minor: number) => ((minor * 10) / 1000).toFixed(3) },
] as const

/** Plans of chance: a free one, one with a trial, flat ones of several rhythms, some by number, some of two prices. */
function chanceCatalog(random: Random) {
  const plans = currencies.flatMap(({ currency, amount }) => {
    const price = () => amount(1 + random.below(9_000))
    const recurring = { kind: 'recurring' as const }
    const plan = (name: string, interval: 'month' | 'year' | 'week', prices: object, more: object = {}) =>
      [`${currency}-${name}`, { name, product: 'app', currency, interval, prices, ...more }] as const
    const flat = () => ({ fee: { ...recurring, model: 'flat', amount: price() } })
    const seats = () => ({ seat: { ...recurring, model: 'perUnit', unitAmount: price() } })
    return [
      plan('free', 'month', { fee: { ...recurring, model: 'flat', amount: amount(0) } }),
      plan('trial', 'month', flat(), { trialDays: 14 }),
      plan('small', 'month', flat()),
      plan('large', 'month', flat()),
      plan('quarter', 'month', flat(), { intervalCount: 3 }),
      plan('year', 'year', flat()),
      plan('week', 'week', flat()),
      plan('seats', 'month', seats()),
      plan('both', 'month', { ...flat(), ...seats() }),
    ]
  })
  const addons = currencies.flatMap(({ currency, amount }) => {
    const recurring = { kind: 'recurring' as const }
    const addon = (name: string, price: object) =>
      [
        `${currency}-${name}`,
        { name, product: 'app', currency, interval: 'month', prices: { one: { ...recurring, ...price } } },
      ] as const
    const price = () => amount(1 + random.below(2_000))
    return [
      addon('extra', { model: 'perUnit', unitAmount: price() }),
      addon('block', { model: 'flat', amount: price() }),
    ]
  })
  return defineCatalog({
    currency: 'usd',
    products: { app: { name: 'App' } },
    coupons: { tenth: { name: 'A tenth', percentOff: '10', duration: 'forever' } },
    plans: Object.fromEntries(plans) as never,
    addons: Object.fromEntries(addons) as never,
  })
}

let simulator: Simulator
let installation: Installation

beforeAll(async () => {
  simulator = await newSimulator({ settings: { unlimitedClocks: true } })
  installation = await newInstallation(simulator, chanceCatalog(seeded(SEED)))
})
afterAll(async () => {
  await simulator.close()
  await installation.close()
})

interface Shown {
  readonly lines: readonly { readonly description: string; readonly amount: { readonly minor: string } }[]
  readonly total: { readonly minor: string }
}

/** Those that are paid by the month: the add-ons go with them, and with no other. */
const monthly: readonly string[] = ['free', 'trial', 'small', 'large', 'seats', 'both']

const kinds = ['small', 'large', 'quarter', 'year', 'week', 'seats', 'both', 'free'] as const

test(`${CASES} changes of chance are billed as they were shown`, async () => {
  const random = seeded(SEED)
  const counted = { withAddons: 0, billed: 0, agreed: 0, notAsked: 0, inTrial: 0, nothing: 0 }
  for (let number = 0; number < CASES / CHANGES_EACH; number += 1) await live(random, number, counted)
  // Each kind of case was met, or the test tests less than it says.
  expect(counted.billed).toBeGreaterThan(CASES / 3)
  expect(counted.agreed).toBeGreaterThan(CASES / 10)
  expect(counted.withAddons).toBeGreaterThan(CASES / 5)
  expect(Math.min(counted.notAsked, counted.inTrial)).toBeGreaterThan(0)
})

/** One customer who changes a few times, at moments of chance. */
async function live(random: Random, number: number, counted: Record<string, number>): Promise<void> {
  const { currency } = currencies[number % currencies.length] ?? currencies[0]
  const begins = Date.UTC(2026, random.below(12), 28 + random.below(4), random.below(24), random.below(60))
  const plan = number % 4 === 3 ? 'trial' : random.pick(kinds)
  const at = new Date(begins).toISOString().replace('.000', '')
  const ada = await newSubscriber(installation, `${currency}-${plan}`, {
    at,
    coupons: number % 5 === 4 ? ['tenth'] : [],
  })
  let now = begins
  for (let change = 0; change < CHANGES_EACH; change += 1) {
    // Some at once, so that two fall into one period and one into the second in which the period began.
    if (change % 2 === 1) {
      now += (1 + random.below(20)) * 86_400_000 + random.below(86_400) * 1000
      await ada.turn(new Date(now).toISOString().replace('.000', ''))
    }
    const to = random.pick(kinds)
    const byNumber = to === 'seats' || to === 'both'
    const wish = {
      plan: `${currency}-${to}`,
      addons: chanceAddons(random, (await ada.read()).addons as Attached[], currency, monthly.includes(to)),
      quantity: byNumber ? 1 + random.below(40) : 1,
      when: 'now',
    }
    const shown = await ada.preview(wish)
    if (shown.body.code === 'empty_change') {
      counted.nothing = (counted.nothing ?? 0) + 1
      continue
    }
    const story = `${SEED}/${number}/${change} ${JSON.stringify(wish)}`
    expect(`${story} ${shown.status}`).toBe(`${story} 200`)
    const { dueNow, secondOpinion, token } = shown.body as Body & { dueNow: Shown | null }
    expect(`${story} ${secondOpinion}`).not.toBe(`${story} differs`)
    const before = (await lastInvoice(ada))?.id
    const done = await ada.change({ ...wish, preview: token })
    expect(`${story} ${done.status}`).toBe(`${story} 200`)
    const invoice = await lastInvoice(ada)
    if (dueNow === null) {
      expect(`${story} ${invoice?.id}`).toBe(`${story} ${before}`)
      counted.inTrial = (counted.inTrial ?? 0) + 1
      continue
    }
    const billed = invoice?.lines.data.map((line) => `${line.amount} ${line.description}`).sort()
    const promised = dueNow.lines.map((line) => `${line.amount.minor} ${line.description}`).sort()
    expect({ story, lines: billed, total: `${invoice?.total}` }).toEqual({
      story,
      lines: promised,
      total: dueNow.total.minor,
    })
    expect(invoice?.id).not.toBe(before)
    counted.billed = (counted.billed ?? 0) + 1
    if (wish.addons.length > 0) counted.withAddons = (counted.withAddons ?? 0) + 1
    const opinion = secondOpinion === 'agrees' ? 'agreed' : 'notAsked'
    counted[opinion] = (counted[opinion] ?? 0) + 1
  }
}

interface Attached {
  readonly addon: string
  readonly quantity: number
}

/** Some come, some go, some change their number; what does not go with the plan goes. */
function chanceAddons(
  random: Random,
  attached: readonly Attached[],
  currency: string,
  fits: boolean,
): Attached[] {
  if (!fits) return attached.map(({ addon }) => ({ addon, quantity: 0 }))
  const wish = [
    { addon: `${currency}-extra`, quantity: random.below(5) },
    { addon: `${currency}-block`, quantity: random.below(2) },
  ]
  return wish.filter(() => random.below(2) === 0)
}

async function lastInvoice({ read }: Awaited<ReturnType<typeof newSubscriber>>) {
  const { providerId } = await read()
  const { stripe } = installation.deps.provider
  const { data } = await stripe.invoices.list({ subscription: String(providerId), limit: 1 })
  return data[0]
}
