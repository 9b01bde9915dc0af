import { type OutgoingEventType, outgoingEventTypes } from '@lockstep/core/outgoing-event'
import { UsageError } from '../usage-error.ts'

/** Names of events as they were typed. */
export function eventTypesOf(given: readonly string[]): OutgoingEventType[] {
  const unknown = given.filter((name) => !outgoingEventTypes.some((type) => type === name))
  if (unknown.length === 0) return given as OutgoingEventType[]
  throw new UsageError(
    `There is no such event: ${unknown.join(', ')}`,
    `There are: ${outgoingEventTypes.join(', ')}.`,
  )
}
