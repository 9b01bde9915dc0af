import { type Price, type PriceKind, type PriceModel, termsOf } from '../price.ts'
import type { Fault } from '../problem.ts'
import { readRatesByValue, refuseLimits } from './read-grouping.ts'
import { readLimits, readModel } from './read-price.ts'
import { Reader } from './reader.ts'

const models: Record<
  Exclude<PriceKind, 'recurring' | 'bound'>,
  readonly [PriceModel['model'], ...PriceModel['model'][]]
> = {
  usage: ['flat', 'perUnit', 'package', 'graduated', 'volume'],
  share: ['percentage'],
}

/**
 * What somebody wrote of a price that a subscription shall have in a plan price's place: its model and what goes
 * with it, as in the catalogue, the rates of single values among them. What it is for (its kind, its meter, its product) stays the plan's.
 */
export function readOverride(
  written: unknown,
  of: Price,
  pointer: string,
): { price: Price; faults: Fault[] } {
  const faults: Fault[] = []
  const reader = new Reader(written, pointer, faults)
  const { kind, currency } = of
  const choices = kind === 'usage' || kind === 'share' ? models[kind] : ([of.model] as const)
  const model = readModel(reader, reader.oneOf('model', choices), currency, { whole: false })
  const limits = readLimits(reader, kind, currency)
  const { groupBy = [] } = of
  const rates = readRatesByValue(reader, { model: model.model, groupBy, currency })
  if (of.groupBy) refuseLimits(reader)
  reader.end()
  return { price: { ...termsOf(of), ...model, ...limits, ...rates }, faults }
}
