import type Stripe from 'stripe'
import type { Random } from '../../support/random.ts'
import { expectSame } from './answers.ts'
import { HOUR } from './calendar.ts'
import { iso, type Life } from './life.ts'
import * as model from './model.ts'
import type { Stage } from './stage.ts'

/** Ends what lives, lets the last invoices be made, and counts the money of all lives together. */
export async function finishAll(
  stage: Stage,
  lives: readonly Life[],
  random: Random,
  failed: (life: Life, error: unknown) => void,
): Promise<void> {
  const going = new Set(lives)
  const each = (work: (life: Life) => Promise<void>) =>
    Promise.all(
      [...going].map(async (life) => {
        try {
          await work(life)
        } catch (error) {
          going.delete(life)
          failed(life, error)
        }
      }),
    )
  const syncAll = () =>
    each(async ({ payers }) => {
      for (const payer of payers) await stage.world.sync(payer)
    })
  await each(async (life) => {
    if (life.expected.status === 'canceled') return
    await stage.world.stripe.subscriptions.cancel(life.payer.subscription)
    life.expected = model.cancelNow(life.expected, 'keep')
  })
  await stage.settle(random)
  await syncAll()
  await each(async (life) => {
    await stage.world.turn(life.payer, iso(life.expected.now + 3 * HOUR))
    life.expected = model.advance(life.expected, life.expected.now + 3 * HOUR)
  })
  await stage.settle(random)
  await syncAll()
  await stage.settle(random)
  await each((life) => count(stage, life))
}

async function count({ world: { stripe } }: Stage, { kind, payer, expected }: Life): Promise<void> {
  const { customer } = payer
  const { accounts } = expected
  let [usage, fees] = [0, 0]
  for await (const { id, status, billing_reason: why, lines } of stripe.invoices.list({
    customer,
    limit: 100,
  })) {
    // Of a change that the bank did not let happen: nothing is owed for it, and nothing was had.
    if (status === 'void' && why === 'subscription_update') continue
    const all = lines.has_more
      ? await stripe.invoices.listLineItems(id, { limit: 100 }).autoPagingToArray({ limit: 10_000 })
      : lines.data
    for (const line of all) {
      const off = (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0)
      if (line.description?.includes('Seconds')) usage += line.amount - takenOffBefore(line)
      else fees += line.amount - off
    }
  }
  expectSame('usage is billed once', usage, accounts.usage)
  expectSame('fees are billed once', fees, accounts.fees)
  const { data: notes } = await stripe.creditNotes.list({ customer, limit: 100 })
  const back = notes.reduce((sum, { amount }) => sum + amount, 0)
  expectSame('what is given back', back, accounts.notes)
  // Whatever was done in whatever order: what was billed is what was served, and what nobody used of it.
  const had = accounts.served + accounts.forfeited + accounts.notes
  if (Math.abs(accounts.fees - had) > accounts.lines)
    throw new Error(`${accounts.fees} billed for what is worth ${had}.`)
  if (kind === 'paying') await countCash(stripe, customer, accounts)
}

/** Usage that is taken back comes back as it was paid, less what its coupons had taken off: docs/invoices.md. */
function takenOffBefore({ metadata, amount }: Stripe.InvoiceLineItem): number {
  const { lockstep_discounted: said } = metadata
  return amount < 0 && said !== undefined ? Math.round(Number(said) * 100) : 0
}

async function countCash(
  stripe: Stage['world']['stripe'],
  id: string,
  { paid, refunded, credit }: model.Model['accounts'],
): Promise<void> {
  const { data: charges } = await stripe.charges.list({ customer: id, limit: 100 })
  const sumOf = (of: 'amount_captured' | 'amount_refunded') =>
    charges.reduce((sum, charge) => sum + charge[of], 0)
  const customer = await stripe.customers.retrieve(id)
  const balance = customer.deleted ? 0 : customer.balance
  const found = { paid: sumOf('amount_captured'), refunded: sumOf('amount_refunded'), credit: 0 - balance }
  expectSame('money', found, { paid, refunded, credit })
}
