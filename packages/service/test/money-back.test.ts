import { describe, expect, test } from 'vitest'
import { creditNoteRoutes } from '../src/http/routes/credit-notes.ts'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { refundRoutes } from '../src/http/routes/refunds.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { workflowKinds } from '../src/workflow/kinds.ts'
import { makeWorkflows } from '../src/workflow/workflows.ts'
import { type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { mortalConnection } from './support/mortal.ts'
import { newServer, type TestServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await shared(serverOf(world.deps))

async function serverOf(deps: BillingWorld['deps']): Promise<TestServer & { close(): Promise<void> }> {
  const workflows = makeWorkflows(
    deps,
    workflowKinds({ ...deps, drainInbox: async () => {}, doDue: async () => 0 } as never),
  )
  const made = await newServer(deps, { clock: deps.clock })
  for (const register of [invoiceRoutes, refundRoutes, creditNoteRoutes])
    register(made.app, { ...deps, workflows })
  return { ...made, close: () => workflows.close() }
}

/** A payer whose first invoice, of 20.00 dollars or 2,000 yen, was paid. */
async function paid(plan = 'plain', paymentMethod = 'pm_card_visa') {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z', { paymentMethod })
  await world.deliver()
  const { invoice } = await world.read(payer, 'paid')
  const provider = invoice.providerInvoiceId ?? ''
  const { data } = await world.stripe.invoicePayments.list({ invoice: provider })
  return { payer, invoice: invoice.id, provider, payment: idOf(data[0]?.payment.payment_intent ?? '') }
}

type Body = Record<string, { minor: string }> & { status: string; id: string; data: Body[] }

async function ask(
  method: 'GET' | 'POST',
  url: string,
  payload?: object,
  key?: string,
  on: TestServer = server,
) {
  const { status, body } = await on.call({
    method,
    url,
    ...(payload && { payload }),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })
  return { status, body: body as Body }
}

const refund = (invoice: string, payload: object, key?: string, on: TestServer = server) =>
  ask('POST', `/v1/invoices/${invoice}/refunds?dryRun=false`, payload, key, on)
const credit = (invoice: string, payload: object, key?: string, on: TestServer = server) =>
  ask('POST', `/v1/invoices/${invoice}/credit-notes?dryRun=false`, payload, key, on)
const listed = async (invoice: string, what: 'refunds' | 'credit-notes') =>
  (await ask('GET', `/v1/invoices/${invoice}/${what}?limit=100`)).body.data

async function refundedAtStripe(payment: string): Promise<number> {
  const refunds = await world.stripe.refunds
    .list({ payment_intent: payment, limit: 100 })
    .autoPagingToArray({ limit: 1000 })
  return refunds.reduce((sum, { amount, status }) => sum + (status === 'failed' ? 0 : amount), 0)
}

const balanceOf = async ({ customer }: Payer): Promise<number> => {
  const found = await world.stripe.customers.retrieve(customer)
  return found.deleted ? Number.NaN : found.balance
}

const usd = (minor: number) => ({ amount: (minor / 100).toFixed(2), minor: `${minor}`, currency: 'usd' })

describe('a refund', () => {
  test('is previewed, then given as previewed, in parts, and never more than was paid', async () => {
    const { invoice, payment } = await paid()
    const preview = await ask('POST', `/v1/invoices/${invoice}/refunds`, {})
    expect(preview).toEqual({
      status: 200,
      body: { invoice, amount: usd(2000), left: usd(0), creditedSince: usd(0) },
    })
    expect(await refundedAtStripe(payment)).toBe(0)

    const first = await refund(invoice, { amount: '7.50', reason: 'duplicate' })
    expect(first).toMatchObject({
      status: 201,
      body: { invoice, amount: usd(750), status: 'succeeded', reason: 'duplicate', creditNote: null },
    })
    const second = await ask('POST', `/v1/invoices/${invoice}/refunds`, { amount: '12.00' })
    expect(second.body).toMatchObject({ amount: usd(1200), left: usd(50) })
    expect((await refund(invoice, { amount: '12.00' })).status).toBe(201)
    for (const dryRun of [true, false]) {
      const url = `/v1/invoices/${invoice}/refunds?dryRun=${dryRun}`
      expect(await ask('POST', url, { amount: '0.51' })).toMatchObject({
        status: 422,
        body: { code: 'refund_exceeds_payment', errors: [{ pointer: '#/amount' }] },
      })
    }
    expect((await refund(invoice, { amount: '0.50' })).status).toBe(201)
    expect(await refundedAtStripe(payment)).toBe(2000)
    expect((await listed(invoice, 'refunds')).map(({ amount }) => amount?.minor)).toEqual([
      '50',
      '1200',
      '750',
    ])
  })

  test('names its amount, in coins that there are', async () => {
    const { invoice } = await paid('yen')
    const pointers = async (payload: object) => {
      const { status, body } = await refund(invoice, payload)
      return [status, body.errors]
    }
    expect(await pointers({})).toEqual([
      400,
      [expect.objectContaining({ pointer: '#/amount', code: 'required' })],
    ])
    for (const amount of ['0', '0.5', '10.00'])
      expect(await pointers({ amount })).toEqual([
        400,
        [expect.objectContaining({ pointer: '#/amount', code: 'amount_invalid' })],
      ])
    expect(await refund(invoice, { amount: '500' })).toMatchObject({
      status: 201,
      body: { amount: { amount: '500', minor: '500', currency: 'jpy' } },
    })
    const dinar = await paid('dinar')
    expect(await refund(dinar.invoice, { amount: '0.505' })).toMatchObject({ status: 400 })
    expect(await refund(dinar.invoice, { amount: '0.500' })).toMatchObject({
      status: 201,
      body: { amount: { amount: '0.500', minor: '500' } },
    })
    expect(await refundedAtStripe(dinar.payment)).toBe(500)
  })

  test('with one key is given once, and the current invoice has nothing to give', async () => {
    const { payer, invoice, payment } = await paid()
    const answers = await Promise.all([1, 2, 3].map(() => refund(invoice, { amount: '5.00' }, 'once')))
    for (const { status } of answers) expect([201, 409]).toContain(status)
    const again = await refund(invoice, { amount: '5.00' }, 'once')
    expect(again).toMatchObject({ status: 201, body: { amount: usd(500) } })
    expect(await refundedAtStripe(payment)).toBe(500)
    const { invoice: current } = await world.read(payer, 'current')
    for (const what of ['refunds', 'credit-notes'])
      expect(await ask('POST', `/v1/invoices/${current.id}/${what}`, {})).toMatchObject({
        status: 409,
        body: { code: 'invoice_not_final' },
      })
    expect(await ask('POST', '/v1/invoices/invoice_none/refunds', {})).toMatchObject({ status: 404 })
  })

  test('that the bank sends back counts as never made, and can be made again', async () => {
    const { payer, invoice } = await paid('plain', 'pm_card_refundFail')
    const made = await refund(invoice, { amount: '20.00' })
    expect(made).toMatchObject({ status: 201, body: { status: 'succeeded' } })
    await world.turn(payer, '2026-01-10T02:00:00Z')
    await world.deliver()
    expect(await listed(invoice, 'refunds')).toMatchObject([{ id: made.body.id, status: 'failed' }])
    const preview = await ask('POST', `/v1/invoices/${invoice}/refunds`, {})
    expect(preview.body.amount).toEqual(usd(2000))
  })
})

describe('a credit note', () => {
  test('is what the preview said, whichever way the paid part goes', async () => {
    for (const [paidPart, field] of [
      ['refund', 'refunded'],
      ['balance', 'credited'],
      ['outOfBand', 'outOfBand'],
    ] as const) {
      const { payer, invoice, payment } = await paid()
      const wanted = { amount: '4.99', paidPart }
      const preview = await ask('POST', `/v1/invoices/${invoice}/credit-notes`, wanted)
      expect(preview).toMatchObject({
        status: 200,
        body: { total: usd(499), prePayment: usd(0), [field]: usd(499), left: usd(1501) },
      })
      expect(await world.stripe.creditNotes.list({ customer: payer.customer })).toMatchObject({ data: [] })
      const made = await credit(invoice, wanted)
      const { left: _, ...same } = preview.body
      expect(made).toMatchObject({ status: 201, body: { ...same, status: 'issued' } })
      expect(await refundedAtStripe(payment)).toBe(paidPart === 'refund' ? 499 : 0)
      expect(await balanceOf(payer)).toBe(paidPart === 'balance' ? -499 : 0)
      // The refund that it made is there, and says whose it is.
      const refunds = await listed(invoice, 'refunds')
      expect(refunds).toMatchObject(
        paidPart === 'refund' ? [{ creditNote: made.body.id, amount: usd(499), status: 'succeeded' }] : [],
      )
    }
  })

  test('and refunds together give back what was paid and no more, whichever comes first', async () => {
    const { payer, invoice, payment } = await paid()
    expect((await credit(invoice, { amount: '15.00', paidPart: 'balance' })).status).toBe(201)
    // The payment has 20.00 still; 15.00 of them went to the balance.
    expect(await refund(invoice, { amount: '5.01' })).toMatchObject({ status: 422 })
    expect((await refund(invoice, { amount: '5.00' })).status).toBe(201)
    expect(await credit(invoice, { amount: '0.01' })).toMatchObject({
      status: 422,
      body: { code: 'credit_note_exceeds_invoice' },
    })
    expect([await refundedAtStripe(payment), await balanceOf(payer)]).toEqual([500, -1500])
  })

  test('of an open invoice lowers what is due, and pays it when nothing is left', async () => {
    const payer = await world.register('trying', '2026-01-10T00:00:00Z', { paymentMethod: 'pm_card_visa' })
    const { id } = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: payer.customer,
    })
    await world.stripe.subscriptions.update(payer.subscription, { default_payment_method: id })
    await world.turn(payer, '2026-01-24T02:00:00Z')
    await world.deliver()
    const { invoice } = await world.read(payer, 'open')
    expect(await refund(invoice.id, { amount: '1.00' })).toMatchObject({ status: 422 })
    const preview = await ask('POST', `/v1/invoices/${invoice.id}/credit-notes`, { amount: '5.00' })
    expect(preview.body).toMatchObject({ total: usd(500), prePayment: usd(500), refunded: usd(0) })
    expect((await credit(invoice.id, { amount: '5.00' })).status).toBe(201)
    expect((await ask('GET', `/v1/invoices/${invoice.id}`)).body).toMatchObject({
      status: 'open',
      amountRemaining: usd(1500),
    })
    expect((await credit(invoice.id, { amount: '15.00', reason: 'order_change' })).status).toBe(201)
    expect((await ask('GET', `/v1/invoices/${invoice.id}`)).body).toMatchObject({
      status: 'paid',
      amountRemaining: usd(0),
    })
  })
})

