import { startDrainWorker } from '../drain-worker.ts'
import type { ServiceParts } from '../service-parts.ts'
import { newGuard } from './addresses.ts'
import { newDeliveries } from './deliver.ts'
import { makeEvents } from './make-events.ts'

/** Makes events of what changed, and sends them. Returns what ends it, after what is under way. */
export function startOutbox(parts: ServiceParts): () => Promise<void> {
  const guard = newGuard(parts.config.webhookNetworks)
  const deliveries = newDeliveries({ ...parts, guard, random: Math.random })
  const worker = startDrainWorker({
    ...parts,
    name: 'outbox',
    drain: async () => {
      await makeEvents(parts)
      await deliveries.begin()
    },
  })
  return async () => {
    await worker.close()
    await deliveries.settled()
  }
}
