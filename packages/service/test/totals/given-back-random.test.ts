// Whatever is used, corrected, discounted and invoiced in whatever order: what is paid for a line is what its usage is worth by
// the discounts that Stripe took off each part, and never is more of it given back than was paid. The worth is kept by an own
// walk, of exact fractions, along what Stripe's final invoices say.

import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import fc from '../../../../test/support/fast-check.ts'
import { usageCorrectionRoutes } from '../../src/http/routes/usage-corrections.ts'
import { openUsage } from '../../src/usage/usage.ts'
import type { Payer } from '../support/billing-world.ts'
import { newServer } from '../support/server.ts'
import { shared } from '../support/shared.ts'
import { newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
const usage = await shared(openUsage({ ...world.deps, databaseUrl: world.url }))
usageCorrectionRoutes(server.app, { ...world.deps, usage })
const compute = await world.productId('Compute')
const half = await world.coupon({ percent_off: 50, applies_to: { products: [compute] } })
const third = await world.coupon({ percent_off: 33.3 })
const most = await world.coupon({ percent_off: 90 })
const five = await world.coupon({ amount_off: 500, currency: 'usd' })
const once = await world.coupon({ percent_off: 70, duration: 'once' })
const coupons = [[], [third], [most], [half, third], [five], [third, five], [once]]

type Move =
  | {
      readonly kind: 'use' | 'amend'
      readonly meter: string
      readonly quantity: number
      readonly which: number
    }
  | { readonly kind: 'void'; readonly which: number }
  | { readonly kind: 'coupons'; readonly which: number }
  | { readonly kind: 'invoice' }

const quantity = fc.integer({ min: 1, max: 3000 })
const meter = fc.constantFrom('seconds', 'bytes')
const which = fc.nat(100)
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constantFrom('use', 'amend'), meter, quantity, which }),
  fc.record({ kind: fc.constant('void'), which }),
  fc.record({ kind: fc.constant('coupons'), which }),
  fc.constant({ kind: 'invoice' }),
)

const JANUARY = '2026-01-12T00:00:00Z'
let count = 0

/** A cent for each unit of January, by meter. */
function newJanuary(payer: Payer) {
  const events: { readonly id: string; readonly meter: string; quantity: number }[] = []
  const correct = async (at: number, to: number | null) => {
    const event = events[at % Math.max(1, events.length)]
    if (!event) return
    if (to === null) events.splice(events.indexOf(event), 1)
    else event.quantity = to
    const kind = to === null ? { kind: 'void' } : { kind: 'amend', quantity: `${to}` }
    const payload = { reason: 'a test', source: 'cluster', id: event.id, time: JANUARY, ...kind }
    expect(
      await server.call({ method: 'POST', url: '/v1/usage-corrections?dryRun=false', payload }),
    ).toMatchObject({ status: 201 })
  }
  return {
    correct,
    worth: (meter: string) =>
      events.filter((one) => one.meter === meter).reduce((sum, one) => sum + one.quantity, 0),
    async use(meter: string, quantity: number) {
      count += 1
      const id = `random-${count}`
      events.push({ id, meter, quantity })
      const event = { specversion: '1.0', source: 'cluster', id, type: meter, time: JANUARY }
      await usage.take([{ ...event, subject: payer.externalId, data: { quantity: `${quantity}` } }])
    },
  }
}

/** What Stripe's final invoices say of a line of ours, the oldest first. */
function linesOf(invoices: readonly Stripe.Invoice[], key: string) {
  return invoices
    .filter(({ status }) => status !== 'draft')
    .flatMap(({ lines }) => lines.data.filter(({ metadata }) => metadata.lockstep_line?.endsWith(`.${key}`)))
    .map(({ amount, discount_amounts: parts }) => ({
      amount,
      off: (parts ?? []).reduce((sum, part) => sum + part.amount, 0),
    }))
}

const keys = { seconds: 'compute', bytes: 'traffic' } as const

/** Walks along what was invoiced, by what the usage was worth when it was. */
function newBook() {
  const layers: { left: number; rate: number }[] = []
  let [before, paid, seen] = [0, 0, 0]
  return {
    /** Once for each invoice on which the line may stand. */
    invoiced(worth: number, lines: ReturnType<typeof linesOf>) {
      const more = worth - before
      before = worth
      const [line, ...others] = lines.slice(seen)
      seen = lines.length
      expect(others).toEqual([])
      if (more > 0) {
        expect(line?.amount).toBe(more)
        layers.push({ left: more, rate: 1 - (line?.off ?? 0) / more })
      }
      for (let missing = Math.max(0, -more); missing > 0; ) {
        const last = layers.at(-1)
        if (!last) throw new Error('More was taken back than was billed.')
        const taken = Math.min(missing, last.left)
        last.left -= taken
        missing -= taken
        if (last.left === 0) layers.pop()
      }
      if (line && more <= 0)
        expect([line.amount <= 0, line.amount >= more, line.off]).toEqual([true, true, 0])
      paid += (line?.amount ?? 0) - (line?.off ?? 0)
      expect(paid).toBeGreaterThanOrEqual(0)
      const due = layers.reduce((sum, { left, rate }) => sum + left * rate, 0)
      expect(Math.abs(paid - due)).toBeLessThanOrEqual(0.5 * layers.length + 1e-6)
      if (worth === 0) expect(paid).toBe(0)
    },
  }
}

