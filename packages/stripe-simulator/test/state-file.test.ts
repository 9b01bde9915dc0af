import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { clientOf } from './clients.ts'
import { NO_REDIRECTS, newWorld, refusal } from './world.ts'

let folder: string
let stateFile: string
let files = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'))
})
beforeEach(() => {
  stateFile = join(folder, `state-${++files}.json`)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Makes these customers, one after the other. */
async function withCustomers(...names: string[]): Promise<void> {
  const world = await newWorld({ stateFile })
  for (const name of names) await world.stripe.customers.create({ name })
  await world.close()
}

async function customers(): Promise<(string | null | undefined)[]> {
  const world = await newWorld({ stateFile })
  const { data } = await world.stripe.customers.list()
  await world.close()
  return data.map(({ name }) => name).reverse()
}

test('a last record that was cut off is dropped, and the file goes on after the one before', async () => {
  await withCustomers('Ada', 'Grace')
  truncateSync(stateFile, statSync(stateFile).size - 10)
  expect(await customers()).toEqual(['Ada'])
  await withCustomers('Edsger')
  expect(await customers()).toEqual(['Ada', 'Edsger'])
})

test('a file that was cut off in its first line is a new one', async () => {
  writeFileSync(stateFile, '{"format":"str')
  expect(await customers()).toEqual([])
  await withCustomers('Ada')
  expect(await customers()).toEqual(['Ada'])
})

test('what is refused or only previewed changes nothing in the file', async () => {
  const world = await newWorld({ stateFile })
  const { id } = await world.customer()
  const price = await world.price(1000)
  const { size } = statSync(stateFile)
  await world.stripe.invoices.createPreview({
    customer: id,
    subscription_details: { items: [{ price: price.id }] },
  })
  await refusal(world.stripe.subscriptions.create({ customer: id, items: [] }))
  const written = readFileSync(stateFile, 'utf8').slice(size).trim().split('\n')
  // The answer of the preview is kept for its key; the refusal came before anything began.
  expect(written.map((line) => Object.keys(JSON.parse(line)))).toEqual([['counter', 'keys']])
  await world.close()
})

test.each([
  ['an older one', '{"format":1,"counter":4,"tables":{}}', 'written by an earlier version'],
  ['another program’s', '{"name":"lockstep"}\n', 'is not a state file of this simulator'],
  ['a text', 'Dear diary', 'is not a state file of this simulator'],
])('%s is refused and left as it was', async (_what, text, sentence) => {
  writeFileSync(stateFile, text)
  await expect(newWorld({ stateFile })).rejects.toThrow(sentence)
  expect(readFileSync(stateFile, 'utf8')).toBe(text)
})

test('damage in the middle is said with its place', async () => {
  await withCustomers('Ada')
  const { size } = statSync(stateFile)
  appendFileSync(stateFile, 'no record\n{"counter":1}\n')
  await expect(newWorld({ stateFile })).rejects.toThrow(
    `is damaged: what begins at byte ${size} is no record`,
  )
  truncateSync(stateFile, size)
  expect(await customers()).toEqual(['Ada'])
})

test('a second simulator on the same file is refused at its start, and the first one goes on', async () => {
  const first = await newWorld({ stateFile })
  await expect(newWorld({ stateFile, seed: 8 })).rejects.toThrow('of a simulator that runs already')
  await first.stripe.customers.create({ name: 'Ada' })
  await first.close()
  expect(await customers()).toEqual(['Ada'])
})

test('a change is refused, and not answered, where somebody else wrote to the file', async () => {
  const world = await newWorld({ stateFile })
  const { size } = statSync(stateFile)
  appendFileSync(stateFile, 'a line of another hand\n')
  expect((await refusal(world.stripe.customers.create({ name: 'Grace' }))).message).toContain(
    'was written or removed by somebody else',
  )
  await expect(world.close()).rejects.toThrow('by somebody else')
  truncateSync(stateFile, size)
  expect(await customers()).toEqual([])
})

test('a file that is mostly history is rewritten, and holds the same', async () => {
  const world = await newWorld({ stateFile })
  const { id } = await world.stripe.customers.create({ name: 'Ada' })
  let largest = 0
  let rewritten = false
  for (let i = 0; !rewritten; i++) {
    // Twenty fields of 500 letters; an event shows them twice, before and after.
    const metadata = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`field ${n}`, String(i).padEnd(500, '.')]),
    )
    await world.stripe.customers.update(id, { metadata })
    const { size } = statSync(stateFile)
    rewritten = size < largest
    largest = Math.max(largest, size)
  }
  const before = await world.stripe.events.list({ limit: 100 })
  await world.close()
  const again = await newWorld({ stateFile })
  const after = await again.stripe.events.list({ limit: 100 })
  expect(after.data).toEqual(before.data)
  expect((await again.stripe.customers.retrieve(id)).lastResponse.statusCode).toBe(200)
  await again.close()
})

