import { type Feature, featureKinds, type Grant } from '../feature.ts'
import type { Meter } from '../meter.ts'
import type { Price } from '../price.ts'
import type { Quantity } from '../quantity.ts'
import { readSize } from './amounts.ts'
import type { Reader } from './reader.ts'

export function readFeature([key, reader]: [string, Reader], meters: readonly Meter[]): Feature {
  const kind = reader.oneOf('kind', featureKinds)
  const feature = {
    key,
    name: reader.text('name'),
    kind,
    meter: kind === 'metered' ? readMeterOf(reader, meters) : null,
    unitLabel: kind === 'limit' ? reader.text('unitLabel') : null,
  }
  reader.end()
  return feature
}

/** What is held against a grant is read with every answer, from what is kept of each hour. */
function readMeterOf(reader: Reader, meters: readonly Meter[]): string {
  const key = reader.reference('meter', 'meter', new Set(meters.map((meter) => meter.key)))
  const aggregation = meters.find((meter) => meter.key === key)?.aggregation
  if (aggregation === 'unique' || aggregation === 'timeWeightedSum') {
    reader.refuse('meter', 'invalid', `A feature cannot be limited by a meter that takes the ${aggregation}.`)
  }
  return key
}

/** By feature, so that the order in which a person wrote them makes no new version of the plan. */
export function readGrants(
  plan: Reader,
  features: ReadonlyMap<string, Feature>,
  prices: readonly Price[],
): Grant[] {
  if (!plan.has('grants')) return []
  const section = plan.object('grants')
  const grants = section.names().flatMap((key): Grant[] => {
    const feature = features.get(key)
    if (feature) return [readGrant(section, feature, prices)]
    section.refuse(key, 'unknown', `There is no feature ${key}.`)
    return []
  })
  return grants.sort((a, b) => (a.feature < b.feature ? -1 : 1))
}

function readGrant(section: Reader, { key, kind, meter }: Feature, prices: readonly Price[]): Grant {
  if (kind === 'switch') {
    if (section.raw(key) !== true) {
      section.refuse(key, 'invalid', 'A switch is granted with true, or left out.')
    }
    return { feature: key, kind }
  }
  const reader = section.object(key)
  const upTo = readUpTo(reader)
  if (kind === 'limit') {
    reader.end()
    return { feature: key, kind, upTo }
  }
  const beyond = reader.oneOf('beyond', ['billed', 'refused'], 'refused')
  if (beyond === 'billed' && !prices.some((price) => price.meter === meter)) {
    reader.refuse('beyond', 'price_missing', `There is no price for ${meter} beside it.`)
  }
  reader.end()
  return { feature: key, kind, upTo, beyond }
}

/** Null stands for no end, as in a tier, and has to be said; nothing at all is "0". */
function readUpTo(reader: Reader): Quantity | null {
  const written = reader.raw('upTo')
  if (written === null) return null
  return written === '0' ? 0n : readSize(reader, 'upTo', { whole: false })
}
