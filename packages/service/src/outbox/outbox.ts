import { startDrainWorker } from '../drain-worker.ts'
import type { ServiceParts } from '../service-parts.ts'
import { newGuard } from './addresses.ts'
import { type Deliveries, newDeliveries } from './deliver.ts'
import { type MakeDeps, makeEvents } from './make-events.ts'

/** Then what is due has its turn: many changes at once keep no message waiting until all are made into events. */
const MOST_MADE_IN_A_ROW = 200

/** Makes events of what changed, and sends them. Returns what ends it, after what is under way. */
export function startOutbox(parts: ServiceParts): () => Promise<void> {
  const guard = newGuard(parts.config.webhookNetworks)
  const deliveries = newDeliveries({ ...parts, guard, random: Math.random })
  const worker = startDrainWorker({
    ...parts,
    name: 'outbox',
    drain: () => drainOutbox(parts, deliveries),
  })
  return async () => {
    await worker.close()
    await deliveries.settled()
  }
}

/** Makes events until nothing is left to make any of, and begins with what is due again and again meanwhile. */
export async function drainOutbox(deps: MakeDeps, deliveries: Pick<Deliveries, 'begin'>): Promise<void> {
  let made: number
  do {
    made = await makeEvents(deps, MOST_MADE_IN_A_ROW)
    await deliveries.begin()
  } while (made === MOST_MADE_IN_A_ROW)
}