// The interval alignment is checked when something is added or repriced; who had such a mix before can go on with it.
test('intervals that a subscription has mixed since an earlier version refuse no change of anything else', async () => {
  const before = await newWorld({ stateFile })
  const { id: customer } = await before.customer()
  const [month, other, third] = [await before.price(1000), await before.price(500), await before.price(200)]
  const { id, items } = await before.stripe.subscriptions.create({
    ...{ customer, items: [{ price: month.id }, { price: other.id }] },
  })
  await before.close()
  const old = readFileSync(stateFile, 'utf8').split('\n')
  const mixed = old.map((line) =>
    line.includes(other.id) && !line.includes(id)
      ? line.replaceAll('"interval":"month"', '"interval":"week"')
      : line,
  )
  writeFileSync(stateFile, mixed.join('\n'))
  const world = await newWorld({ stateFile })
  const { subscriptions } = world.stripe
  expect((await world.stripe.prices.retrieve(other.id)).recurring?.interval).toBe('week')
  const item = items.data[0]?.id as string
  expect(await subscriptions.update(id, { metadata: { a: 'b' } })).toMatchObject({ metadata: { a: 'b' } })
  await subscriptions.update(id, { items: [{ id: item, quantity: 2 }] })
  expect(await refusal(subscriptions.update(id, { items: [{ price: third.id }] }))).toMatchObject({
    param: 'items',
  })
  const ending = await subscriptions.update(id, { cancel_at_period_end: true })
  expect(ending.cancel_at_period_end).toBe(true)
  await world.close()
})

test('endpoints of a start go with it: another secret takes the place of the old one, and without them they are gone', async () => {
  const url = 'http://127.0.0.1:9/webhook'
  const told = async (...webhooks: { url: string; secret: string }[]) => {
    const world = await newWorld({ stateFile, webhooks, delivery: { mode: 'off' } })
    const { data } = await world.stripe.webhookEndpoints.list()
    await world.close()
    return data.map((endpoint) => [endpoint.id, endpoint.url] as const)
  }
  const made = await newWorld({ stateFile })
  const byHand = await made.stripe.webhookEndpoints.create({
    url: 'http://127.0.0.1:9/other',
    enabled_events: ['*'],
  })
  await made.close()
  const own = [byHand.id, byHand.url] as const
  const [[id] = []] = await told({ url, secret: 'whsec_one' })
  expect(await told({ url, secret: 'whsec_one' })).toEqual([[id, url], own])
  // The same endpoint: what waits for it is sent, signed with what is said now.
  expect(await told({ url, secret: 'whsec_two' })).toEqual([[id, url], own])
  expect(await told({ url, secret: 'whsec_two' }, { url, secret: 'whsec_three' })).toHaveLength(3)
  expect(await told()).toEqual([own])
})

