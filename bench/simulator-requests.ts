import Stripe from 'stripe'
import { freePort, startProcess } from '../test/support/process.ts'
import { type Bench, interleave, summarize } from './bench.ts'
import type { SimulatorLoad, SimulatorLoadResult } from './load/simulator.ts'
import { runProgram } from './stage.ts'

const CONNECTIONS = 16
const WARM_UP_SECONDS = 2

/** Customers, their subscriptions and lists at the simulator, against a route that parses a form and answers it. */
export const simulatorRequests: Bench = {
  name: 'simulator-requests',
  unit: 'requests/s',
  bar: 0.4,
  run: async ({ seconds, note }) => {
    const [port, barePort] = [await freePort(), await freePort()]
    const simulator = await startProcess('packages/stripe-simulator/src/main.ts', {
      port,
      args: ['--port', String(port)],
    })
    const bare = await startProcess('bench/reference/bare-form.ts', {
      port: barePort,
      env: { PORT: String(barePort) },
    })
    try {
      const stripe = new Stripe('sk_test_bench', { host: '127.0.0.1', port, protocol: 'http' })
      const price = await stripe.prices.create({
        currency: 'usd',
        unit_amount: 1000,
        recurring: { interval: 'month' },
        product_data: { name: 'Team' },
      })
      let customers = 0
      const processors: number[] = []
      const load = async (options: SimulatorLoad) => {
        const result = await runProgram<SimulatorLoadResult>('load/simulator.ts', options)
        processors.push(result.processor)
        if (options.price !== undefined) customers += result.customers
        return result.requests / result.seconds
      }
      const reference = (seconds: number) => load({ url: bare.url, connections: CONNECTIONS, seconds })
      const product = (seconds: number) =>
        load({ url: simulator.url, price: price.id, connections: CONNECTIONS, seconds })
      note('warming up')
      await reference(WARM_UP_SECONDS)
      await product(WARM_UP_SECONDS)
      const passes = await interleave(
        () => reference(seconds),
        () => product(seconds),
      )
      note('checking')
      await check(stripe, price.id, customers)
      const generator = processors
        .slice(2)
        .map((one) => one.toFixed(2))
        .join(', ')
      return summarize(passes, ({ reference, product }) => product / reference, [
        `load generator: ${generator} of a core (reference and product in turns)`,
      ])
    } finally {
      await bare.stop()
      await simulator.stop()
    }
  },
}

/** Every customer that was made has one subscription, whose first invoice is to be paid. */
async function check(stripe: Stripe, price: string, customers: number): Promise<void> {
  let waiting = 0
  const subscriptions = stripe.subscriptions.list({ price, limit: 100, expand: ['data.latest_invoice'] })
  for await (const { status, latest_invoice: invoice } of subscriptions) {
    if (status === 'incomplete' && typeof invoice === 'object' && invoice?.status === 'open') waiting += 1
  }
  if (waiting !== customers) throw new Error(`${customers} customers were made, ${waiting} subscribed.`)
}
