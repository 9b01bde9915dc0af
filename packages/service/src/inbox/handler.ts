import type { Observed } from '../workflow/observe.ts'

/**
 * What is done about one kind of event. It is looked at: its object is brought up to date, and the event itself is
 * only the reason to look. Or it is recorded: kept as it came, because something else tells what follows from it.
 */
export type Handler = Looking | Recording

export interface Looking {
  readonly does: 'look'
  readonly observes: Observed['type']
  /** Why we listen to it. */
  readonly because: string
  /** The object is no more: the payload is what it was, and says nothing of what it is. */
  readonly isEnd?: boolean
  /** It tells of what its object does not show: that one says what we hold is no answer. */
  readonly tellsMore?: boolean
  /** Where the payload shows another object than the one to look at: the id of that; empty where there is nothing to look at. */
  readonly idIn?: (shown: Readonly<Record<string, unknown>>) => unknown
}

interface Recording {
  readonly does: 'record'
  readonly because: string
}

export type Handlers = Readonly<Record<string, Handler>>

export const looksAt = (observes: Looking['observes'], because: string): Looking => ({
  does: 'look',
  observes,
  because,
})

/** Of an event after which its object may be as it was before. */
export const looksAnyway = (observes: Looking['observes'], because: string): Looking => ({
  ...looksAt(observes, because),
  tellsMore: true,
})

export const looksForGone = (observes: Looking['observes'], because: string): Looking => ({
  ...looksAt(observes, because),
  isEnd: true,
})

/** Of an event that shows something else, which cannot be fetched: what has it is looked at. */
export const looksInstead = (
  observes: Looking['observes'],
  idIn: NonNullable<Looking['idIn']>,
  because: string,
): Looking => ({ ...looksAt(observes, because), idIn })

export const records = (because: string): Recording => ({ does: 'record', because })
