import { CUSTOMERS, customerName, METERS } from './load/events.ts'
import type { LoadOptions, LoadResult } from './load/main.ts'
import { ADMIN_KEY, runProgram, type Stage } from './stage.ts'

export const CONNECTIONS = 32

/** Customers and meters for the load, as registration and a catalogue would leave them. */
export async function seed({ query, databaseUrl }: Stage): Promise<void> {
  const names = Array.from(
    { length: CUSTOMERS },
    (_, i) => `('customer_${String(i).padStart(26, '0')}', '${customerName(i)}', now())`,
  )
  const meters = METERS.map((key) => `('${key}', '${key}', 'unit', 'sum', now())`)
  await query(databaseUrl, `insert into customer (id, external_id, created_at) values ${names.join()}`)
  await query(
    databaseUrl,
    `insert into meter (key, name, unit_label, aggregation, created_at) values ${meters.join()}`,
  )
}

/** Posts usage to `url` and adds up what was sent. */
export function newLoad(url: string, eventsPerRequest: number, connections = CONNECTIONS) {
  const sent = { events: 0, thousandths: 0 }
  const results: LoadResult[] = []
  return {
    sent,
    results,
    async run(seconds: number): Promise<number> {
      const options: LoadOptions = {
        url: `${url}/v1/usage-events`,
        key: ADMIN_KEY,
        connections,
        eventsPerRequest,
        seconds,
      }
      const result = await runProgram<LoadResult>('load/main.ts', options)
      if (result.accepted !== result.events) {
        throw new Error(`${result.accepted} of ${result.events} events were accepted.`)
      }
      sent.events += result.events
      sent.thousandths += result.thousandths
      results.push(result)
      return result.events / result.seconds
    },
    /** Latencies of the passes, and how busy the generator was. */
    remarks: () => {
      const of = (read: (result: LoadResult) => number, digits: number) =>
        results
          .slice(1)
          .map((result) => read(result).toFixed(digits))
          .join(', ')
      return [
        `latency p50 ${of((result) => result.latencyP50Ms, 1)} ms, p99 ${of((result) => result.latencyP99Ms, 1)} ms`,
        `load generator: ${of((result) => result.processor, 2)} of a core`,
      ]
    },
  }
}

/** A fast wrong run is a failure: what is in the tables is what was sent, counted three ways. */
export async function checkTables(
  { query, databaseUrl }: Stage,
  sent: { events: number; thousandths: number },
): Promise<void> {
  const [found] = await query<Record<string, string>>(
    databaseUrl,
    `select (select count(*) from usage_identity) as identities, (select count(*) from usage_event) as events,
       (select sum(count) from usage_rollup)::int8 as counted,
       (select (sum(quantity) * 1000)::int8 from usage_event) as thousandths,
       (select (sum(sum) * 1000)::int8 from usage_rollup) as rolled`,
  )
  const expected = {
    identities: sent.events,
    events: sent.events,
    counted: sent.events,
    thousandths: sent.thousandths,
    rolled: sent.thousandths,
  }
  for (const [name, value] of Object.entries(expected)) {
    if (found?.[name] !== String(value)) throw new Error(`${name}: sent ${value}, found ${found?.[name]}.`)
  }
}
