import { afterAll, expect, test } from 'vitest'
import { billingRoutes } from '../src/http/routes/billing.ts'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { startBoss } from '../src/jobs/boss.ts'
import { addUpSum, announceSum } from '../src/store/usage-sums.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'
import { at } from './support/usage-world.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
invoiceRoutes(server.app, world.deps)
const boss = await startBoss({ databaseUrl: world.url, log: world.deps.log }, { supervise: false })
billingRoutes(server.app, { ...world.deps, boss })
const ada = await world.register('tiered', '2026-01-10T00:00:00Z')
await world.turn(ada, '2026-01-20T00:00:00Z')
await world.deliver()
await world.use(ada, '115', '2026-01-11T00:00:00Z')
afterAll(() => boss.stop({ graceful: true, timeout: 5000 }))

const get = (url: string) => server.call({ method: 'GET', url })
const post = (url: string) => server.call({ method: 'POST', url })
const usd = (minor: number) => ({
  amount: (minor / 100).toFixed(2),
  minor: String(minor),
  currency: 'usd',
})

async function current(): Promise<string> {
  return (await world.read(ada, 'current')).invoice.id
}

test('what is added up ahead changes no letter of what is read', async () => {
  const paths = [`/v1/invoices/${await current()}`, `/v1/customers/${ada.customerId}/billing`]
  const read = () => Promise.all(paths.map(async (path) => JSON.stringify((await get(path)).body)))
  const before = await read()
  const stretch = {
    customerId: ada.customerId,
    starts: at('2026-01-10T00:00:00Z'),
    until: at('2026-01-19T00:00:00Z'),
  }
  for (let isSummed = false; !isSummed; ) {
    const announced = await announceSum(world.deps.db, stretch)
    isSummed = announced !== undefined && (await addUpSum(world.deps.db, announced))
  }
  expect(await read()).toEqual(before)
  await world.deps.db.deleteFrom('usageSum').execute()
})

test('the overview has it all in one read: lines, reasons, sums, and whether the provider knows', async () => {
  const { status, body } = await get(`/v1/customers/${ada.customerId}/billing`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    customer: { id: ada.customerId, externalId: ada.externalId, currency: 'usd' },
    stale: true,
    syncRequested: true,
    syncedAt: null,
    subscriptions: [
      {
        subscription: { id: ada.subscriptionId, status: 'active', providerId: ada.subscription },
        closingInvoices: [],
        currentInvoice: {
          status: 'current',
          externalId: ada.externalId,
          period: { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' },
          // 100 at 0.10 and 15 at 0.01; 10 % of that and of the fee; the next month's fee.
          subtotal: usd(1015 + 302 + 2000),
          total: usd(1015 + 302 + 2000),
          amountDue: usd(1015 + 302 + 2000),
          ...{ discounts: [], unknown: [], tax: { amount: usd(0), certainty: 'certain' } },
          stale: true,
          lines: [
            {
              id: 'compute',
              key: 'compute',
              description: 'Seconds: 115 second',
              quantity: '115',
              unitLabel: 'second',
              amount: usd(1015),
              late: false,
              derivation: { measured: { events: '1', quantity: '115' }, rounded: '10.15' },
              providerId: null,
            },
            { id: 'support', key: 'support', quantity: null, amount: usd(302) },
            {
              id: 'upcoming.fee',
              key: 'fee',
              amount: usd(2000),
              period: { start: '2026-02-10T00:00:00Z', end: '2026-03-10T00:00:00Z' },
              derivation: null,
            },
          ],
        },
      },
    ],
  })
})

test('a line is explained in words that a person can check', async () => {
  const { body } = await get(`/v1/invoices/${await current()}/lines/compute/derivation`)
  expect((body as { explanation: string[] }).explanation).toEqual([
    'compute: Seconds, 2026-01-10T00:00:00Z … 2026-02-10T00:00:00Z',
    'compute: 115 second measured (sum of 1 event)',
    'tier 1 (0 … 100): 100 × 0.1 = 10',
    'tier 2 (over 100): 15 × 0.01 = 0.15',
    'sum: 10.15',
    'rounded once, half away from zero: 10.15 → 10.15 usd',
  ])
  const fee = await get(`/v1/invoices/${await current()}/lines/upcoming.fee/derivation`)
  expect(fee.body).toMatchObject({
    derivation: null,
    explanation: ['Tiered: the payment provider computed this amount.'],
  })
  expect(await get(`/v1/invoices/${await current()}/lines/none/derivation`)).toMatchObject({ status: 404 })
})

test('a dry run says the calls; the sync makes them; a second one has none to make', async () => {
  const id = await current()
  const planned = {
    invoice: id,
    create: [
      {
        line: 'compute',
        originInvoice: id,
        revision: 0,
        quantity: '115',
        amount: usd(1015),
        providerId: null,
      },
      { line: 'support', originInvoice: id, revision: 0, quantity: null, amount: usd(302) },
    ],
    update: [],
    remove: [],
    keep: [],
    calls: 2,
  }
  expect(await post(`/v1/invoices/${id}/sync?dryRun=true`)).toMatchObject({
    status: 200,
    body: { ...planned, dryRun: true },
  })
  expect(await post(`/v1/invoices/${id}/sync`)).toMatchObject({
    status: 200,
    body: { ...planned, dryRun: false },
  })
  const calls = await world.requests(async () => {
    expect(await post(`/v1/invoices/${id}/sync`)).toMatchObject({ body: { calls: 0, create: [] } })
  })
  expect(calls).toEqual([])
  expect((await get(`/v1/invoices/${id}`)).body).toMatchObject({
    stale: false,
    syncedAt: '2026-01-01T00:00:00Z',
    lines: [{ providerId: expect.stringMatching(/^ii_/) }, {}, {}],
  })
  expect(await post(`/v1/invoices/${id}/sync?dryRun=true`)).toMatchObject({
    body: {
      calls: 0,
      keep: [
        { line: 'support', amount: usd(302) },
        { line: 'compute', amount: usd(1015) },
      ],
    },
  })
})

