/**
 * What `ingest-batch` is held against: batches through `pg` into a plain table with the columns of
 * ours and a primary key, over as many connections as the load has. No HTTP, no rollups.
 */
import pg from 'pg'
import { customerName, decimal, type LoadEvent, newEvent } from '../load/events.ts'

export interface RawOptions {
  readonly databaseUrl: string
  readonly connections: number
  readonly batchSize: number
  readonly seconds: number
}

export interface RawResult {
  readonly seconds: number
  readonly events: number
}

const { databaseUrl, connections, batchSize, seconds } = JSON.parse(process.argv[2] ?? '{}') as RawOptions
const pool = new pg.Pool({ connectionString: databaseUrl, max: connections })
await pool.query(`create table if not exists raw_event (
  customer_id text not null,
  meter_key text not null,
  time timestamptz not null,
  quantity numeric(24, 9) not null,
  source text not null,
  id text not null,
  data jsonb not null,
  received_at timestamptz not null,
  primary key (source, id)
)`)

const insert = {
  name: 'insert',
  text: `insert into raw_event select *, now()
    from unnest($1::text[], $2::text[], $3::timestamptz[], $4::numeric[], $5::text[], $6::text[], $7::jsonb[])
    on conflict do nothing`,
}

const columnsOf = (events: readonly LoadEvent[]) => [
  events.map(({ customer }) => customerName(customer)),
  events.map(({ meter }) => meter),
  events.map(({ time }) => new Date(time * 1000).toISOString()),
  events.map(({ thousandths }) => decimal(thousandths)),
  events.map(({ source }) => source),
  events.map(({ id }) => id),
  events.map(({ data }) => JSON.stringify(data)),
]

let events = 0
const start = performance.now()
const end = start + seconds * 1000

async function connection(): Promise<void> {
  const client = await pool.connect()
  while (performance.now() < end) {
    const now = Math.floor(Date.now() / 1000)
    const batch = Array.from({ length: batchSize }, () => newEvent(now))
    await client.query({ ...insert, values: columnsOf(batch) })
    events += batch.length
  }
  client.release()
}

await Promise.all(Array.from({ length: connections }, connection))
const result: RawResult = { seconds: (performance.now() - start) / 1000, events }
console.log(JSON.stringify(result))
await pool.end()
