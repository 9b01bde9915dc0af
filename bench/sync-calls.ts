import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { defineCatalog } from '@lockstep/core/catalog'
import { type Client, createClient } from '@lockstep/sdk'
import Stripe from 'stripe'
import type { Bench } from './bench.ts'
import { ADMIN_KEY, openStageWithSimulator, type StageWithSimulator } from './stage.ts'

const METERS = ['a', 'b', 'c', 'd'] as const
const ITEMS_A_PAGE = 100

const price = <M extends string>(meter: M) =>
  ({ meter, product: 'cloud', model: 'perUnit', unitAmount: '0.01' }) as const
const meter = (name: string) => ({ name, unitLabel: 'unit', aggregation: 'sum' }) as const

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' } },
  meters: { a: meter('A'), b: meter('B'), c: meter('C'), d: meter('D') },
  plans: {
    cloud: {
      name: 'Cloud',
      product: 'cloud',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '10.00' },
        a: price('a'),
        b: price('b'),
        c: price('c'),
        d: price('d'),
      },
    },
  },
})

/** What happens to a customer between two syncs. */
interface Change {
  /** Meters that are used; each is one line. */
  readonly used: readonly string[]
  /** Items that stand there besides: somebody else's. */
  readonly foreign: number
}

const changes: readonly Change[] = [
  // Clean: nothing happened, so nothing is to be asked.
  ...Array.from({ length: 6 }, () => ({ used: [], foreign: 0 })),
  ...METERS.map((_, i) => ({ used: METERS.slice(0, i + 1), foreign: 0 })),
  // More than a page to read.
  { used: ['a'], foreign: 130 },
]

/**
 * Requests that Stripe gets while invoices are synchronised, against the fewest that can tell it: a list page
 * for each 100 items of an invoice that changed, and one call for each line that did. No time is taken.
 */
export const syncCalls: Bench = {
  name: 'sync-calls',
  unit: 'calls',
  bar: 1,
  run: async ({ note }) => {
    const stage = await openStageWithSimulator()
    try {
      const { url } = await stage.startService({
        ...stage.stripe,
        // Never by itself: the bench says when.
        LOCKSTEP_SYNC_CRON: '0 0 29 2 *',
      })
      const client = createClient({ baseUrl: url, apiKey: ADMIN_KEY })
      const stripe = new Stripe(stage.stripe.STRIPE_API_KEY, {
        ...{ host: '127.0.0.1', port: stage.simulator.port, protocol: 'http' },
      })
      note(`${changes.length} customers`)
      await client.catalog.apply(catalogDocumentOf(catalog))
      const invoices: string[] = []
      for (const [i, change] of changes.entries()) {
        invoices.push(await newInvoice(client, stripe, `user-${i}`, change))
      }
      // The first sync makes the items, the second changes them: an invoice is dirty in both ways.
      let [ours, fewest] = [0, 0]
      for (const round of ['made', 'changed'] as const) {
        for (const [i, { used }] of changes.entries()) {
          if (round === 'made' || used.length > 0)
            await use(client, `user-${i}`, round === 'made' ? METERS : used, round)
        }
        const calls = await requestsWhile(stage, async () => {
          for (const invoice of invoices) await client.invoices.sync(invoice)
        })
        ours += calls
        fewest += changes.reduce((sum, change) => sum + fewestCalls(change, round), 0)
        note(`${calls} calls for what was ${round}`)
      }
      const ratio = fewest / ours
      return { value: ours, baseline: fewest, ratio, ratios: [ratio], remarks: [] }
    } finally {
      await stage.close()
    }
  },
}

/** Before the first sync there are no items of ours; before the second, one for each meter. */
function fewestCalls({ used, foreign }: Change, round: 'made' | 'changed'): number {
  const changed = round === 'made' ? METERS.length : used.length
  if (changed === 0) return 0
  const standing = foreign + (round === 'made' ? 0 : METERS.length)
  return Math.max(1, Math.ceil(standing / ITEMS_A_PAGE)) + changed
}

async function newInvoice(
  client: Client,
  stripe: Stripe,
  externalId: string,
  { foreign }: Change,
): Promise<string> {
  const begun = await client.registrations.create({
    externalId,
    plan: 'cloud',
    paymentMethod: 'pm_card_visa',
  })
  const { state, subscription } = await client.registrations.ended(begun.id)
  if (state !== 'completed' || subscription === null) throw new Error(`The registration is ${state}.`)
  const { providerId } = await client.subscriptions.read(subscription)
  const { customer } = await stripe.subscriptions.retrieve(providerId ?? '')
  for (let i = 0; i < foreign; i += 1) {
    const item = { customer: customer as string, amount: 1, currency: 'usd', subscription: providerId ?? '' }
    await stripe.invoiceItems.create(item)
  }
  const invoice = await client.invoices.list({ subscription, status: 'current' }).first()
  if (!invoice) throw new Error('There is no current invoice.')
  return invoice.id
}

async function use(client: Client, subject: string, meters: readonly string[], id: string): Promise<void> {
  const time = new Date().toISOString()
  const event = (type: string) => ({ source: 'bench', id: `${subject}-${type}-${id}`, type, subject, time })
  await client.usage.send(meters.map((type) => ({ ...event(type), data: { quantity: '7' } })))
}

async function requestsWhile(stage: StageWithSimulator, work: () => Promise<void>): Promise<number> {
  await stage.forgetRequests()
  await work()
  return (await stage.requests()).length
}
