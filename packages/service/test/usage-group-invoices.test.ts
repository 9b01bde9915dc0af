import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { usageRoutes } from '../src/http/routes/usage.ts'
import { usageCorrectionRoutes } from '../src/http/routes/usage-corrections.ts'
import { correctUsage } from '../src/usage/correct.ts'
import { newMonths } from '../src/usage/months.ts'
import { openUsage } from '../src/usage/usage.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: {
        cpu: { name: 'CPU', unitLabel: 'second', aggregation: 'sum', dimensions: ['region', 'app'] },
      },
      plans: {
        cloud: {
          name: 'Cloud',
          product: 'cloud',
          interval: 'month',
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
            cpu: {
              ...{ meter: 'cpu', model: 'perUnit', unitAmount: '0.01' },
              ...{ groupBy: ['region'], unitAmounts: { eu: '0.02' } },
            },
          },
        },
        whole: {
          name: 'Whole',
          product: 'cloud',
          interval: 'month',
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
            cpu: { meter: 'cpu', model: 'perUnit', unitAmount: '0.01' },
          },
        },
      },
    }),
  }),
)
const server = await newServer(world.deps, { clock: world.deps.clock })
invoiceRoutes(server.app, world.deps)
usageRoutes(server.app, world.deps)
const usage = await shared(openUsage({ ...world.deps, databaseUrl: world.url }))
usageCorrectionRoutes(server.app, { ...world.deps, usage })

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

const voidEvent = (id: string, time: string) =>
  correctUsage(
    { db: world.db, clock: world.deps.clock, months: newMonths(world.deps) },
    { kind: 'void', event: { source: 'test', id, time: Date.parse(time) / 1000 } },
    { id: `usage_correction_${id}`, by: 'test', agent: null, reason: 'It never ran' },
    { dryRun: false },
  )

const idOfLast = async () => {
  const { rows } = await world.pool.query<{ id: string }>(
    `select id from usage_event order by length(id) desc, id desc limit 1`,
  )
  return rows[0]?.id ?? ''
}

