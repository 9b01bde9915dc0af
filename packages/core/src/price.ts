import type { Currency, Money, Rate } from './money.ts'
import type { Quantity } from './quantity.ts'

/** One step of a tiered price. Bounds are inclusive: `upTo` 10 holds the tenth unit. */
export interface Tier {
  /** Null on the last tier, and only there: no end. */
  readonly upTo: Quantity | null
  readonly rate: Rate
  /** Added once when the tier is entered (graduated) or reached (volume). */
  readonly flat: Money
}

/** How a quantity becomes an amount. One file of `pricing/` each. */
export type PriceModel =
  /** The same amount however much was used; nothing if nothing was. */
  | { readonly model: 'flat'; readonly amount: Money }
  | {
      readonly model: 'perUnit'
      readonly rate: Rate
      /** Of a price with one dimension: what other values of it cost, by value. */
      readonly rates?: Readonly<Record<string, Rate>>
    }
  /** `amount` for each package of `size` units, begun (`up`) or full (`down`). */
  | {
      readonly model: 'package'
      readonly amount: Money
      readonly size: Quantity
      readonly round: 'up' | 'down'
    }
  /** Each unit at the rate of its own tier. */
  | { readonly model: 'graduated'; readonly tiers: readonly Tier[] }
  /** All units at the rate of the tier that the quantity reaches. */
  | { readonly model: 'volume'; readonly tiers: readonly Tier[] }
  /** `picos` is 1e-12 of one: 10 % is `100_000_000_000n`. Of the period's other lines and its recurring fee. */
  | { readonly model: 'percentage'; readonly picos: bigint }
  /** The plan's usage costs at least this much a period: what is missing is a line. */
  | { readonly model: 'minimum'; readonly amount: Money }
  /** The plan's usage costs at most this much a period: its lines are cut down to it. */
  | { readonly model: 'maximum'; readonly amount: Money }

export type PriceKind = 'recurring' | 'usage' | 'share' | 'bound'
export type Timing = 'inAdvance' | 'inArrears'

export interface PriceTerms {
  /** Unique in its plan. A rated line carries it, so it is never given to another price. */
  readonly key: string
  readonly name: string
  readonly product: string
  readonly currency: Currency
  /** `usage` has a meter; `share` is a percentage of the rest; `bound` holds the usage between two amounts. */
  readonly kind: PriceKind
  readonly timing: Timing
  readonly meter: string | null
  /** Dimensions of the meter, in alphabetical order: each group of their values is a line of its own. */
  readonly groupBy?: readonly string[]
}

/** What a price may say beside its model, of each period. */
interface Limits {
  /** Units that cost nothing; the model prices what is used beyond them. */
  readonly included?: Quantity
  /** The line costs no more than this, however much was used. */
  readonly maximum?: Money
  /** Of a fee of nothing: an invoice that comes to less is carried to the next one. */
  readonly collectFrom?: Money
}

export type Price = PriceModel &
  PriceTerms &
  Limits & {
    /** Of a subscription's own: the override that it comes of. Not stored with it. */
    readonly override?: string
  }
export type PriceOf<M extends PriceModel['model']> = Extract<PriceModel, { model: M }> & PriceTerms

/** The one price of a plan that has this model, of models that it has once at most. */
export function boundOf<M extends 'minimum' | 'maximum'>(
  prices: readonly Price[],
  model: M,
): PriceOf<M> | undefined {
  return prices.find((price): price is Price & PriceOf<M> => price.model === model)
}

/** Whether the least that a plan's usage costs is more than the most. */
export function boundsCross(prices: readonly Price[]): boolean {
  const [minimum, maximum] = [boundOf(prices, 'minimum'), boundOf(prices, 'maximum')]
  return minimum !== undefined && maximum !== undefined && minimum.amount.minor > maximum.amount.minor
}

/**
 * Recurring prices in advance are items of the Stripe subscription; Stripe bills them. Everything
 * else is rated by Lockstep when the period is over.
 */
export function isBilledByProvider({ kind, timing }: Pick<Price, 'kind' | 'timing'>): boolean {
  return kind === 'recurring' && timing === 'inAdvance'
}

interface TierJson {
  readonly upToNanos: string | null
  readonly ratePicos: string
  readonly flatMinor: string
}

type ModelJson =
  | { readonly model: 'flat' | 'minimum' | 'maximum'; readonly amountMinor: string }
  | {
      readonly model: 'perUnit'
      readonly ratePicos: string
      readonly picosByValue?: Readonly<Record<string, string>>
    }
  | {
      readonly model: 'package'
      readonly amountMinor: string
      readonly sizeNanos: string
      readonly round: 'up' | 'down'
    }
  | { readonly model: 'graduated' | 'volume'; readonly tiers: readonly TierJson[] }
  | { readonly model: 'percentage'; readonly sharePicos: string }

