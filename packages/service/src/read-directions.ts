import { type Direction, type Directions, directions, syncedEntities } from '@lockstep/core/direction'

/** `customer=both, plan=inbound`: what is left out stays as by default. */
export function readDirections(text: string): {
  readonly faults: readonly string[]
  readonly directions: Partial<Directions>
} {
  const faults: string[] = []
  const read = new Map<string, Direction>()
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue
    const [entity = '', said = '', ...rest] = part.split('=').map((one) => one.trim())
    const direction = directions.find((known) => known === said)
    if (!syncedEntities.some((known) => known === entity) || rest.length > 0)
      faults.push(`says ${part}: it may name ${syncedEntities.join(', ')}, each once, like customer=both`)
    else if (direction === undefined)
      faults.push(`says ${part}: ${entity} goes ${directions.join(', ')}, and no other way`)
    else if (read.has(entity)) faults.push(`names ${entity} twice`)
    else read.set(entity, direction)
  }
  return { faults, directions: Object.fromEntries(read) }
}