test('each region is a line and an item at Stripe, changed and taken back by itself', async () => {
  const ada = await world.register('cloud', '2026-01-10T00:00:00Z')
  await go(ada, '2026-01-20T00:00:00Z')
  const use = (quantity: string, data: Record<string, string>, time = '2026-01-15T10:00:00Z') =>
    world.use(ada, quantity, time, 'cpu', data)
  await use('100', { region: 'eu', app: 'web' })
  await use('50', { region: 'eu', app: 'api' })
  await use('30', { region: 'us', app: 'web' })
  await use('7', { app: 'web' })
  expect(amounts(await world.read(ada, 'current'))).toEqual([
    '300 CPU, eu: 150 second',
    '30 CPU, us: 30 second',
    '7 CPU, no region: 7 second',
    '2000 Cloud',
  ])
  expect((await world.sync(ada))?.calls).toBe(3)
  await use('1', { region: 'us' })
  const plan = await world.sync(ada)
  expect([plan?.update.length, plan?.create.length, plan?.remove.length]).toEqual([1, 0, 0])
  expect(await world.sync(ada)).toBeUndefined()

  // The derivation says which group, and only its events stand behind it.
  const current = await world.read(ada, 'current')
  const eu = current.lines[0]
  const { body } = await server.call({
    method: 'GET',
    url: `/v1/invoices/${current.invoice.id}/lines/${eu?.id}/derivation`,
  })
  const explained = body as unknown as {
    derivation: { measured: { group: object } }
    events: { data: { quantity: string }[] }
    explanation: string[]
  }
  expect(explained.derivation.measured.group).toEqual({ region: 'eu' })
  expect(explained.events.data.map(({ quantity }) => quantity).sort()).toEqual(['100', '50'])
  expect(explained.explanation[1]).toBe('cpu: 150 second measured (sum of 2 events, region eu)')
  // Whoever does not know what its lines are called is told.
  const unnamed = await server.call({
    method: 'GET',
    url: `/v1/invoices/${current.invoice.id}/lines/cpu/derivation`,
  })
  const ids = current.lines.map(({ id }) => id)
  expect(ids.filter((id) => id.startsWith('cpu_G'))).toHaveLength(3)
  expect(unnamed).toMatchObject({
    status: 404,
    body: { detail: `Invoice ${current.invoice.id} has no line cpu, it has: ${ids.join(', ')}.` },
  })

  await go(ada, '2026-02-10T00:00:00Z')
  await go(ada, '2026-02-10T01:00:01Z')
  const paid = await world.read(ada, 'paid')
  expect(paid.total.minor).toBe(300n + 31n + 7n + 2000n)
  // A final line has an id of its own, and its key goes on to name it.
  const final = await server.call({
    method: 'GET',
    url: `/v1/invoices/${paid.invoice.id}/lines/${eu?.id}/derivation`,
  })
  expect(final).toMatchObject({ status: 200, body: { line: { key: eu?.id, quantity: '150' } } })

  // After the invoice: what had no region never ran, and a new region comes late.
  await use('5', { region: 'asia' }, '2026-02-01T00:00:00Z')
  await use('9', {}, '2026-02-01T01:00:00Z')
  await voidEvent(await idOfLast(), '2026-02-01T01:00:00Z')
  await go(ada, '2026-02-20T00:00:00Z')
  expect(amounts(await world.read(ada, 'current'))).toEqual([
    '5 CPU, asia: 5 second, reported late for 2026-01-10 to 2026-02-10',
    '2000 Cloud',
  ])

  // Of two periods on one final invoice the key names both, and either is found by its id.
  await use('3', { region: 'asia' }, '2026-02-15T00:00:00Z')
  await world.sync(ada)
  await go(ada, '2026-03-10T00:00:00Z')
  await go(ada, '2026-03-10T01:00:01Z')
  const { invoice, lines } = await world.read(ada, 'paid')
  const asian = lines.filter(({ description }) => description.includes('asia'))
  expect(asian.map(({ amount }) => amount.minor)).toEqual([5n, 3n])
  const several = await server.call({
    method: 'GET',
    url: `/v1/invoices/${invoice.id}/lines/${asian[0]?.key}/derivation`,
  })
  const named = `has 2 lines ${asian[0]?.key}, ask for one by its id: ${asian.map(({ id }) => id).join(', ')}.`
  expect(several).toMatchObject({ status: 404, body: { detail: `Invoice ${invoice.id} ${named}` } })
})

test('a group that was billed and is all taken back is given back', async () => {
  const ben = await world.register('cloud', '2026-01-10T00:00:00Z')
  await go(ben, '2026-01-20T00:00:00Z')
  await world.use(ben, '40', '2026-01-15T10:00:00Z', 'cpu', { region: 'us' })
  const id = await idOfLast()
  await world.sync(ben)
  await go(ben, '2026-02-10T00:00:00Z')
  await go(ben, '2026-02-10T01:00:01Z')
  const correction = {
    kind: 'void',
    source: 'test',
    id,
    time: '2026-01-15T10:00:00Z',
    reason: 'It never ran',
  }
  for (const [dryRun, status] of [
    [true, 200],
    [false, 201],
  ] as const) {
    const url = `/v1/usage-corrections?dryRun=${dryRun}`
    const answer = await server.call({ method: 'POST', url, payload: correction })
    expect(answer.status).toBe(status)
    const { invoices } = answer.body as unknown as { invoices: { lines: { line: string }[] }[] }
    // Of groups it is the group's line that changes.
    expect(invoices[0]?.lines).toMatchObject([
      { line: expect.stringMatching(/^cpu_G/), quantity: { before: '40', after: '0' } },
    ])
  }
  expect(amounts(await world.read(ben, 'current'))).toEqual([
    '-40 CPU, us: -40 second, corrected for 2026-01-10 to 2026-02-10',
    '2000 Cloud',
  ])
})

