import { createHmac } from 'node:crypto'
import { newBell } from '@lockstep/service/bell'
import { webhookRoutes } from '@lockstep/service/http/routes/webhooks'
import { createMetrics } from '@lockstep/service/metrics'
import { newServer } from '../../packages/service/test/support/server.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { type Random, seeded } from '../support/random.ts'

const NOW = 1_800_000_000
const SECRET = 'whsec_fuzzed'

const event = (random: Random): Record<string, unknown> => ({
  id: `evt_${random.below(1_000_000_000)}`,
  object: 'event',
  type: 'customer.updated',
  created: 1_700_000_000,
  livemode: false,
  api_version: '2026-10-28.endive',
  data: { object: { id: `cus_${random.below(1000)}`, object: 'customer', metadata: {} } },
})

/** What JSON can say and nobody expects. */
const oddities: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  '\u0000',
  '\ud800',
  '𝒳'.repeat(2000),
  "'; drop table provider_event; --",
  [],
  {},
  [[[[[]]]]],
  { $ref: '#' },
  { __proto__: { polluted: true } },
  { toString: 'no function' },
]

const raw: readonly string[] = [
  '',
  ' ',
  'null',
  '[]',
  '"text"',
  '{',
  '{"id":',
  '{"id":"evt_1","id":"evt_2"}',
  '{"__proto__":{"type":"x"},"constructor":{"prototype":{}}}',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  '\ufeff{}',
  '{"created":1e999}',
]

export interface BodyVerdict {
  readonly stored: number
  readonly breaches: readonly string[]
}

/**
 * Bodies that are truly signed and hold anything: fields that are missing, of another type, deep, long, or no JSON
 * at all. Each is stored or refused; what was answered otherwise, or broke something, is a breach.
 */
export async function fuzzBodies({
  runs,
  seed,
}: {
  readonly runs: number
  readonly seed: number
}): Promise<BodyVerdict> {
  const random = seeded(seed)
  const database = await newDatabase()
  try {
    const { call, logged } = await listening(database)
    const breaches: string[] = []
    for (let run = 0; run < runs; run += 1) {
      const payload = anyBody(random)
      const mac = createHmac('sha256', SECRET).update(`${NOW}.`).update(payload).digest('hex')
      const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${NOW},v1=${mac}` }
      const { status } = await call({ method: 'POST', url: '/webhooks/stripe', key: '', payload, headers })
      if (status !== 200 && status !== 400 && status !== 413)
        breaches.push(`seed ${seed}: answered ${status} to ${payload.toString('base64').slice(0, 200)}`)
    }
    breaches.push(...logged.filter((line) => line.includes('"level":50')))
    const { rows } = await database.pool.query('select count(*)::int as stored from provider_event')
    return { stored: rows[0].stored, breaches }
  } finally {
    await database.drop()
  }
}

async function listening(database: TestDatabase) {
  const clock = { now: () => NOW }
  const server = await newServer(database, { clock })
  const stripe = { livemode: false, webhookSecrets: [SECRET] }
  const parts = { db: database.db, clock, bell: newBell(), metrics: createMetrics() }
  const provider = { account: 'acct_ours', livemode: false }
  webhookRoutes(server.app, { ...parts, provider, config: { stripe } })
  return server
}

function anyBody(random: Random): Buffer {
  const odd = random.below(10)
  if (odd === 0) return Buffer.from(raw[random.below(raw.length)] ?? '')
  if (odd === 1) return Buffer.from(Array.from({ length: random.below(400) }, () => random.below(256)))
  const text = JSON.stringify(mutated(event(random), random))
  if (odd !== 2) return Buffer.from(text)
  const bytes = Buffer.from(text)
  bytes[random.below(bytes.length)] = random.below(256)
  return bytes
}

/** Some fields for something else, at any depth, or gone. */
function mutated(of: Record<string, unknown>, random: Random): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(of).flatMap(([name, value]): [string, unknown][] => {
      const roll = random.below(8)
      if (roll === 0) return []
      if (roll === 1) return [[name, oddities[random.below(oddities.length)]]]
      const isNested = typeof value === 'object' && value !== null && !Array.isArray(value)
      return [[name, isNested ? mutated(value as Record<string, unknown>, random) : value]]
    }),
  )
}
