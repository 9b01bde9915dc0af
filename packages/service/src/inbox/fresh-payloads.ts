import type { Db } from '../postgres/connect.ts'
import { type ClaimedEvent, readPayloads, type WaitingEvent } from '../store/provider-events.ts'

type Payload = WaitingEvent['payload']

interface Fresh {
  readonly payload: Payload
  /** The event's own, which changes when it is put back: what stands in the inbox then may have been erased in between. */
  readonly observation: bigint
  readonly length: number
}

/** Of the JSON, in characters: what a burst of deliveries leaves behind for one round, many times over. */
const MOST_LENGTH = 4_000_000

class FreshPayloads {
  readonly #byId = new Map<string, Fresh>()
  #length = 0

  keep(id: string, fresh: Fresh): void {
    this.#forget(id)
    this.#byId.set(id, fresh)
    this.#length += fresh.length
    for (const oldest of this.#byId.keys()) {
      if (this.#length <= MOST_LENGTH) return
      this.#forget(oldest)
    }
  }

  take(id: string, observation: bigint): Payload | undefined {
    const fresh = this.#byId.get(id)
    if (fresh === undefined) return undefined
    this.#forget(id)
    return fresh.observation === observation ? fresh.payload : undefined
  }

  #forget(id: string): void {
    const fresh = this.#byId.get(id)
    if (fresh === undefined) return
    this.#byId.delete(id)
    this.#length -= fresh.length
  }
}

/** Of processes that work on events, which one that only takes them in does not. */
const freshIn = new WeakMap<Db, FreshPayloads>()

/** Keeps what was read of an event that this process stored just now, so that it need not be read once more when it is worked on. */
export function keepPayload(db: Db, id: string, fresh: Fresh): void {
  freshIn.get(db)?.keep(id, fresh)
}

/** What these events say: of those that this process stored, from its memory, once; of all others from the inbox. */
export async function withPayloads(db: Db, claimed: readonly ClaimedEvent[]): Promise<WaitingEvent[]> {
  const fresh = freshIn.get(db) ?? new FreshPayloads()
  freshIn.set(db, fresh)
  const kept = new Map(claimed.map(({ id, observation }) => [id, fresh.take(id, observation)]))
  const missing = claimed.filter(({ id }) => kept.get(id) === undefined).map(({ id }) => id)
  const read = await readPayloads(db, missing)
  return claimed.map((event) => {
    const payload = kept.get(event.id) ?? read.get(event.id)
    if (payload === undefined) throw new Error(`Event ${event.id} was claimed and is not in the inbox.`)
    return { ...event, payload }
  })
}
