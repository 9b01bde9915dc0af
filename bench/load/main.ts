/**
 * The load generator, a process of its own: it posts usage over keep-alive connections for some
 * seconds, each connection one request at a time, and prints what it sent and got as one JSON object.
 */
import { Agent, request } from 'node:http'
import { cloudEvent, newEvent } from './events.ts'

export interface LoadOptions {
  readonly url: string
  readonly key: string
  readonly connections: number
  readonly eventsPerRequest: number
  readonly seconds: number
}

export interface LoadResult {
  readonly seconds: number
  readonly requests: number
  readonly events: number
  /** Sum of the quantities sent, in thousandths. */
  readonly thousandths: number
  readonly accepted: number
  readonly latencyP50Ms: number
  readonly latencyP99Ms: number
  /** Of one core, how much the generator itself took. */
  readonly processor: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions
const { hostname, port, pathname } = new URL(options.url)
const agent = new Agent({ keepAlive: true, maxSockets: options.connections })
const headers = { 'content-type': 'application/json', authorization: `Bearer ${options.key}` }

function post(body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        hostname,
        port,
        path: pathname,
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(text)
          else reject(new Error(`${answer.statusCode} ${text}`))
        })
        answer.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

let [requests, events, thousandths, accepted] = [0, 0, 0, 0]
const latencies: number[] = []
const start = performance.now()
const end = start + options.seconds * 1000
const before = process.cpuUsage()

async function connection(): Promise<void> {
  while (performance.now() < end) {
    const now = Math.floor(Date.now() / 1000)
    const made = Array.from({ length: options.eventsPerRequest }, () => newEvent(now))
    const body = made.length === 1 ? made.map(cloudEvent).join() : `[${made.map(cloudEvent).join(',')}]`
    const sent = performance.now()
    const answer = JSON.parse(await post(body)) as { accepted?: number }
    latencies.push(performance.now() - sent)
    requests += 1
    events += made.length
    for (const event of made) thousandths += event.thousandths
    accepted += answer.accepted ?? made.length
  }
}

await Promise.all(Array.from({ length: options.connections }, connection))
const seconds = (performance.now() - start) / 1000
const { user, system } = process.cpuUsage(before)
latencies.sort((a, b) => a - b)
const percentile = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
const result: LoadResult = {
  seconds,
  requests,
  events,
  thousandths,
  accepted,
  latencyP50Ms: percentile(0.5),
  latencyP99Ms: percentile(0.99),
  processor: (user + system) / 1e6 / seconds,
}
console.log(JSON.stringify(result))
agent.destroy()
