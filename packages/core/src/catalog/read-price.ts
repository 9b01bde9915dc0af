import { parseDecimal } from '../decimal.ts'
import type { Meter } from '../meter.ts'
import { zero } from '../money.ts'
import type { Price, PriceKind, PriceModel, Tier, Timing } from '../price.ts'
import { type KnownCurrency, readBound, readDecimalText, readMoney, readRate, readSize } from './amounts.ts'
import { readGrouping } from './read-grouping.ts'
import type { Reader } from './reader.ts'

/** What a price may refer to, and what it takes from its plan. */
export interface PriceContext {
  readonly products: ReadonlySet<string>
  /** By key. */
  readonly meters: ReadonlyMap<string, Meter>
  readonly plan: { readonly name: string; readonly product: string; readonly currency: KnownCurrency }
}

const priceModels = [
  ...(['flat', 'perUnit', 'package', 'graduated', 'volume', 'percentage', 'minimum', 'maximum'] as const),
] as const

const impliedKinds: Partial<Record<PriceModel['model'], PriceKind>> = {
  percentage: 'share',
  minimum: 'bound',
  maximum: 'bound',
}

const MAX_TIERS = 100

/** A percentage of one has ten decimals more than a percent: 1e-12 in all. */
const PERCENT_DIGITS = 10
const MAX_SHARE_PICOS = 10n * 10n ** 12n

export function readPrice(reader: Reader, key: string, { products, meters, plan }: PriceContext): Price {
  const model = reader.oneOf('model', priceModels)
  const kind = readKind(reader, model)
  const timing = readTiming(reader, kind)
  const meter = kind === 'usage' ? reader.reference('meter', 'meter', new Set(meters.keys())) : null
  if (kind !== 'usage' && reader.has('meter')) {
    reader.refuse('meter', 'invalid', `A ${kind} price has no meter; usage has.`)
  }
  if ((kind === 'share') !== (model === 'percentage')) {
    reader.refuse('model', 'invalid', 'A percentage is a share of the other lines, and a share a percentage.')
  }
  if ((kind === 'bound') !== (model === 'minimum' || model === 'maximum')) {
    reader.refuse(
      'model',
      'invalid',
      'A minimum or a maximum is a bound of the usage, and a bound one of them.',
    )
  }
  const defaultName =
    kind === 'recurring' ? plan.name : ((meter && meters.get(meter)?.name) ?? sentenceCase(key))
  const name = reader.optionalText('name') ?? defaultName
  const product = reader.reference('product', 'product', products, plan.product)
  const terms = readModel(reader, model, plan.currency, {
    // The provider counts in whole units.
    whole: kind === 'recurring' && timing === 'inAdvance',
  })
  const limits = {
    ...readLimits(reader, kind, plan.currency),
    ...readCollectFrom(reader, kind, plan.currency),
  }
  const of = { kind, model, meter: meters.get(meter ?? ''), currency: plan.currency }
  const grouping = readGrouping(reader, of)
  reader.end()
  const named = { key, name, product, currency: plan.currency ?? '', kind, timing, meter }
  return { ...named, ...terms, ...limits, ...grouping }
}

/** Where the fee is more than nothing is for the plan to see, which may have several. */
function readCollectFrom(
  reader: Reader,
  kind: PriceKind,
  currency: KnownCurrency,
): Pick<Price, 'collectFrom'> {
  if (!reader.has('collectFrom')) return {}
  if (kind === 'recurring') return { collectFrom: readBound(reader, 'collectFrom', currency) }
  reader.refuse('collectFrom', 'invalid', 'A fee of nothing says it, which is the renewal that it waits for.')
  return {}
}

export function readLimits(
  reader: Reader,
  kind: PriceKind,
  currency: KnownCurrency,
): Pick<Price, 'included' | 'maximum'> {
  for (const field of ['included', 'maximum']) {
    if (kind === 'usage' || !reader.has(field)) continue
    reader.refuse(field, 'invalid', `A ${kind} price has no ${field}; usage has.`)
  }
  if (kind !== 'usage') return {}
  return {
    ...(reader.has('included') && { included: readSize(reader, 'included', { whole: false }) }),
    ...(reader.has('maximum') && { maximum: readBound(reader, 'maximum', currency) }),
  }
}

