import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { formatInstant } from '@lockstep/core/instant'
import { type Client, createClient } from '@lockstep/sdk'
import cloudHost from '../examples/cloud-host/catalog.ts'
import { type Bench, interleave, median, summarize } from './bench.ts'
import type { ReadLoad, ReadLoadResult } from './load/reads.ts'
import { ADMIN_KEY, openStageWithSimulator, runProgram } from './stage.ts'

const FEW = 10_000
const MANY = 1_000_000

/** A month on a test clock, so that it can be full of usage at once. */
const START = Date.parse('2026-01-01T09:30:00Z') / 1000
const SECONDS_OF_USAGE = 27 * 86_400
const METERS = ['compute_seconds', 'bandwidth_bytes', 'storage_gib', 'requests']

/** In milliseconds, whatever the machine: somebody waits for the page. */
const SLOWEST = 5

/** The engine compiles the service meanwhile. */
const WARM_UP_SECONDS = 5

/** The current invoice of a customer with many events, against one with few: it should not matter. */
export const invoiceRead: Bench = {
  name: 'invoice-read',
  unit: 'ms',
  bar: 0.77,
  run: async ({ seconds, note }) => {
    const stage = await openStageWithSimulator()
    try {
      const { url } = await stage.startService(stage.stripe)
      const client = createClient({ baseUrl: url, apiKey: ADMIN_KEY })
      await client.catalog.apply(catalogDocumentOf(cloudHost))
      const few = await newCustomer(client, 'few')
      const many = await newCustomer(client, 'many')
      note(`sending ${FEW + MANY} events`)
      await client.usage.send(events('few', FEW))
      await client.usage.send(events('many', MANY))
      await stage.query(stage.databaseUrl, 'vacuum analyze')

      const latencies = { few: [] as number[][], many: [] as number[][] }
      const read = (invoiceId: string, seconds: number) => latenciesOf(url, invoiceId, seconds)
      const measure = async (name: 'few' | 'many', invoiceId: string) => {
        const taken = await read(invoiceId, seconds)
        latencies[name].push(taken)
        return median(taken)
      }
      await read(few, WARM_UP_SECONDS)
      await read(many, WARM_UP_SECONDS)
      const passes = await interleave(
        () => measure('few', few),
        () => measure('many', many),
      )
      await check(client, few, FEW)
      await check(client, many, MANY)
      const slowest = latencies.many.map((taken) => ({ reference: SLOWEST, product: p99(taken) }))
      return {
        ...summarize(passes, ({ reference, product }) => reference / product),
        also: [
          {
            ...{ name: 'invoice-read-p99', unit: 'ms', bar: 1 },
            ...summarize(slowest, ({ reference, product }) => reference / product, [
              `${p99(latencies.few.flat()).toFixed(2)} ms with ${FEW} events`,
            ]),
          },
        ],
      }
    } finally {
      await stage.close()
    }
  },
}

/** Registers a customer, turns their clock to the end of the month, and answers their current invoice. */
async function newCustomer(client: Client, externalId: string): Promise<string> {
  const clock = await client.testClocks.create({ frozenTime: formatInstant(START), name: externalId })
  const { id } = await client.registrations.create({
    externalId,
    plan: 'cloud-host',
    paymentMethod: 'pm_card_visa',
    testClock: clock.id,
  })
  const { state, problem } = await client.registrations.ended(id)
  if (state !== 'completed') throw new Error(`The registration is ${state}: ${problem?.detail}`)
  await client.testClocks.advance(clock.id, formatInstant(START + SECONDS_OF_USAGE))
  await client.testClocks.ready(clock.id)
  const customer = await client.customers.list({ externalId }).first()
  const invoice = await client.invoices.list({ customer: customer?.id ?? '', status: 'current' }).first()
  if (!invoice) throw new Error('There is no current invoice.')
  return invoice.id
}

/** Spread evenly over the month, one unit each. */
function* events(subject: string, count: number) {
  for (let i = 0; i < count; i += 1) {
    const time = formatInstant(START + Math.floor((i * SECONDS_OF_USAGE) / count))
    const type = METERS[i % METERS.length] ?? ''
    yield {
      specversion: '1.0' as const,
      source: 'bench',
      id: `${subject}-${i}`,
      type,
      subject,
      time,
      data: { quantity: 1 },
    }
  }
}

/**
 * One read after the other; the time of each in milliseconds. By a process of its own: this one has just sent a million
 * events, and collecting what is left of them would be taken for the service's time.
 */
async function latenciesOf(url: string, invoiceId: string, seconds: number): Promise<number[]> {
  const options: ReadLoad = {
    url,
    paths: [`/v1/invoices/${invoiceId}`],
    apiKey: ADMIN_KEY,
    connections: 1,
    seconds,
  }
  return [...(await runProgram<ReadLoadResult>('load/reads.ts', options)).latencies]
}

/** Every event is on the invoice: each meter that is summed got its share. */
async function check(client: Client, invoiceId: string, count: number): Promise<void> {
  const { lines } = await client.invoices.read(invoiceId)
  for (const key of ['compute', 'bandwidth', 'requests']) {
    const line = lines.find((one) => one.key === key)
    const expected = String(count / METERS.length)
    if (line?.quantity !== expected) throw new Error(`${key}: sent ${expected}, billed ${line?.quantity}.`)
  }
}

const p99 = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * 0.99)] ?? Number.NaN
