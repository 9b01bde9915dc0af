import type Stripe from 'stripe'
import type { Story } from './story.ts'

/** Everything that was announced in a story, oldest first: only what is new is fetched at each reading. */
export class History {
  readonly events: Stripe.Event[] = []

  async read({ stripe }: Story): Promise<void> {
    const last = this.events.at(-1)?.id
    const pages = stripe.events.list({ limit: 100, ...(last === undefined ? {} : { ending_before: last }) })
    const fresh = await pages.autoPagingToArray({ limit: 10_000 })
    // With `ending_before` the client turns pages towards the newest; without it, towards the oldest.
    this.events.push(...(last === undefined ? fresh.reverse() : fresh))
  }

  /** The snapshots of one object, with the simulated time of each. */
  of<Shape>(id: string): { at: number; type: string; object: Shape }[] {
    return this.events.flatMap((event) => {
      const object = event.data.object as { id?: string }
      return object.id === id ? [{ at: event.created, type: event.type, object: object as Shape }] : []
    })
  }
}