function readKind(reader: Reader, model: PriceModel['model']): PriceKind {
  const implied = reader.has('meter') ? 'usage' : impliedKinds[model]
  if (implied === undefined && !reader.has('kind')) {
    const detail = 'A price without a meter is recurring: say kind: "recurring", or name its meter.'
    reader.refuse('kind', 'required', detail)
    return 'recurring'
  }
  return reader.oneOf('kind', ['recurring', 'usage', 'share', 'bound'], implied)
}

function readTiming(reader: Reader, kind: PriceKind): Timing {
  if (kind === 'recurring') return reader.oneOf('timing', ['inAdvance', 'inArrears'], 'inAdvance')
  // Nobody knows the usage of a period before it is over.
  return reader.oneOf('timing', ['inArrears'], 'inArrears')
}

export function readModel(
  reader: Reader,
  model: PriceModel['model'],
  currency: KnownCurrency,
  { whole }: { whole: boolean },
): PriceModel {
  switch (model) {
    case 'flat':
      return { model, amount: readMoney(reader, 'amount', currency) }
    case 'perUnit':
      return { model, rate: readRate(reader, 'unitAmount', currency) }
    case 'package':
      return {
        model,
        amount: readMoney(reader, 'amount', currency),
        size: readSize(reader, 'size', { whole }),
        round: reader.oneOf('round', ['up', 'down'], 'up'),
      }
    case 'graduated':
    case 'volume':
      return { model, tiers: readTiers(reader, currency, { whole }) }
    case 'percentage':
      return { model, picos: readPercent(reader) }
    case 'minimum':
    case 'maximum':
      return { model, amount: readBound(reader, 'amount', currency) }
  }
}

function readTiers(reader: Reader, currency: KnownCurrency, { whole }: { whole: boolean }): Tier[] {
  const list = reader.list('tiers')
  if (list.length === 0) reader.refuse('tiers', 'tiers_invalid', 'There is at least one tier.')
  if (list.length > MAX_TIERS) {
    reader.refuse('tiers', 'too_long', `There are at most ${MAX_TIERS} tiers.`)
    return []
  }
  let end = 0n
  return list.map((tier, index) => {
    const isLast = index === list.length - 1
    const isOpen = tier.raw('upTo') === null
    const upTo = isOpen ? null : readSize(tier, 'upTo', { whole })
    if (isLast && !isOpen) tier.refuse('upTo', 'tiers_invalid', 'The last tier has no end: upTo is null.')
    if (!isLast && isOpen) tier.refuse('upTo', 'tiers_invalid', 'Only the last tier has no end.')
    if (upTo !== null) {
      if (upTo <= end) tier.refuse('upTo', 'tiers_invalid', 'Each tier ends above the one before it.')
      end = upTo
    }
    const rate = tier.has('unitAmount')
      ? readRate(tier, 'unitAmount', currency)
      : { picos: 0n, currency: currency ?? '' }
    const flat = tier.has('flatAmount') ? readMoney(tier, 'flatAmount', currency) : zero(currency ?? '')
    tier.end()
    return { upTo, rate, flat }
  })
}

function readPercent(reader: Reader): bigint {
  const text = readDecimalText(reader, 'percent')
  if (text === undefined) return 0n
  const picos = parseDecimal(text, PERCENT_DIGITS)
  if (picos !== undefined && picos > 0n && picos <= MAX_SHARE_PICOS) return picos
  const detail =
    'A percentage is decimal text above 0 and up to 1000, with at most 10 digits after the point.'
  reader.refuse('percent', 'amount_invalid', detail)
  return 0n
}

/** 'data_transfer' is shown as 'Data transfer'. */
function sentenceCase(key: string): string {
  const words = key.replace(/[_-]+/g, ' ').trim()
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}