test('what was given back in the dashboard is known by its events, in any order and twice', async () => {
  const { invoice, provider, payment } = await paid()
  await world.newEvents()
  const direct = await world.stripe.refunds.create({ payment_intent: payment, amount: 300 })
  const note = await world.stripe.creditNotes.create({ invoice: provider, amount: 400, refund_amount: 400 })
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) await world.receive(event)
  await world.drain()
  const refunds = await listed(invoice, 'refunds')
  const [written] = await listed(invoice, 'credit-notes')
  expect(written).toMatchObject({
    providerId: note.id,
    number: note.number,
    total: usd(400),
    refunded: usd(400),
  })
  expect(refunds).toHaveLength(2)
  expect(refunds).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ providerId: direct.id, creditNote: null, amount: usd(300) }),
      expect.objectContaining({
        providerId: idOf(note.refunds[0]?.refund ?? ''),
        creditNote: written?.id,
        amount: usd(400),
      }),
    ]),
  )
  const preview = await ask('POST', `/v1/invoices/${invoice}/refunds`, {})
  expect(preview.body.amount).toEqual(usd(1300))
})

test('of many deeds at once on one invoice, all that are done give back what was paid at most', async () => {
  const { payer, invoice, payment } = await paid()
  const deeds = [1, 2, 3, 4].flatMap((deed) => [
    refund(invoice, { amount: '9.00' }, `refund ${deed}`.replace(' ', '-')),
    credit(invoice, { amount: '9.00', paidPart: 'balance' }, `note-${deed}`),
  ])
  const answers = await Promise.all(deeds)
  for (const { status } of answers) expect([201, 409, 422]).toContain(status)
  // Whoever was told to come again does; in the end two of 9.00 are done.
  for (const { status } of answers.filter(({ status: one }) => one !== 201).slice(0, 2)) {
    expect([409, 422]).toContain(status)
    await refund(invoice, { amount: '9.00' })
  }
  expect((await refundedAtStripe(payment)) - (await balanceOf(payer))).toBe(1800)
})

