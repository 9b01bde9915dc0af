/** The load of `subscription-read`, a process of its own: one read after the other on each connection. */
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
}

const options = JSON.parse(process.argv[2] ?? '{}') as ReadLoad
const headers = `authorization: Bearer ${options.apiKey}\r\n`
let reads = 0
const start = performance.now()
const end = start + options.seconds * 1000

async function connection(): Promise<void> {
  const { send, close } = await openConnection(options.url)
  while (performance.now() < end) {
    const path = options.paths[reads % options.paths.length] ?? '/'
    reads += 1
    await send({ method: 'GET', path, headers })
  }
  close()
}

await Promise.all(Array.from({ length: options.connections }, connection))
const result: ReadLoadResult = { seconds: (performance.now() - start) / 1000, reads }
console.log(JSON.stringify(result))
