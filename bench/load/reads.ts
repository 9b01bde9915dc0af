/** The load of reads, a process of its own: one read after the other on each connection. */
import { openConnection } from './connection.ts'

export interface ReadLoad {
  readonly url: string
  /** Asked for in turn. */
  readonly paths: readonly string[]
  readonly apiKey: string
  readonly connections: number
  readonly seconds: number
}

export interface ReadLoadResult {
  readonly seconds: number
  readonly reads: number
  /** Of each read, in milliseconds. */
  readonly latencies: readonly number[]
}

const options = JSON.parse(process.argv[2] ?? '{}') as ReadLoad
const headers = `authorization: Bearer ${options.apiKey}\r\n`
let reads = 0
const latencies: number[] = []
const start = performance.now()
const end = start + options.seconds * 1000

async function connection(): Promise<void> {
  const { send, close } = await openConnection(options.url)
  while (performance.now() < end) {
    const path = options.paths[reads % options.paths.length] ?? '/'
    reads += 1
    const sent = performance.now()
    await send({ method: 'GET', path, headers })
    latencies.push(performance.now() - sent)
  }
  close()
}

await Promise.all(Array.from({ length: options.connections }, connection))
const result: ReadLoadResult = { seconds: (performance.now() - start) / 1000, reads, latencies }
console.log(JSON.stringify(result))
