/**
 * What `ingest-single` is held against: the least that a Fastify route can do which answers after its
 * commit. Waiting requests share one plain insert; no identity, no rollups, no validation.
 */
import Fastify from 'fastify'
import pg from 'pg'

interface Event {
  readonly subject: string
  readonly type: string
  readonly time: string
  readonly source: string
  readonly id: string
  readonly data: { readonly quantity: string }
}

interface Waiting {
  readonly event: Event
  readonly resolve: (answer: { accepted: number }) => void
  readonly reject: (error: unknown) => void
}

const LANES = 2
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: LANES })
await pool.query(`create table if not exists bare_event (
  customer_id text not null,
  meter_key text not null,
  time timestamptz not null,
  quantity numeric(24, 9) not null,
  source text not null,
  id text not null,
  data jsonb not null,
  received_at timestamptz not null
)`)

let queue: Waiting[] = []
let busy = 0

async function write(): Promise<void> {
  const batch = queue
  queue = []
  const events = batch.map(({ event }) => event)
  try {
    await pool.query({
      name: 'insert',
      text: `insert into bare_event select *, now()
        from unnest($1::text[], $2::text[], $3::timestamptz[], $4::numeric[], $5::text[], $6::text[], $7::jsonb[])`,
      values: [
        events.map(({ subject }) => subject),
        events.map(({ type }) => type),
        events.map(({ time }) => time),
        events.map(({ data }) => data.quantity),
        events.map(({ source }) => source),
        events.map(({ id }) => id),
        events.map(({ data }) => JSON.stringify(data)),
      ],
    })
    for (const { resolve } of batch) resolve({ accepted: 1 })
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}

async function work(): Promise<void> {
  while (queue.length > 0) await write()
  busy -= 1
}

function wake(): void {
  if (busy === LANES) return
  busy += 1
  setImmediate(() => void work())
}

const server = Fastify({ logger: false })
server.post('/v1/usage-events', (request) => {
  return new Promise((resolve, reject) => {
    queue.push({ event: request.body as Event, resolve, reject })
    wake()
  })
})
process.once('SIGTERM', () => process.exit(0))
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
