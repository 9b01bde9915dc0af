/**
 * The load of `simulator-requests`, a process of its own: over kept-alive connections it creates a customer,
 * then their subscription, whose first invoice waits for a card, and lists what the customer has; the reference gets the form of the customer only.
 */
import { openConnection, type Sent } from './connection.ts'

export interface SimulatorLoad {
  readonly url: string
  /** Of the simulator; the bare route is meant when absent. */
  readonly price?: string
  readonly connections: number
  readonly seconds: number
}

export interface SimulatorLoadResult {
  readonly requests: number
  readonly customers: number
  readonly seconds: number
  /** Of one core, how much the generator itself took. */
  readonly processor: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as SimulatorLoad
const authorization = 'authorization: Bearer sk_test_bench\r\n'
const run = Math.floor(performance.timeOrigin)
let keys = 0

function post(path: string, form: string): Sent {
  const headers = `${authorization}idempotency-key: bench-${run}-${++keys}\r\n`
  return { method: 'POST', path, form, headers }
}

const customerForm = (i: number) =>
  `email=customer-${i}%40example.com&name=Customer+${i}&metadata[account]=a${i}`

let [requests, customers] = [0, 0]
const start = performance.now()
const end = start + options.seconds * 1000
const before = process.cpuUsage()

async function connection(): Promise<void> {
  const { send, close } = await openConnection(options.url)
  while (performance.now() < end) {
    const created = await send(post('/v1/customers', customerForm(++customers)))
    requests += 1
    if (options.price === undefined) continue
    const id = /"id":"(cus_\w+)"/.exec(created)?.[1]
    await send(
      post(
        '/v1/subscriptions',
        `customer=${id}&items[0][price]=${options.price}&payment_behavior=default_incomplete`,
      ),
    )
    await send({ method: 'GET', path: `/v1/subscriptions?customer=${id}`, headers: authorization })
    requests += 2
  }
  close()
}

await Promise.all(Array.from({ length: options.connections }, connection))
const seconds = (performance.now() - start) / 1000
const { user, system } = process.cpuUsage(before)
const processor = (user + system) / 1e6 / seconds
console.log(JSON.stringify({ requests, customers, seconds, processor } satisfies SimulatorLoadResult))
