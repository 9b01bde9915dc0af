import type { Meter } from '../meter.ts'
import type { Rate } from '../money.ts'
import type { PriceKind, PriceModel } from '../price.ts'
import { MOST_DIMENSIONS } from '../usage-group.ts'
import { type KnownCurrency, readRate } from './amounts.ts'
import { readNames } from './read-names.ts'
import type { Reader } from './reader.ts'

const MAX_VALUES = 100

interface Grouping {
  readonly groupBy?: readonly string[]
  readonly rates?: Readonly<Record<string, Rate>>
}

interface GroupedPrice {
  readonly kind: PriceKind
  readonly model: PriceModel['model']
  /** Undefined where there is none, which was refused already. */
  readonly meter: Meter | undefined
  readonly currency: KnownCurrency
}

/** Whether each group of a meter's usage is a line of its own, and which values have a price of their own. */
export function readGrouping(reader: Reader, { kind, model, meter, currency }: GroupedPrice): Grouping {
  if (!reader.has('groupBy')) return readRatesByValue(reader, { model, groupBy: [], currency })
  const groupBy = readNames(reader, 'groupBy', MOST_DIMENSIONS)
  if (kind !== 'usage') reader.refuse('groupBy', 'invalid', `A ${kind} price has no groups; usage has.`)
  refuseLimits(reader)
  const unknown = groupBy.filter((name) => meter && !meter.dimensions?.includes(name))
  for (const name of unknown) {
    reader.refuse('groupBy', 'unknown', `The meter ${meter?.key} has no dimension ${name}.`)
  }
  return { groupBy, ...readRatesByValue(reader, { model, groupBy, currency }) }
}

/** Which values of the dimension that a price groups by have a rate of their own. */
export function readRatesByValue(
  reader: Reader,
  {
    model,
    groupBy,
    currency,
  }: Pick<GroupedPrice, 'model' | 'currency'> & Required<Pick<Grouping, 'groupBy'>>,
): Pick<Grouping, 'rates'> {
  if (!reader.has('unitAmounts')) return {}
  if (model !== 'perUnit' || groupBy.length !== 1) {
    const detail = 'Values have prices of their own where the model is perUnit and groupBy one dimension.'
    reader.refuse('unitAmounts', 'invalid', detail)
  }
  return { rates: readRates(reader.object('unitAmounts'), currency) }
}

function readRates(reader: Reader, currency: KnownCurrency): Record<string, Rate> {
  const values = reader.names().sort()
  if (values.length === 0 || values.length > MAX_VALUES) {
    reader.refuse(null, 'invalid', `These are 1 to ${MAX_VALUES} values.`)
  }
  return Object.fromEntries(values.map((value) => [value, readRate(reader, value, currency)]))
}

/** Each group is priced by itself, so what holds for a whole line is not said. */
export function refuseLimits(reader: Reader): void {
  for (const field of ['included', 'maximum']) {
    if (reader.has(field)) reader.refuse(field, 'invalid', `A price with groups has no ${field}.`)
  }
}
