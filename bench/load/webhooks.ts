/** The load of `webhooks-vs-peer`, a process of its own: signed events over kept-alive connections, in their order. */
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'

export interface WebhookLoad {
  readonly url: string
  readonly secret: string
  /** One event a line. */
  readonly file: string
  readonly connections: number
}

export interface WebhookLoadResult {
  /** When the first one was sent, in milliseconds since 1970. */
  readonly startedAtMs: number
  readonly seconds: number
  readonly acknowledgedP50Ms: number
  readonly acknowledgedP99Ms: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as WebhookLoad
const { hostname, port } = new URL(options.url)
const agent = new Agent({ keepAlive: true, maxSockets: options.connections })
const at = Math.floor(Date.now() / 1000)
const signed = (await readFile(options.file, 'utf8')).split('\n').map((body) => ({
  body,
  signature: `t=${at},v1=${createHmac('sha256', options.secret).update(`${at}.${body}`).digest('hex')}`,
}))

function deliver({ body, signature }: (typeof signed)[number]): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'stripe-signature': signature,
    }
    const to = { agent, hostname, port, path: '/webhooks/stripe', method: 'POST', headers }
    const outgoing = request(to, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('error', reject).on('end', () => {
        if (answer.statusCode === 200) resolve()
        else reject(new Error(`${answer.statusCode} ${text} for ${body}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const waits: number[] = []
const startedAtMs = Date.now()
const start = performance.now()
const next = signed.values()

async function connection(): Promise<void> {
  for (const event of next) {
    const sent = performance.now()
    await deliver(event)
    waits.push(performance.now() - sent)
  }
}

await Promise.all(Array.from({ length: options.connections }, connection))
const seconds = (performance.now() - start) / 1000
waits.sort((a, b) => a - b)
const percentile = (share: number) => waits[Math.floor((waits.length - 1) * share)] ?? 0
const result: WebhookLoadResult = {
  startedAtMs,
  seconds,
  acknowledgedP50Ms: percentile(0.5),
  acknowledgedP99Ms: percentile(0.99),
}
console.log(JSON.stringify(result))
agent.destroy()