/** Does a deed in a process that is killed after so many statements, and again in one that lives on. */
async function killedThenRepeated(
  statements: number,
  deed: (on: TestServer) => Promise<{ status: number }>,
  meanwhile: () => Promise<unknown> = async () => {},
) {
  const connection = mortalConnection(world.url, statements)
  const mortal = await serverOf({ ...world.deps, ...connection })
  const first = await deed(mortal).catch(() => ({ status: 500 }))
  const survived = !connection.died()
  await mortal.close()
  await connection.close()
  await meanwhile()
  // Nobody waits here until the leases of the dead run out.
  await world.pool.query(
    `update workflow set lease_until = null, next_attempt_at = null where ended_at is null`,
  )
  await world.pool.query(`update idempotency_key set locked_until = clock_timestamp() - interval '1 second'`)
  await world.workflows.resumeDue()
  const again = await deed(server)
  return { survived, first, again }
}

test.each([
  ['refund', 1, refund],
  // A longer way of the same kind: after every fourth statement of it.
  ['credit-note', 4, credit],
])('killed after any statement, a %s is made once', async (name, stride, deed) => {
  const { invoice, payment } = await paid('yen')
  for (let made = 1; ; made += 1) {
    const at = `after ${made * stride} statements`
    const { survived, again } = await killedThenRepeated(made * stride, (on) =>
      deed(invoice, { amount: '10' }, `${name}-${made}`, on),
    )
    expect(again, at).toMatchObject({
      status: 201,
      body: { status: expect.stringMatching(/succeeded|issued/) },
    })
    expect(await refundedAtStripe(payment), at).toBe(10 * made)
    if (survived) {
      expect(made * stride).toBeGreaterThan(20)
      const { rows } = await world.pool.query(
        `select id, state from operation where state not in ('succeeded', 'refused')`,
      )
      expect(rows).toEqual([])
      expect(await listed(invoice, 'refunds')).toHaveLength(made)
      return
    }
  }
})

// Of a refund the provider looks at its payment alone, and not at what was credited of the invoice.
// https://docs.stripe.com/api/credit_notes/create
// Recorded and told are one statement's death apart: money-back-later.test.ts stands in between.
test('killed after any statement, a refund gives nothing back that was credited in the dashboard meanwhile', async () => {
  for (let statements = 4; ; statements += 4) {
    const { payer, invoice, provider, payment } = await paid()
    const { survived, again } = await killedThenRepeated(
      statements,
      (on) => refund(invoice, { amount: '20.00' }, `all-${statements}`, on),
      // Refused where the refund was made before.
      () =>
        world.stripe.creditNotes
          .create({ invoice: provider, amount: 2000, credit_amount: 2000 })
          .catch(() => {}),
    )
    const back = [await refundedAtStripe(payment), await balanceOf(payer)]
    expect(back, `after ${statements} statements`).toEqual(again.status === 201 ? [2000, 0] : [0, -2000])
    if (again.status !== 201)
      expect(again).toMatchObject({ status: 422, body: { code: 'refund_exceeds_payment' } })
    if (survived) return
  }
})
