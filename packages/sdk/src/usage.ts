import type { Answer } from '@lockstep/api/define-route'
import { MAX_EVENTS_PER_REQUEST, sendUsageEvents } from '@lockstep/api/usage-events'
import { type CallOptions, type Connection, call } from './call.ts'
import { ProblemError } from './problem-error.ts'

/** What was used, by whom, when: a CloudEvent. `source` and `id` are its identity for ever. */
export interface UsageEvent {
  readonly source: string
  readonly id: string
  /** The meter's key. */
  readonly type: string
  /** The customer's externalId. */
  readonly subject: string
  readonly time: string | Date
  /** `quantity` as decimal text, or as a whole number. Meters that count events need none. */
  readonly data?: { readonly quantity?: string | number; readonly [field: string]: unknown }
}

/** The same in our own words, without CloudEvents' envelope. */
export interface PlainUsageEvent {
  readonly id: string
  /** "default" unless given. */
  readonly source?: string
  readonly meter: string
  readonly externalId: string
  readonly quantity?: string | number
  readonly time: string | Date
  readonly data?: Readonly<Record<string, unknown>>
}

/** All events of one request are written in one form: that of the first one. */
export type AnyUsageEvent = UsageEvent | PlainUsageEvent

export type UsageReceipt = Answer<typeof sendUsageEvents>

export interface SendOptions extends Pick<CallOptions, 'signal'> {
  /** Events in one request, at most 1000. */
  readonly batchSize?: number
  /** Told after each request what it came to, with the number of events sent in it. */
  readonly onBatch?: (receipt: UsageReceipt, events: number) => void
  /** Nothing is taken: the receipt says what would be. What the events repeat among themselves it sees within a request only. */
  readonly dryRun?: boolean
  /** Told of a request with invalid events, after which sending goes on; without it, it ends there. */
  readonly onRefused?: (error: ProblemError) => void
}

/**
 * Sends any number of events in batches, one after the other. An invalid event refuses its batch and
 * ends the sending; the pointers of the faults count from the first event given. What was sent before
 * stays: to go on, send everything again, what is known is counted as a duplicate.
 */
export async function sendUsage(
  connection: Connection,
  events: Iterable<AnyUsageEvent> | AsyncIterable<AnyUsageEvent>,
  options: SendOptions = {},
): Promise<UsageReceipt> {
  const { batchSize = MAX_EVENTS_PER_REQUEST, onBatch, onRefused, dryRun = false, signal } = options
  const total: UsageReceipt = { accepted: 0, duplicates: 0, conflicts: [] }
  let offset = 0
  const flush = async (batch: AnyUsageEvent[]) => {
    const receipt = await sendBatch(connection, batch, { dryRun, ...(signal && { signal }) }).catch(
      (error) => {
        const refused: unknown = shifted(error, offset)
        if (!onRefused || !isInvalid(refused)) throw refused
        onRefused(refused)
        return { accepted: 0, duplicates: 0, conflicts: [] }
      },
    )
    total.accepted += receipt.accepted
    total.duplicates += receipt.duplicates
    for (const conflict of receipt.conflicts) {
      total.conflicts.push({ ...conflict, index: conflict.index + offset })
    }
    offset += batch.length
    onBatch?.(receipt, batch.length)
  }

  let batch: AnyUsageEvent[] = []
  for await (const event of events) {
    batch.push(event)
    if (batch.length < batchSize) continue
    await flush(batch)
    batch = []
  }
  if (batch.length > 0) await flush(batch)
  return total
}

/** One request. Trying it again is safe, since each event has its identity. */
export function sendBatch(
  connection: Connection,
  batch: readonly AnyUsageEvent[],
  { dryRun = false, signal }: Pick<SendOptions, 'dryRun' | 'signal'> = {},
): Promise<UsageReceipt> {
  const isPlain = batch[0] !== undefined && 'meter' in batch[0]
  const body = isPlain ? batch : batch.map((event) => ({ specversion: '1.0', ...event }))
  const query = dryRun ? { dryRun } : {}
  const options = { ...(signal && { signal }), ...(isPlain && { contentType: 'application/json' }) }
  return call(connection, sendUsageEvents, { query, body }, options)
}

const isInvalid = (error: unknown): error is ProblemError =>
  error instanceof ProblemError && error.code === 'usage_event_invalid'

/** `#/3/time` of the second batch of 1000 is `#/1003/time` of what the caller gave. */
function shifted(error: unknown, offset: number): unknown {
  if (!(error instanceof ProblemError) || offset === 0) return error
  const { type, title, status, code, detail, instance, faults, retryAfterSeconds } = error
  const errors = faults.map((fault) => ({
    ...fault,
    pointer: fault.pointer.replace(/^#\/(\d+)/, (_, index: string) => `#/${Number(index) + offset}`),
  }))
  return new ProblemError({ type, title, status, code, detail, instance, errors }, retryAfterSeconds)
}
