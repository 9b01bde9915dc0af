import { type Aggregation, aggregations, type Meter } from '../meter.ts'
import { MOST_DIMENSIONS } from '../usage-group.ts'
import { readNames } from './read-names.ts'
import type { Reader } from './reader.ts'

const MAX_FILTER_NAMES = 10
const MAX_FILTER_VALUES = 100

export function readMeter([key, reader]: [string, Reader]): Meter {
  const named = { key, name: reader.text('name'), unitLabel: reader.text('unitLabel') }
  const aggregation = reader.oneOf('aggregation', aggregations)
  const meter = {
    ...named,
    aggregation,
    ...readProperty(reader, aggregation),
    ...(reader.has('filter') && { filter: readFilter(reader.object('filter')) }),
    ...(reader.has('dimensions') && { dimensions: readDimensions(reader) }),
  }
  reader.end()
  return meter
}

function readProperty(reader: Reader, aggregation: Aggregation): { property?: string } {
  if (aggregation === 'unique') {
    const property = reader.text('property')
    if (property === 'quantity')
      reader.refuse('property', 'invalid', 'A quantity is no value to be told apart.')
    return { property }
  }
  if (reader.has('property')) {
    reader.refuse('property', 'invalid', `A meter that takes the ${aggregation} looks at the quantity.`)
  }
  return {}
}

function readDimensions(reader: Reader): string[] {
  const names = readNames(reader, 'dimensions', MOST_DIMENSIONS)
  if (names.includes('quantity'))
    reader.refuse('dimensions', 'invalid', 'A quantity is no value to be told apart.')
  return names
}

/** By name, so that the order in which a person wrote them is no change. */
function readFilter(reader: Reader): Record<string, readonly string[]> {
  const names = reader.names()
  if (names.length === 0 || names.length > MAX_FILTER_NAMES) {
    const detail = `A filter has 1 to ${MAX_FILTER_NAMES} names.`
    reader.refuse(null, names.length === 0 ? 'too_few' : 'too_long', detail)
  }
  return Object.fromEntries([...names].sort().map((name) => [name, readValues(reader, name)]))
}

function readValues(reader: Reader, name: string): string[] {
  const written = reader.raw(name)
  const values: unknown[] = Array.isArray(written) ? written : [written]
  const texts = values.filter((value) => typeof value === 'string')
  if (texts.length !== values.length || texts.length === 0 || texts.length > MAX_FILTER_VALUES) {
    reader.refuse(name, 'invalid', `A filter names a text, or a list of 1 to ${MAX_FILTER_VALUES} of them.`)
  }
  return [...new Set(texts)].sort()
}