interface LimitsJson {
  readonly includedNanos?: string
  readonly maximumMinor?: string
  readonly collectFromMinor?: string
}

/** The price as it is stored and hashed: integers as decimal text, keys always in one order. */
export type PriceJson = PriceTerms & ModelJson & LimitsJson

export function priceToJson(price: Price): PriceJson {
  return { ...termsOf(price), ...modelToJson(price), ...limitsToJson(price) }
}

/** Reads what {@link priceToJson} wrote, here or in a store of ours. */
export function priceFromJson(json: PriceJson): Price {
  return { ...termsOf(json), ...modelFromJson(json, json.currency), ...limitsFromJson(json, json.currency) }
}

/** What a price says beside what it costs. */
export function termsOf({
  key,
  name,
  product,
  currency,
  kind,
  timing,
  meter,
  groupBy,
}: PriceTerms): PriceTerms {
  return { key, name, product, currency, kind, timing, meter, ...(groupBy !== undefined && { groupBy }) }
}

/** Nothing where there is none, so that a price without limits is written as it was before there were any. */
function limitsToJson({ included, maximum, collectFrom }: Limits): LimitsJson {
  return {
    ...(included !== undefined && { includedNanos: `${included}` }),
    ...(maximum !== undefined && { maximumMinor: `${maximum.minor}` }),
    ...(collectFrom !== undefined && { collectFromMinor: `${collectFrom.minor}` }),
  }
}

function limitsFromJson(
  { includedNanos, maximumMinor, collectFromMinor }: LimitsJson,
  currency: Currency,
): Limits {
  return {
    ...(includedNanos !== undefined && { included: BigInt(includedNanos) }),
    ...(maximumMinor !== undefined && { maximum: { minor: BigInt(maximumMinor), currency } }),
    ...(collectFromMinor !== undefined && { collectFrom: { minor: BigInt(collectFromMinor), currency } }),
  }
}

function modelToJson(price: PriceModel): ModelJson {
  switch (price.model) {
    case 'flat':
    case 'minimum':
    case 'maximum':
      return { model: price.model, amountMinor: `${price.amount.minor}` }
    case 'perUnit':
      return {
        model: price.model,
        ratePicos: `${price.rate.picos}`,
        ...(price.rates !== undefined && {
          picosByValue: mapValues(price.rates, ({ picos }) => `${picos}`),
        }),
      }
    case 'package': {
      const { model, amount, size, round } = price
      return { model, amountMinor: `${amount.minor}`, sizeNanos: `${size}`, round }
    }
    case 'graduated':
    case 'volume':
      return { model: price.model, tiers: price.tiers.map(tierToJson) }
    case 'percentage':
      return { model: price.model, sharePicos: `${price.picos}` }
  }
}

function modelFromJson(json: ModelJson, currency: Currency): PriceModel {
  switch (json.model) {
    case 'flat':
    case 'minimum':
    case 'maximum':
      return { model: json.model, amount: { minor: BigInt(json.amountMinor), currency } }
    case 'perUnit':
      return {
        model: json.model,
        rate: { picos: BigInt(json.ratePicos), currency },
        ...(json.picosByValue !== undefined && {
          rates: mapValues(json.picosByValue, (picos) => ({ picos: BigInt(picos), currency })),
        }),
      }
    case 'package': {
      const amount = { minor: BigInt(json.amountMinor), currency }
      return { model: json.model, amount, size: BigInt(json.sizeNanos), round: json.round }
    }
    case 'graduated':
    case 'volume':
      return { model: json.model, tiers: json.tiers.map((tier) => tierFromJson(tier, currency)) }
    case 'percentage':
      return { model: json.model, picos: BigInt(json.sharePicos) }
  }
}

/** In alphabetical order, so that equal prices give equal text. */
function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  const entries = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, value]) => [name, map(value)]))
}

function tierToJson({ upTo, rate, flat }: Tier): TierJson {
  return {
    upToNanos: upTo === null ? null : `${upTo}`,
    ratePicos: `${rate.picos}`,
    flatMinor: `${flat.minor}`,
  }
}

function tierFromJson({ upToNanos, ratePicos, flatMinor }: TierJson, currency: Currency): Tier {
  return {
    upTo: upToNanos === null ? null : BigInt(upToNanos),
    rate: { picos: BigInt(ratePicos), currency },
    flat: { minor: BigInt(flatMinor), currency },
  }
}
