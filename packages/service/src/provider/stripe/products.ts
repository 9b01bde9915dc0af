import type { Interval } from '@lockstep/core/billing-cycle'
import type { Product } from '@lockstep/core/catalog'
import type { Coupon } from '@lockstep/core/coupon'
import {
  type Currency,
  formatMoney,
  type Money,
  money,
  PICOS_PER_MINOR,
  type Rate,
} from '@lockstep/core/money'
import type { Price } from '@lockstep/core/price'
import { NANOS_PER_UNIT } from '@lockstep/core/quantity'
import type Stripe from 'stripe'
import { operationAfterUnlinking } from '../../store/unlinked-operations.ts'
import { chargeStep, isChargeable, isFeeRate, largestCharge, toStripeAmount, toStripeRate } from './amount.ts'
import { type CallDeps, callStripe } from './call.ts'
import { isOf, ownMetadata } from './metadata.ts'

export interface ProductToTell {
  readonly product: Product
  readonly revision: number
  /** Stripe's id; undefined until it is made there. */
  readonly providerId: string | undefined
}

/** The kinds of the calls that make what a person may unlink. */
export const MAKE_PRODUCT = 'product.create'
export const MAKE_PRICE = 'price.create'

/** Makes a product at Stripe, or tells Stripe how it is now. */
export async function tellProduct(
  deps: CallDeps,
  { product, revision, providerId }: ProductToTell,
): Promise<string> {
  const named = { kind: MAKE_PRODUCT, subjectId: product.key }
  const id = await operationAfterUnlinking(deps.db, named, `product/${product.key}`)
  const body = productBody(deps, product, id)
  if (providerId !== undefined) return update(deps, providerId, product.key, revision, body)
  const made = await callStripe(
    deps,
    { ...named, id, body },
    (stripe, options) => stripe.products.create(withoutEmpty(body), options),
    async (stripe) => {
      for await (const found of stripe.products.list({ limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
  // Found again after its creation got lost, it is what it was to be then.
  if (differs(made, product)) await update(deps, made.id, product.key, revision, body)
  return made.id
}

async function update(
  deps: CallDeps,
  providerId: string,
  key: string,
  revision: number,
  body: ReturnType<typeof productBody>,
): Promise<string> {
  const intention = { id: `product/${key}/${revision}`, kind: 'product.update', subjectId: key, body }
  const updated = await callStripe(deps, { ...intention, repeatable: true }, (stripe, options) =>
    stripe.products.update(providerId, body, options),
  )
  return updated.id
}

function productBody(
  { provider }: CallDeps,
  { key, name, description, unitLabel, taxCode }: Product,
  id: string,
) {
  return {
    name,
    // Empty text takes a value back.
    description: description ?? '',
    unit_label: unitLabel ?? '',
    tax_code: taxCode ?? '',
    metadata: ownMetadata(provider, id, { lockstep_product: key }),
  }
}

function differs(made: Stripe.Product, { name, description, unitLabel, taxCode }: Product): boolean {
  const taxed =
    made.tax_code === null || typeof made.tax_code === 'string' ? made.tax_code : made.tax_code?.id
  return (
    made.name !== name ||
    (made.description ?? null) !== description ||
    (made.unit_label ?? null) !== unitLabel ||
    (taxCode !== null && taxed !== taxCode)
  )
}

/** A new object has nothing to take back. */
function withoutEmpty<T extends object>(body: T): T {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== '')) as T
}

export interface PriceToMake {
  readonly id: string
  readonly soldBy: { readonly kind: 'plan' | 'addon' }
  /** Of the plan or add-on. */
  readonly versionId: string
  readonly providerProduct: string
  readonly currency: Currency
  readonly interval: Interval
  readonly intervalCount: number
  readonly price: Price
}

/** Makes a recurring price at Stripe. Prices never change: a new amount is a new price. */
export async function makePrice(deps: CallDeps, wanted: PriceToMake): Promise<string> {
  const named = { kind: MAKE_PRICE, subjectId: wanted.id }
  const id = await operationAfterUnlinking(deps.db, named, `price/${wanted.id}`)
  const { currency, interval, intervalCount, price, providerProduct: product } = wanted
  const body = {
    product,
    currency,
    nickname: price.name,
    recurring: { interval, interval_count: intervalCount },
    metadata: ownMetadata(deps.provider, id, {
      lockstep_price: wanted.id,
      [`lockstep_${wanted.soldBy.kind}_version`]: wanted.versionId,
    }),
    ...amounts(price),
  } satisfies Stripe.PriceCreateParams
  const made = await callStripe(
    deps,
    { ...named, id, body },
    (stripe, options) => stripe.prices.create(body, options),
    async (stripe) => {
      for await (const found of stripe.prices.list({ product, limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
  return made.id
}

/**
 * Why Stripe cannot bill a price as it is agreed, if it cannot: it counts whole units only, three-decimal currencies in
 * tens, krónur and shillings whole, and the ariary without its fifths, and it charges no more than eight digits at once.
 */
export function whyNotBillable(price: Price): { path: string; detail: string } | undefined {
  const { currency } = price
  const largest = largestCharge(currency)
  const ofMoney = (amount: Money, path: string) =>
    !isChargeable(amount)
      ? { path, detail: tooFine(currency) }
      : amount.minor > largest.minor
        ? { path, detail: tooLarge(largest) }
        : undefined
  const ofRate = (rate: Rate, path: string) =>
    !isFeeRate(rate)
      ? { path, detail: tooFine(currency) }
      : rate.picos > largest.minor * PICOS_PER_MINOR
        ? { path, detail: tooLarge(largest) }
        : undefined
  const whole = (path: string) => ({ path, detail: 'Stripe counts whole units only.' })
  switch (price.model) {
    case 'flat':
      return ofMoney(price.amount, 'amount')
    case 'package':
      return (
        ofMoney(price.amount, 'amount') ?? (price.size % NANOS_PER_UNIT === 0n ? undefined : whole('size'))
      )
    case 'graduated':
    case 'volume':
      for (const [i, { upTo, flat, rate }] of price.tiers.entries()) {
        if (upTo !== null && upTo % NANOS_PER_UNIT !== 0n) return whole(`tiers/${i}/upTo`)
        const fault = ofMoney(flat, `tiers/${i}/flatAmount`) ?? ofRate(rate, `tiers/${i}/unitAmount`)
        if (fault) return fault
      }
      return undefined
    case 'perUnit':
      return ofRate(price.rate, 'unitAmount')
    case 'percentage':
    case 'minimum':
    case 'maximum':
      return undefined
  }
}

/** Why Stripe cannot take a coupon off, if it cannot. */
export function whyNotReducible({ reduction }: Coupon): string | undefined {
  if (reduction.kind === 'share' || isChargeable(reduction.amount)) return undefined
  return tooFine(reduction.amount.currency)
}

const tooFine = (currency: Currency) =>
  `Stripe takes this currency in steps of ${formatMoney(money(chargeStep(currency), currency))} only.`

const tooLarge = (largest: Money) =>
  `Stripe charges at most ${formatMoney(largest)} of this currency at once.`

type Amounts = Pick<
  Stripe.PriceCreateParams,
  'unit_amount' | 'unit_amount_decimal' | 'billing_scheme' | 'tiers' | 'tiers_mode' | 'transform_quantity'
>

function amounts(price: Price): Amounts {
  switch (price.model) {
    case 'flat':
      return { unit_amount: toStripeAmount(price.amount) }
    case 'perUnit':
      return { unit_amount_decimal: decimal(toStripeRate(price.rate)) }
    case 'package':
      return {
        unit_amount: toStripeAmount(price.amount),
        transform_quantity: { divide_by: wholeUnits(price.size), round: price.round },
      }
    case 'graduated':
    case 'volume':
      return {
        billing_scheme: 'tiered',
        tiers_mode: price.model,
        tiers: price.tiers.map(({ upTo, rate, flat }) => ({
          up_to: upTo === null ? 'inf' : wholeUnits(upTo),
          unit_amount_decimal: decimal(toStripeRate(rate)),
          flat_amount: toStripeAmount(flat),
        })),
      }
    case 'percentage':
    case 'minimum':
    case 'maximum':
      throw new Error(`A ${price.model} is rated by Lockstep.`)
  }
}

function wholeUnits(nanos: bigint): number {
  return Number(nanos / NANOS_PER_UNIT)
}

/** Decimal text on the wire; the library's own type of it is only for arithmetic. */
function decimal(text: string): Stripe.Decimal {
  return text as unknown as Stripe.Decimal
}
