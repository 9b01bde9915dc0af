import { store } from '../../src/inbox/receive.ts'
import type { LookDeps } from '../../src/workflow/look.ts'

/** Takes in every event that Stripe lists, oldest first, as webhooks would have brought them. */
export async function receiveListed({ db, clock, provider }: LookDeps): Promise<void> {
  const events = []
  for await (const event of provider.stripe.events.list({ limit: 100 })) events.push(event)
  for (const event of events.reverse()) await store({ db, clock, provider }, JSON.stringify(event))
}