test('where the price takes all together, the groups are shown behind the line and in the usage', async () => {
  const eve = await world.register('whole', '2026-01-10T00:00:00Z')
  await go(eve, '2026-01-20T00:00:00Z')
  await world.use(eve, '3', '2026-01-15T10:00:00Z', 'cpu', { region: 'eu', app: 'web' })
  await world.use(eve, '4', '2026-01-15T10:00:00Z', 'cpu', { region: 'us', app: 'web' })
  const current = await world.read(eve, 'current')
  expect(amounts(current)[0]).toBe('7 CPU: 7 second')
  const derivation = await server.call({
    method: 'GET',
    url: `/v1/invoices/${current.invoice.id}/lines/cpu/derivation`,
  })
  expect((derivation.body as { groups: object[] }).groups).toEqual([
    { dimensions: { app: 'web', region: 'us' }, quantity: '4', events: 1 },
    { dimensions: { app: 'web', region: 'eu' }, quantity: '3', events: 1 },
  ])
  const usage = async (query: string) => {
    const { status, body } = await server.call({
      method: 'GET',
      url: `/v1/usage?customer=${eve.customerId}&meter=cpu&${query}`,
    })
    return status === 200
      ? (body as { data: { dimensions?: object; quantity: string }[] }).data.map(
          ({ dimensions, quantity }) => ({
            ...dimensions,
            quantity,
          }),
        )
      : status
  }
  expect(await usage('by=region')).toEqual([
    { region: 'eu', quantity: '3' },
    { region: 'us', quantity: '4' },
  ])
  expect(await usage('by=app&only=region:eu')).toEqual([{ app: 'web', quantity: '3' }])
  expect(await usage('only=app')).toEqual([])
  expect(await usage('by=planet')).toBe(400)
})

// 102 regions r000 … r101 use 1 … 102 at 0.01 (5253 in all), 99 + 1 lines: 100 of their own, 2 are the others: 1 + 2.
test('beyond a hundred regions the least are one item at Stripe, and what comes late to them is too', async () => {
  const fay = await world.register('cloud', '2026-01-10T00:00:00Z')
  await go(fay, '2026-01-20T00:00:00Z')
  const region = (n: number) => `r${String(n).padStart(3, '0')}`
  const use = (n: number, quantity: string) =>
    world.use(fay, quantity, '2026-01-15T10:00:00Z', 'cpu', { region: region(n) })
  for (let n = 0; n < 102; n += 1) await use(n, `${n + 1}`)
  expect((await world.sync(fay))?.calls).toBe(101)
  const line = async (what: string) =>
    amounts(await world.read(fay, 'current')).filter((one) => one.includes(what))
  expect(await line('others')).toEqual(['3 CPU, others: 3 second'])

  // r000 becomes greater than r002, which goes to the others: r001 and r002, 2 + 3.
  await use(0, '9')
  const plan = await world.sync(fay)
  expect([plan?.remove.length, plan?.update.length, plan?.create.length]).toEqual([1, 1, 1])
  expect(await world.sync(fay)).toBeUndefined()
  expect(await line('others')).toEqual(['5 CPU, others: 5 second'])

  await go(fay, '2026-02-10T00:00:00Z')
  await go(fay, '2026-02-10T01:00:01Z')
  const paid = await world.read(fay, 'paid')
  expect(paid.lines).toHaveLength(102)
  expect(paid.total.minor).toBe(5253n + 9n + 2000n)

  // Late: what is of the others stays with them, new ones go there too, and a line of its own goes on.
  await use(1, '50')
  await use(200, '4')
  await use(101, '6')
  expect((await line('reported late')).sort()).toEqual([
    '54 CPU, others: 54 second, reported late for 2026-01-10 to 2026-02-10',
    '6 CPU, r101: 6 second, reported late for 2026-01-10 to 2026-02-10',
  ])
  // Behind it stand the groups that have no line of their own on any invoice: r001 52, r200 4, r002 3.
  const late = await world.read(fay, 'current')
  const { body } = await server.call({
    method: 'GET',
    url: `/v1/invoices/${late.invoice.id}/lines/${late.lines.find(({ key }) => key === 'cpu_Other')?.id}/derivation`,
  })
  const behind = body as unknown as {
    groups: { dimensions: object; quantity: string }[]
    events: { data: object[] }
  }
  expect(behind.groups.map(({ dimensions, quantity }) => ({ ...dimensions, quantity }))).toEqual([
    { region: 'r001', quantity: '52' },
    { region: 'r200', quantity: '4' },
    { region: 'r002', quantity: '3' },
  ])
  expect(behind.events.data).toHaveLength(4)
})
