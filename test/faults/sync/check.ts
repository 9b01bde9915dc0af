import { formatInstant } from '@lockstep/core/instant'
import { parseMoney } from '@lockstep/core/money'
import { needsSync } from '@lockstep/service/store/invoices'
import type Stripe from 'stripe'
import type { BillingWorld, Payer } from '../../../packages/service/test/support/billing-world.ts'
import { checkEnd, type LaidCoupon } from './check-end.ts'
import type { CustomerUsage } from './usage.ts'
import { owed, type PlanKey } from './wares.ts'

/** What somebody must have been billed, as the run has written it down. */
export interface Expected {
  readonly plan: PlanKey
  readonly usage: CustomerUsage
  /** From when on periods are rated by the other plan. */
  readonly changedAt: number | null
  /** What support added, by our invoice. */
  readonly adjusted: ReadonlyMap<string, bigint>
  /** What is taken off at Stripe. */
  readonly coupon: LaidCoupon | null
}

/**
 * Holds what stands at Stripe for a customer against what each period is worth, at a time at which nothing is left to
 * be billed of any but the one that runs. One sentence for each promise that was broken.
 */
export async function checkBilled(world: BillingWorld, payer: Payer, expected: Expected): Promise<string[]> {
  const items = await itemsAtStripe(world, payer)
  const periods = (await world.invoices(payer)).filter(({ planVersionId }) => planVersionId !== null)
  const current = periods.find(({ status }) => status === 'current')?.id
  return [
    ...twice(items),
    ...items
      .filter(({ status, origin }) => status !== 'paid' && !(status === 'pending' && origin === current))
      .map(({ id, line, status }) => `Item ${id} of line ${line} is ${status}.`),
    ...checkPeriods(periods, items, expected),
    ...(await checkTotals(world, payer)),
    ...(await checkEnd(world, payer, expected.coupon)),
    ...(await checkRest(world, payer)),
  ]
}

interface Item {
  readonly id: string
  readonly line: string
  readonly origin: string
  /** What it stands for, before discounts. */
  readonly amount: bigint
  readonly status: string
}

async function itemsAtStripe({ stripe }: BillingWorld, { customer }: Payer): Promise<Item[]> {
  const invoices = new Map<string, string>()
  for await (const { id, status } of stripe.invoices.list({ customer, limit: 100 }))
    invoices.set(id, status ?? 'unknown')
  const items: Item[] = []
  for await (const { id, amount, currency, invoice, metadata } of stripe.invoiceItems.list({
    customer,
    limit: 100,
  })) {
    const {
      lockstep_line: name,
      lockstep_revision: revision,
      lockstep_discounted: discounted,
    } = metadata ?? {}
    if (name === undefined) continue
    // What gives back says less than it takes back, by what discounts had taken off.
    const off = parseMoney(discounted ?? '0', currency)
    const status = typeof invoice === 'string' ? (invoices.get(invoice) ?? 'unknown') : 'pending'
    const [origin = ''] = name.split('.')
    items.push({
      id,
      line: `${name} revision ${revision}`,
      origin,
      amount: BigInt(amount) - (off?.minor ?? 0n),
      status,
    })
  }
  return items
}

function twice(items: readonly Item[]): string[] {
  return [...Map.groupBy(items, ({ line }) => line)].flatMap(([line, same]) =>
    same.length > 1
      ? [`Line ${line} stands ${same.length} times: ${same.map(({ id }) => id).join(', ')}.`]
      : [],
  )
}

type PeriodRow = Awaited<ReturnType<BillingWorld['invoices']>>[number]

/** Of each period, over all invoices, what its usage is worth; and all usage is in one of them. */
function checkPeriods(
  periods: readonly PeriodRow[],
  items: readonly Item[],
  { plan, usage, changedAt, adjusted }: Expected,
): string[] {
  const breaches: string[] = []
  const spans = periods
    .map(({ id, periodStart: start, periodEnd: end }) => ({ id, start, end }))
    .filter(({ start, end }) => start < end)
  for (const [i, { start }] of spans.entries()) {
    const before = spans[i - 1]
    if (before && before.end !== start)
      breaches.push(`A period begins at ${formatInstant(start)}, not at the end of the last.`)
  }
  const outside = usage.outside(spans)
  if (outside > 0) breaches.push(`${outside} events are of no period.`)
  for (const { id, start, end } of spans) {
    const isOnOther = changedAt !== null && start >= changedAt
    const worth =
      owed(plan, { start, end, used: usage.in({ start, end }), isOnOther }) + (adjusted.get(id) ?? 0n)
    const billed = items.filter(({ origin }) => origin === id).reduce((sum, { amount }) => sum + amount, 0n)
    if (billed !== worth)
      breaches.push(
        `Of ${formatInstant(start)} … ${formatInstant(end)} ${billed} was billed instead of ${worth}.`,
      )
  }
  const known = new Set(spans.map(({ id }) => id))
  const others = items.filter(({ origin }) => !known.has(origin))
  const rest = others.reduce((sum, { amount }) => sum + amount, 0n)
  if (rest !== 0n) breaches.push(`${rest} was billed of no period.`)
  return breaches
}

/** What our final invoices come to is what Stripe's do. */
async function checkTotals(world: BillingWorld, payer: Payer): Promise<string[]> {
  const ours = new Map((await world.invoices(payer)).map((row) => [row.providerInvoiceId, row]))
  const atStripe: Stripe.Invoice[] = []
  for await (const invoice of world.stripe.invoices.list({ customer: payer.customer, limit: 100 }))
    atStripe.push(invoice)
  return atStripe.flatMap(({ id, status, total }) => {
    const row = ours.get(id)
    if (status === 'draft') return []
    if (!row) return [`Invoice ${id} is not here.`]
    return row.total === BigInt(total) && row.status === status
      ? []
      : [`Invoice ${id} is ${row.status} with ${row.total} here, and ${status} with ${total} at Stripe.`]
  })
}

async function checkRest(world: BillingWorld, payer: Payer): Promise<string[]> {
  const breaches: string[] = []
  if (await needsSync(world.db, payer.subscriptionId)) breaches.push('There is still something to be told.')
  const requests = await world.requests(() => world.sync(payer))
  if (requests.length > 0) breaches.push(`A sync without a reason asked ${requests.join(', ')}.`)
  const { rows } = await world.pool.query<{ what: string }>(
    `select 'item ' || coalesce(provider_item_id, line_key) || ' is ' || state as what from invoice_item
       where customer_id = $1 and state = 'intended'
     union all
     select 'operation ' || id || ' is ' || state from operation where state in ('prepared', 'unknown', 'parked')
     union all
     select 'event ' || id || ' is ' || state from provider_event where state in ('received', 'parked')`,
    [payer.customerId],
  )
  return [...breaches, ...rows.map(({ what }) => `At the end ${what}.`)]
}