test('a final invoice says what Stripe finalized, and does not change', async () => {
  await world.turn(ada, '2026-02-10T02:00:00Z')
  await world.deliver()
  const list = await get(`/v1/invoices?customer=${ada.customerId}&status=paid`)
  const { data } = list.body as { data: { id: string; number: string; total: { minor: string } }[] }
  expect(data.map(({ total }) => total.minor).sort()).toEqual(['2000', '3317'])
  const paid = data.find(({ total }) => total.minor === '3317')?.id
  expect((await get(`/v1/invoices/${paid}`)).body).toMatchObject({
    status: 'paid',
    amountPaid: usd(3317),
    hostedInvoiceUrl: expect.any(String),
    lines: expect.arrayContaining([
      expect.objectContaining({ key: 'compute', amount: usd(1015), quantity: '115', unitLabel: 'second' }),
    ]),
  })
  expect(await post(`/v1/invoices/${paid}/sync`)).toMatchObject({
    status: 409,
    body: { code: 'invoice_frozen' },
  })
})

test('where it is asked for, an invoice answers with its link, and one that is not at Stripe yet with none', async () => {
  const { body } = await get(`/v1/invoices?customer=${ada.customerId}&expand=mappings`)
  type Linked = { id: string; status: string; providerId: string | null; mappings: object[] }
  const { data } = body as { data: Linked[] }
  expect(data.map(({ status }) => status).sort()).toEqual(['current', 'paid', 'paid'])
  for (const { id, status, providerId, mappings } of data) {
    const link = {
      entityType: 'invoice',
      entityId: id,
      provider: 'stripe',
      providerType: 'invoice',
      providerId,
    }
    expect(mappings).toMatchObject(
      status === 'current' ? [] : [{ ...link, livemode: false, origin: 'webhook' }],
    )
    expect(mappings).toHaveLength(status === 'current' ? 0 : 1)
    expect((await get(`/v1/invoices/${id}?expand=mappings`)).body).toMatchObject({ mappings })
  }
  const [plain] = ((await get(`/v1/invoices?customer=${ada.customerId}`)).body as { data: object[] }).data
  expect(plain).not.toHaveProperty('mappings')
})

test('what does not exist is not found', async () => {
  expect(await get('/v1/invoices/invoice_none')).toMatchObject({
    status: 404,
    body: { code: 'invoice_not_found' },
  })
  expect(await post('/v1/invoices/invoice_none/sync')).toMatchObject({ status: 404 })
  expect(await get('/v1/customers/customer_none/billing')).toMatchObject({
    status: 404,
    body: { code: 'customer_not_found' },
  })
})

test('Stripe away: the caller is told, and the invoice says why it was not sent', async () => {
  await world.use(ada, '1', '2026-02-10T01:00:00Z')
  world.simulator.control.fail({ kind: 'error_500', times: 100 })
  const id = await current()
  expect(await post(`/v1/invoices/${id}/sync`)).toMatchObject({
    status: 503,
    body: { code: 'provider_unavailable' },
  })
  world.simulator.control.clearFaults()
  expect((await get(`/v1/invoices/${id}`)).body).toMatchObject({
    stale: true,
    syncProblem: { code: 'provider_unavailable' },
  })
  expect(await post(`/v1/invoices/${id}/sync`)).toMatchObject({ status: 200, body: { calls: 2 } })
  expect((await get(`/v1/invoices/${id}`)).body).toMatchObject({ stale: false, syncProblem: null })
})

test('a part that was billed before is told with the part that is left, and so is what cannot be charged', async () => {
  const bee = await world.register('dinar', '2026-01-10T00:00:00Z')
  await world.turn(bee, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(bee, '1233', '2026-01-11T00:00:00Z')
  await world.sync(bee)
  await world.turn(bee, '2026-02-10T02:00:00Z')
  await world.deliver()
  await world.use(bee, '12', '2026-01-12T00:00:00Z')
  const words = async (status: 'paid' | 'current') => {
    const { invoice, lines } = await world.read(bee, status)
    const line = lines.find(({ key }) => key === 'compute')?.id
    const { body } = await get(`/v1/invoices/${invoice.id}/lines/${line}/derivation`)
    return (body as { explanation: string[] }).explanation.slice(2)
  }
  const final = (await world.invoices(bee)).find(({ total }) => total === 3230n)
  const { body } = await get(`/v1/invoices/${final?.id}`)
  const sent = (body as { lines: { id: string; key: string }[] }).lines.find(({ key }) => key === 'compute')
  const { body: explained } = await get(`/v1/invoices/${final?.id}/lines/${sent?.id}/derivation`)
  expect((explained as { explanation: string[] }).explanation.slice(2)).toEqual([
    'per unit: 1,233 × 0.001 = 1.233',
    'rounded once, half away from zero: 1.233 → 1.233 kwd',
    'charged in steps of 0.010: 1.233 → 1.230 kwd',
  ])
  expect(await words('current')).toEqual([
    'per unit: 1,245 × 0.001 = 1.245',
    'rounded once, half away from zero: 1.245 → 1.245 kwd',
    'charged in steps of 0.010: 1.245 → 1.250 kwd',
    'billed before: -1.230 kwd',
    'left: 0.020 kwd',
  ])
})
