import { formatInstant } from '@lockstep/core/instant'
import { formatMoney, money } from '@lockstep/core/money'
import { adjustInvoice } from '@lockstep/service/invoice/adjust'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import cloudHost from '../../examples/cloud-host/catalog.ts'
import { newBillingWorld, type Payer } from '../../packages/service/test/support/billing-world.ts'
import { shared } from '../../packages/service/test/support/shared.ts'

const world = await shared(newBillingWorld({ catalog: cloudHost }))

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

/** The month turns, its draft takes what is left, and is paid an hour later. */
async function close(payer: Payer, day: string): Promise<void> {
  await go(payer, `${day}T00:00:00Z`)
  await go(payer, `${day}T01:00:01Z`)
}

const amountOf = (minor: number) => formatMoney(money(BigInt(minor), 'usd'))
const dayOf = (at: number) => formatInstant(at).slice(0, 10)

/** Stripe's final invoices as a bookkeeper reads them: each line with its time, in the order of what it is of. */
async function printed(payer: Payer): Promise<string> {
  const invoices: Stripe.Invoice[] = []
  for await (const invoice of world.stripe.invoices.list({ customer: payer.customer })) invoices.push(invoice)
  const texts: string[] = []
  for (const { id, created, status, total } of invoices.reverse()) {
    const { data } = await world.stripe.invoices.listLineItems(id, { limit: 100 })
    const lines = data
      .toSorted(
        (a, b) => a.period.start - b.period.start || (a.description ?? '').localeCompare(b.description ?? ''),
      )
      .map(({ period, description, amount }) => {
        const what = `  ${dayOf(period.start)} … ${dayOf(period.end)}  ${description}`
        return `${what.padEnd(98)} ${amountOf(amount).padStart(10)}`
      })
    const head = `${dayOf(created)}  invoice ${texts.length + 1}  ${status}`
    texts.push([head, ...lines, `${'total'.padStart(98)} ${amountOf(total).padStart(10)}`, ''].join('\n'))
  }
  return texts.join('\n')
}

/**
 * By hand, from the prices of examples/cloud-host/README.md:
 *
 * - February is the month of the README: 38.62, and the fee.
 * - March: 100 GiB × 0.15 = 15.00, a tenth of 35.00 is 3.50. Late for February 500,000 s are 7.20, and a tenth of 60.49
 *   is 6.05 less the 5.33 that were billed. With the fee 46.42.
 * - April: of three PB 9,999 GB × 0.09 = 899.91 and 2,990,000 GB × 0.07 = 209,300.00; a tenth of 210,219.91 is 21,021.99;
 *   support takes 1,000.00 off. With the fee 230,241.90.
 * - May is over on the 15th: 14.40, and a tenth of 34.40 is 3.44.
 */
test('from the first fee to the end, month by month', async () => {
  const bea = await world.register('cloud-host', '2026-01-31T00:00:00Z')
  const use = (quantity: string, time: string, meter: string) => world.use(bea, quantity, time, meter)
  await go(bea, '2026-02-20T00:00:00Z')
  await use('1000000', '2026-02-10T00:00:00Z', 'compute_seconds')
  await use('2000000000', '2026-02-11T00:00:00Z', 'bandwidth_bytes')
  await use('150', '2026-02-12T00:00:00Z', 'storage_gib')
  await use('1200000', '2026-02-13T00:00:00Z', 'requests')
  await close(bea, '2026-02-28')

  await go(bea, '2026-03-20T00:00:00Z')
  await use('500000', '2026-02-14T00:00:00Z', 'compute_seconds')
  await use('100', '2026-03-12T00:00:00Z', 'storage_gib')
  await world.sync(bea)
  await close(bea, '2026-03-31')

  await go(bea, '2026-04-20T00:00:00Z')
  // An event takes 15 digits, a month more.
  for (const day of ['11', '12', '13', '14'])
    await use('750000000000000', `2026-04-${day}T00:00:00Z`, 'bandwidth_bytes')
  const { invoice } = await world.read(bea, 'current')
  const credit = { kind: 'credit', much: money(100_000n, 'usd'), description: 'An outage in April' } as const
  const wanted = { id: 'adjustment_1', ...credit, agent: null, supersedes: null }
  await adjustInvoice(world.db, invoice.id, wanted, {
    by: 'support',
    at: invoice.periodStart,
    reason: 'Agreed by phone',
  })
  await world.sync(bea)
  await close(bea, '2026-04-30')

  await go(bea, '2026-05-15T00:00:00Z')
  await use('1000000', '2026-05-10T00:00:00Z', 'compute_seconds')
  await world.stripe.subscriptions.cancel(bea.subscription)
  await world.deliver()
  await go(bea, '2026-05-15T02:00:00Z')

  const totals = (await world.atStripe(bea)).map((one) => one.invoice.total)
  expect(totals).toEqual([20_00, 58_62, 46_42, 230_241_90, 17_84])
  // No month is told otherwise here.
  const ours = (await world.invoices(bea)).flatMap(({ total }) => (total === null ? [] : [Number(total)]))
  expect(new Set(ours)).toEqual(new Set(totals))
  await expect(await printed(bea)).toMatchFileSnapshot('../golden/cloud-host.txt')
})