/** The file with every row of a kind as another version of the simulator wrote it. */
function rewritten(kind: string, as: (row: Record<string, unknown>) => object): void {
  const lines = readFileSync(stateFile, 'utf8').split('\n')
  const older = lines.map((text) => {
    if (!text.includes(`"${kind}"`)) return text
    const change = JSON.parse(text)
    if (change.rows?.[kind] === undefined) return text
    return JSON.stringify({ ...change, rows: { ...change.rows, [kind]: change.rows[kind].map(as) } })
  })
  writeFileSync(stateFile, older.join('\n'))
}

test('what an earlier version kept of disputes and holds is read as it was meant', async () => {
  const payment = { amount: 1000, currency: 'usd', confirm: true, ...NO_REDIRECTS } as const
  const before = await newWorld({ stateFile })
  const { paymentIntents, disputes } = before.stripe
  const disputed = await paymentIntents.create({ ...payment, payment_method: 'pm_card_createDispute' })
  const [dispute] = (await disputes.list({ payment_intent: disputed.id })).data
  await disputes.update(dispute?.id ?? '', { evidence: { uncategorized_text: 'winning_evidence' } })
  await before.simulator.control.idle()
  const held = await paymentIntents.create({
    ...{ ...payment, payment_method: 'pm_card_visa', capture_method: 'manual' },
  })
  await paymentIntents.cancel(held.id)
  await before.close()
  // What was won said that it cannot be refunded, and could; what was held and let go counted as refunded.
  rewritten('disputes', (row) => ({ ...row, is_charge_refundable: false }))
  rewritten('charges', (row) =>
    row.payment_intent === held.id ? { ...row, amount_refunded: 1000, refunded: true } : row,
  )

  const after = await newWorld({ stateFile })
  expect(await after.stripe.disputes.retrieve(dispute?.id ?? '')).toMatchObject({ status: 'won' })
  expect(await after.stripe.refunds.create({ payment_intent: disputed.id })).toMatchObject({ amount: 1000 })
  const older = await (await clientOf(17, after.simulator.port)).charges.list({ payment_intent: held.id })
  expect(older.data).toMatchObject([{ amount: 1000, amount_refunded: 1000, refunded: true }])
  await after.close()
})

test('a card that ran out meanwhile can still be said to be another holder’s', async () => {
  const before = await newWorld({ stateFile })
  const { id, default_source: card } = await before.stripe.customers.create({ source: 'tok_visa' })
  await before.close()
  rewritten('paymentMethods', (row) => ({ ...row, card: { ...(row.card as object), exp_year: 2020 } }))
  const after = await newWorld({ stateFile })
  const { customers } = after.stripe
  const changed = await customers.updateSource(id, card as string, { name: 'Ada', metadata: { seat: '7' } })
  expect(changed).toMatchObject({ name: 'Ada', metadata: { seat: '7' }, exp_year: 2020 })
  expect(await refusal(customers.updateSource(id, card as string, { exp_month: '12' }))).toMatchObject({
    code: 'invalid_expiry_year',
  })
  await after.close()
})

test('what takes the id of something deleted is as new after a start as before it', async () => {
  const before = await newWorld({ stateFile })
  const { coupons, products } = before.stripe
  const listed = async ({ stripe }: typeof before) => [
    (await stripe.coupons.list()).data.map(({ id }) => id),
    (await stripe.products.list()).data.map(({ id }) => id),
  ]
  for (const id of ['first', 'second']) {
    await coupons.create({ id, percent_off: 10, duration: 'once' })
    await products.create({ id, name: id })
  }
  await coupons.del('first')
  await coupons.create({ id: 'first', percent_off: 20, duration: 'once' })
  await products.del('first')
  await products.create({ id: 'first', name: 'again' })
  const newestFirst = ['first', 'second']
  expect(await listed(before)).toEqual([newestFirst, newestFirst])
  await before.close()
  const after = await newWorld({ stateFile })
  expect(await listed(after)).toEqual([newestFirst, newestFirst])
  await after.close()
})