async function invoicesOf({ customer }: Payer): Promise<Stripe.Invoice[]> {
  const found: Stripe.Invoice[] = []
  for await (const one of world.stripe.invoices.list({ customer, limit: 100 })) found.unshift(one)
  return found
}

/** Lives through January's usage and what becomes of it on four renewals; `booked` looks at what was invoiced after each. */
async function live(
  payer: Payer,
  january: ReturnType<typeof newJanuary>,
  moves: readonly Move[],
  booked: (isRenewal: boolean) => Promise<void>,
): Promise<void> {
  const invoiceNow = async () => {
    await world.sync(payer)
    const { id } = await world.stripe.invoices.create({
      ...{ customer: payer.customer, subscription: payer.subscription },
      pending_invoice_items_behavior: 'include',
    })
    await world.stripe.invoices.finalizeInvoice(id)
    await world.deliver()
    await booked(false)
  }
  const renew = async (time: string) => {
    const { here, preview, final, ours } = await world.everywhere(payer, time)
    expect([preview, final, ours]).toEqual([here, here, here])
    await booked(true)
  }
  const act = async (one: Move) => {
    if (one.kind === 'use') await january.use(one.meter, one.quantity)
    if (one.kind === 'amend') await january.correct(one.which, one.quantity)
    if (one.kind === 'void') await january.correct(one.which, null)
    if (one.kind === 'invoice') await invoiceNow()
    if (one.kind === 'coupons') {
      const wanted = coupons[one.which % coupons.length] ?? []
      const discounts = wanted.map((coupon) => ({ coupon }))
      await world.stripe.subscriptions.update(payer.subscription, {
        discounts: discounts.length === 0 ? '' : discounts,
      })
      await world.deliver()
    }
  }
  const third = Math.ceil(moves.length / 3)
  for (const one of moves.slice(0, third)) await act(one)
  await renew('2026-02-10T02:00:00Z')
  for (const one of moves.slice(third, 2 * third)) await act(one)
  await renew('2026-03-10T02:00:00Z')
  for (const one of moves.slice(2 * third)) await act(one)
  await renew('2026-04-10T02:00:00Z')
  // Nothing of January is left: all that was paid for it comes back.
  while (january.worth('seconds') + january.worth('bytes') > 0) await january.correct(0, null)
  await renew('2026-05-10T02:00:00Z')
}

async function play(moves: readonly Move[]): Promise<void> {
  const payer = await world.subscribed('plain')
  const january = newJanuary(payer)
  const books = { seconds: newBook(), bytes: newBook() }
  await live(payer, january, moves, async () => {
    const invoices = await invoicesOf(payer)
    for (const meter of ['seconds', 'bytes'] as const)
      books[meter].invoiced(january.worth(meter), linesOf(invoices, keys[meter]))
  })
}

/** What January's lines on Stripe's final invoices stand for, before discounts. */
function standing(invoices: readonly Stripe.Invoice[]): number {
  const start = Date.parse('2026-01-10T00:00:00Z') / 1000
  return invoices
    .filter(({ status }) => status !== 'draft')
    .flatMap(({ lines }) => lines.data)
    .filter(({ metadata, period }) => metadata.lockstep_line !== undefined && period.start === start)
    .reduce((sum, { amount, metadata: { lockstep_discounted: off = '0' } }) => {
      return sum + amount - Math.round(100 * Number(off))
    }, 0)
}

const bounds = {
  promised: (worth: number) => Math.max(5000, worth),
  capped: (worth: number) => Math.min(5000, worth),
}

async function playBounded(plan: keyof typeof bounds, moves: readonly Move[]): Promise<void> {
  const payer = await world.subscribed(plan)
  const january = newJanuary(payer)
  await live(payer, january, moves, async (isRenewal) => {
    if (!isRenewal) return
    expect(standing(await invoicesOf(payer))).toBe(
      bounds[plan](january.worth('seconds') + january.worth('bytes')),
    )
    // What was billed stays as it is: neither a charge nor a credit of January is left.
    const { lines } = await world.read(payer, 'current')
    expect(lines.filter(({ late }) => late)).toEqual([])
  })
}

const lives = fc.array(move, { minLength: 8, maxLength: 18 })

test('what is paid for usage is what it is worth, in whatever order it is used, corrected, discounted and invoiced', {
  timeout: 600_000,
}, async () => {
  await fc.assert(fc.asyncProperty(lives, play), { numRuns: 6, seed: 6, endOnFailure: true })
})

test.each(['promised', 'capped'] as const)(
  '%s: it is billed within what the plan says, and nothing is left of it',
  {
    timeout: 600_000,
  },
  async (plan) => {
    const property = fc.asyncProperty(lives, (moves) => playBounded(plan, moves))
    await fc.assert(property, { numRuns: 3, seed: 6, endOnFailure: true })
  },
)
