import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { defineCatalog } from '@lockstep/core/catalog'
import { createClient } from '@lockstep/sdk'
import Stripe from 'stripe'
import { type Bench, interleave, median, summarize } from './bench.ts'
import { ADMIN_KEY, openStage, startStripeBefore } from './stage.ts'

const DELAY_MS = 100

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: '9.00' } },
    },
  },
})

/**
 * A plan change over HTTP, against the one call to Stripe that it needs, at a Stripe that answers after
 * 100 ms. One at a time, so that it is the waiting that is measured; the ratio is of the medians.
 */
export const patchLatency: Bench = {
  name: 'patch-latency',
  unit: 'ms',
  bar: 0.77,
  run: async ({ seconds, note }) => {
    const stage = await openStage()
    const slow = await startStripeBefore('bench/reference/slow-stripe.ts', { DELAY_MS: String(DELAY_MS) })
    try {
      const service = await stage.startService({
        STRIPE_API_BASE: slow.url,
        STRIPE_API_KEY: 'sk_test_bench',
      })
      const client = createClient({ baseUrl: service.url, apiKey: ADMIN_KEY })
      const host = { host: '127.0.0.1', port: slow.port, protocol: 'http' as const }
      const stripe = new Stripe('sk_test_bench', { ...host, maxNetworkRetries: 0 })
      note('a catalogue and two subscriptions')
      await client.catalog.apply(catalogDocumentOf(catalog))
      const register = async (externalId: string) => {
        const begun = await client.registrations.create({
          externalId,
          plan: 'team',
          paymentMethod: 'pm_card_visa',
        })
        const { subscription } = await client.registrations.ended(begun.id)
        return client.subscriptions.read(subscription ?? '')
      }
      const ours = await register('ours')
      const bare = await stripe.subscriptions.retrieve((await register('bare')).providerId ?? '')
      const item = bare.items.data[0]?.id ?? ''
      // Another number each time, so that each change is one and is billed.
      let seats = 1
      const timed = async (length: number, change: () => Promise<unknown>) => {
        const took: number[] = []
        for (const until = performance.now() + length * 1000; performance.now() < until; ) {
          seats += 1
          const from = performance.now()
          await change()
          took.push(performance.now() - from)
        }
        return median(took)
      }
      const product = (length: number) =>
        timed(length, () => client.subscriptions.change(ours.id, { quantity: seats }))
      const reference = (length: number) =>
        timed(length, () =>
          stripe.subscriptions.update(bare.id, {
            items: [{ id: item, quantity: seats }],
            proration_behavior: 'always_invoice',
            payment_behavior: 'error_if_incomplete',
            off_session: true,
          }),
        )
      note('warming up')
      await product(1)
      await reference(1)
      const passes = await interleave(
        () => reference(seconds),
        () => product(seconds),
      )
      const changed = await client.subscriptions.read(ours.id)
      if (changed.quantity <= 1) throw new Error('Nothing was changed.')
      return summarize(passes, ({ reference: plain, product: patch }) => plain / patch)
    } finally {
      await slow.stop()
      await stage.close()
    }
  },
}
