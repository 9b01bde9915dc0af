import { createHmac } from 'node:crypto'
import { type Random, seeded } from '../support/random.ts'

/** Answers one delivery, whatever takes it: the status. */
export type Post = (body: Buffer, signature: string) => Promise<number>

export interface BodyFuzz {
  readonly runs: number
  readonly seed: number
  readonly secret: string
  /** Of whoever checks the signature. */
  readonly now: number
  readonly post: Post
}

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

/**
 * Bodies that are truly signed and hold anything: fields that are missing, of another type, deep, long, or no JSON
 * at all. What was answered with anything but a 2xx or a refusal.
 */
export async function fuzzBodies({ runs, seed, secret, now, post }: BodyFuzz): Promise<string[]> {
  const random = seeded(seed)
  const breaches: string[] = []
  for (let run = 0; run < runs; run += 1) {
    const body = anyBody(random)
    const mac = createHmac('sha256', secret).update(`${now}.`).update(body).digest('hex')
    const status = await post(body, `t=${now},v1=${mac}`)
    if (status !== 200 && status !== 400 && status !== 413)
      breaches.push(`seed ${seed}: answered ${status} to ${body.toString('base64').slice(0, 200)}`)
  }
  return breaches
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
