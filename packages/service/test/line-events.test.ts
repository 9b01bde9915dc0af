import { expect, test } from 'vitest'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { correctUsage } from '../src/usage/correct.ts'
import { newMonths } from '../src/usage/months.ts'
import { openUsage } from '../src/usage/usage.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
invoiceRoutes(server.app, world.deps)
const usage = await shared(openUsage({ ...world.deps, databaseUrl: world.url }))
const ada = await world.register('tiered', '2026-01-10T00:00:00Z')
await world.turn(ada, '2026-01-20T00:00:00Z')
await world.deliver()
const invoice = (await world.read(ada, 'current')).invoice.id

interface Explained {
  readonly events: {
    readonly data: { readonly id: string; readonly time: string; readonly quantity: string }[]
    readonly hasMore: boolean
    readonly nextCursor: string | null
  } | null
  readonly corrections: object[]
  readonly explanation: string[]
  readonly derivation: { readonly measured: { readonly events: string } | null }
}

async function explain(line: string, query = '', of = invoice): Promise<Explained> {
  const { body } = await server.call({
    method: 'GET',
    url: `/v1/invoices/${of}/lines/${line}/derivation?${query}`,
  })
  return body as Explained
}

/** Every page from the first to the last. */
async function pages(line: string, limit: number): Promise<string[][]> {
  const found: string[][] = []
  for (let after: string | null = ''; after !== null; ) {
    const { events } = await explain(line, `limit=${limit}${after && `&after=${after}`}`)
    found.push((events?.data ?? []).map(({ id }) => id))
    after = events?.nextCursor ?? null
  }
  return found
}

const event = (id: string, time: string, quantity = '1', source = 'cluster') => ({
  ...{ specversion: '1.0', source, id, type: 'seconds', subject: ada.externalId, time, data: { quantity } },
})

test('the events of a line are paged in their order, none twice and none left out', async () => {
  const sent = [
    // Of one microsecond, in some order that stays.
    ...Array.from({ length: 7 }, (_, i) => event(`tie-${i}`, '2026-01-11T10:00:00.5Z')),
    event('same-id', '2026-01-11T10:00:00.5Z', '1', 'other'),
    event('same-id', '2026-01-11T10:00:00.5Z', '1', 'third'),
    ...Array.from({ length: 5 }, (_, i) => event(`day-${i}`, `2026-01-${12 + i}T23:59:59Z`, '2.50')),
    event('first', '2026-01-10T00:00:00Z'),
    // Of other periods, and not of this line.
    event('before', '2026-01-09T23:59:59Z'),
  ]
  await usage.take(sent)
  for (const limit of [1, 2, 3, 14, 15, 100]) {
    const found = await pages('compute', limit)
    expect(found.slice(0, -1).every((page) => page.length === limit)).toBe(true)
    const ids = found.flat()
    expect(ids[0]).toBe('first')
    expect(ids.slice(1, 10).toSorted()).toEqual(
      sent
        .slice(0, 9)
        .map(({ id }) => id)
        .toSorted(),
    )
    expect(ids.slice(10)).toEqual(['day-0', 'day-1', 'day-2', 'day-3', 'day-4'])
  }
  const { events, derivation } = await explain('compute', 'limit=100')
  expect(events?.data.at(-1)).toEqual({
    ...{ source: 'cluster', id: 'day-4', time: '2026-01-16T23:59:59Z', quantity: '2.5' },
  })
  expect(derivation.measured?.events).toBe(String(events?.data.length))
})

test('what is not measured has no events', async () => {
  expect(await explain('support')).toMatchObject({ events: null, corrections: [] })
  expect(await explain('upcoming.fee')).toMatchObject({ events: null, corrections: [] })
})

test('a correction is told with the line that says it, and not with one that was final before', async () => {
  const { db, clock } = world.deps
  const correct = (id: string, quantity: bigint | null) => {
    const named = { source: 'cluster', id: 'day-0', time: Date.parse('2026-01-12T23:59:59Z') / 1000 }
    const wanted =
      quantity === null
        ? ({ kind: 'void', event: named } as const)
        : ({ kind: 'amend', event: named, quantity } as const)
    const deed = { id: `usage_correction_${id}`, by: 'key', agent: null, reason: 'Ticket 4711' }
    return correctUsage({ db, clock, months: newMonths({ db }) }, wanted, deed, { dryRun: false })
  }
  await correct('a', 4_000_000_000n)
  const first = 'corrected 2026-01-20T00:00:00Z: event day-0 of 2026-01-12T23:59:59Z, 2.5 → 4'
  expect((await explain('compute')).explanation.at(-1)).toBe(first)

  await world.sync(ada)
  await world.turn(ada, '2026-02-10T02:00:00Z')
  await world.deliver()
  const { lines } = await world.read(ada, 'paid')
  const billed = lines.find(({ key }) => key === 'compute')?.id ?? ''
  await correct('b', null)
  const final = await explain(billed)
  expect(final.explanation.at(-1)).toBe(first)
  expect(JSON.stringify(final)).not.toContain('4711')

  const current = (await world.read(ada, 'current')).invoice.id
  // 4 seconds at 0.10 less.
  const { explanation, corrections } = await explain(`${invoice}.compute`, '', current)
  expect(explanation.slice(-4)).toEqual([
    'billed before: -2.40 usd',
    'left: -0.40 usd',
    first,
    'corrected 2026-02-10T02:00:00Z: event day-0 of 2026-01-12T23:59:59Z, 4 → nothing',
  ])
  expect(corrections).toHaveLength(2)
})
