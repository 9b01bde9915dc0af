import type Stripe from 'stripe'

/** Of an account's events, those that were not read yet, oldest first. */
export function newEventReader(stripe: Stripe): () => Promise<Stripe.Event[]> {
  let last: string | undefined
  return async () => {
    const events: Stripe.Event[] = []
    if (last === undefined) {
      for await (const event of stripe.events.list({ limit: 100 })) events.push(event)
      events.reverse()
      last = events.at(-1)?.id
      return events
    }
    for (let more = true; more; ) {
      // Of those after the last one that we know, the oldest; each page has its newest first.
      const page = await stripe.events.list({ limit: 100, ending_before: last })
      events.push(...page.data.toReversed())
      last = page.data[0]?.id ?? last
      more = page.has_more
    }
    return events
  }
}
