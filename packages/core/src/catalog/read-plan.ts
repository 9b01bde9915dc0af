import { type Interval, intervals } from '../billing-cycle.ts'
import { isCurrency } from '../currency.ts'
import type { Feature } from '../feature.ts'
import type { Meter } from '../meter.ts'
import { audiences, type Plan } from '../plan.ts'
import { boundsCross, isBilledByProvider, type Price } from '../price.ts'
import { usageIntervalFault } from '../usage-cycle.ts'
import type { KnownCurrency } from './amounts.ts'
import { readGrants } from './read-feature.ts'
import { type PriceContext, readPrice } from './read-price.ts'
import { entries, type Reader } from './reader.ts'

/** Stripe bills at most three years at a time. */
export const maxIntervalCount: Record<Interval, number> = { day: 1095, week: 156, month: 36, year: 3 }

/** Stripe's longest trial, two years. */
const MAX_TRIAL_DAYS = 730

/** Stripe's limit of items in one subscription. */
export const MAX_PROVIDER_PRICES = 20
const MAX_PRICES = 100
const MAX_PAYMENTS = 120

export interface PlanContext {
  readonly products: ReadonlySet<string>
  readonly meters: ReadonlyMap<string, Meter>
  readonly features: ReadonlyMap<string, Feature>
  readonly plans: ReadonlySet<string>
  readonly currency: KnownCurrency
}

export function readPlan(reader: Reader, key: string, context: PlanContext): Plan {
  const { products, meters } = context
  const name = reader.text('name')
  const product = reader.reference('product', 'product', products)
  const currency = reader.has('currency') ? readCurrency(reader) : context.currency
  const interval = reader.oneOf('interval', intervals)
  const prices = readPrices(reader, { products, meters, plan: { name, product, currency } })
  const plan: Plan = {
    key,
    name,
    audience: reader.oneOf('audience', audiences, 'public'),
    product,
    currency: currency ?? '',
    interval,
    intervalCount: reader.integer('intervalCount', {
      min: 1,
      max: maxIntervalCount[interval],
      otherwise: 1,
    }),
    ...readUsageInterval(reader),
    trialDays: reader.integer('trialDays', { min: 0, max: MAX_TRIAL_DAYS, otherwise: 0 }),
    trialUsage: reader.oneOf('trialUsage', ['free', 'billed'], 'free'),
    purchase: reader.has('purchase') ? reader.text('purchase') : 'membership',
    payments: reader.has('payments')
      ? reader.integer('payments', { min: 2, max: MAX_PAYMENTS, otherwise: 2 })
      : null,
    rollsInto: reader.has('rollsInto') ? reader.reference('rollsInto', 'plan', context.plans) : null,
    prices,
    grants: readGrants(reader, context.features, prices),
  }
  refuseUsageInterval(reader, plan)
  reader.end()
  return plan
}

function readUsageInterval(reader: Reader): Pick<Plan, 'usageInterval' | 'usageIntervalCount'> {
  if (!reader.has('usageInterval')) {
    if (reader.has('usageIntervalCount')) {
      reader.refuse(
        'usageIntervalCount',
        'invalid',
        'It counts intervals of usage, and usageInterval is missing.',
      )
    }
    return { usageInterval: null, usageIntervalCount: null }
  }
  const usageInterval = reader.oneOf('usageInterval', intervals)
  const bounds = { min: 1, max: maxIntervalCount[usageInterval], otherwise: 1 }
  return { usageInterval, usageIntervalCount: reader.integer('usageIntervalCount', bounds) }
}

/** What is billed in a rhythm of its own is usage, and the provider has that rhythm only beside a renewal. */
function refuseUsageInterval(reader: Reader, plan: Plan): void {
  if (plan.usageInterval === null) return
  const refuse = (code: string, detail: string) => reader.refuse('usageInterval', code, detail)
  const fault = usageIntervalFault(plan)
  if (fault !== undefined) refuse('usage_interval_invalid', fault)
  if (plan.prices.every(({ kind }) => kind !== 'usage')) {
    refuse('usage_interval_invalid', 'The plan has no usage that could be billed more often.')
  }
  if (plan.prices.some(({ kind }) => kind === 'share')) {
    refuse(
      'usage_interval_invalid',
      'A percentage is of the fees and the usage of one period, and here they have two.',
    )
  }
  if (plan.prices.some((price) => price.kind === 'recurring' && !isBilledByProvider(price))) {
    refuse(
      'usage_interval_invalid',
      'A fee in arrears is billed with the usage, which here has another period.',
    )
  }
  if (plan.prices.some(({ collectFrom }) => collectFrom !== undefined)) {
    refuse(
      'usage_interval_invalid',
      'What is too little waits for the next renewal, and here usage does not come with it.',
    )
  }
  if (plan.purchase !== 'membership' || plan.payments !== null) {
    refuse('usage_interval_invalid', 'Only of a membership that renews usage is billed more often.')
  }
}

export function readCurrency(reader: Reader): KnownCurrency {
  const currency = reader.text('currency')
  if (isCurrency(currency)) return currency
  if (currency !== '') {
    const hint = isCurrency(currency.toLowerCase()) ? ', in lower case' : ''
    reader.refuse('currency', 'invalid', `A currency is a code of ISO 4217${hint}.`)
  }
  return undefined
}

function readPrices(reader: Reader, context: PriceContext) {
  const prices = entries(reader, 'prices').map(([key, price]) => readPrice(price, key, context))
  if (prices.length > MAX_PRICES) {
    reader.refuse('prices', 'too_long', `A plan has at most ${MAX_PRICES} prices.`)
  }
  refuseBounds(reader, prices)
  refuseCollection(reader, prices)
  const providerPrices = prices.filter(isBilledByProvider)
  if (providerPrices.length === 0) {
    // A Stripe subscription is made of items; without one there is no period and no invoice.
    const detail =
      'A plan has at least one recurring price in advance, which may be "0": the provider needs it.'
    reader.refuse('prices', 'recurring_price_missing', detail)
  }
  if (providerPrices.length > MAX_PROVIDER_PRICES) {
    const detail = `A plan has at most ${MAX_PROVIDER_PRICES} recurring prices in advance.`
    reader.refuse('prices', 'too_long', detail)
  }
  return prices
}

/** One of each, and not the wrong way round. */
function refuseBounds(reader: Reader, prices: readonly Price[]): void {
  for (const model of ['minimum', 'maximum'] as const) {
    if (prices.filter((price) => price.model === model).length <= 1) continue
    reader.refuse('prices', 'duplicate', `A plan has one ${model} of its usage.`)
  }
  if (boundsCross(prices)) {
    reader.refuse('prices', 'bounds_invalid', 'The least that usage costs is no more than the most.')
  }
}

/** What the provider bills by itself is collected in each period, so there nothing waits. */
function refuseCollection(reader: Reader, prices: readonly Price[]): void {
  const waits = prices.filter(({ collectFrom }) => collectFrom !== undefined)
  if (waits.length === 0) return
  if (waits.length > 1) reader.refuse('prices', 'duplicate', 'One fee says what an invoice has to come to.')
  const costs = (price: Price) => !(price.model === 'flat' && price.amount.minor === 0n)
  if (prices.some((price) => (isBilledByProvider(price) ? costs(price) : price.collectFrom !== undefined))) {
    const detail =
      'Only where the fees in advance are "0" an invoice can wait: others are collected each period.'
    reader.refuse('prices', 'collected_with_fee', detail)
  }
}
