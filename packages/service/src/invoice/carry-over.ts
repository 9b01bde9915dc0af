import { heldBack } from '@lockstep/core/carry-over'
import { formatInstant } from '@lockstep/core/instant'
import { isFrozen, isWorthSending } from '@lockstep/core/invoice'
import { type Currency, formatMoney, type Money, negate, sum } from '@lockstep/core/money'
import type { Price } from '@lockstep/core/price'
import { isTerminal } from '@lockstep/core/subscription'
import type { InvoiceRow } from '../store/invoices.ts'
import type { Row } from '../store/schema.ts'
import type { LineToBill } from './rate.ts'
import type { ShownLine } from './read.ts'

/** What a subscription's lines have to come to before they are billed. */
export interface CarryOver {
  readonly from: Money
  readonly price: Price
  /** The lines that wait. */
  readonly held: ReadonlySet<LineToBill>
}

/**
 * Which of a subscription's lines wait for the next invoice, if its plan waits at all. One that has add-ons pays
 * each period anyway, and after its end there is nothing to wait for.
 */
export function carryOver(
  subscription: Pick<Row<'subscription'>, 'status' | 'addons' | 'currency'>,
  prices: readonly Price[],
  lines: readonly LineToBill[],
): CarryOver | undefined {
  const price = prices.find(({ collectFrom }) => collectFrom !== undefined)
  const from = price?.collectFrom
  if (!from || subscription.addons.length > 0 || isTerminal(subscription.status)) return undefined
  const left = lines.filter((line) => isWorthSending(line.left))
  const of = (group: Group) => left.filter(({ origin }) => groupOf(origin) === group)
  const waiting = heldBack(from, {
    before: totalOf(of('before'), subscription.currency),
    periodsBefore: new Set(of('before').map(({ origin }) => origin.id)).size,
    closing: lines.some(({ origin }) => groupOf(origin) === 'closing')
      ? totalOf(of('closing'), subscription.currency)
      : null,
    current: totalOf(of('current'), subscription.currency),
  })
  return { from, price, held: new Set(left.filter(({ origin }) => waiting[groupOf(origin)])) }
}

type Group = 'before' | 'closing' | 'current'

function groupOf({ status }: InvoiceRow): Group {
  if (isFrozen(status)) return 'before'
  return status === 'current' ? 'current' : 'closing'
}

const totalOf = (lines: readonly LineToBill[], currency: Currency): Money =>
  sum(
    currency,
    lines.map(({ left }) => left.amount),
  )

/** The line that says so on an invoice, of those of its lines that wait; none where nothing does. */
export function carriedLine(
  { id, periodStart, periodEnd, currency }: InvoiceRow,
  carry: CarryOver | undefined,
  lines: readonly LineToBill[],
): ShownLine[] {
  const held = carry ? lines.filter((line) => carry.held.has(line)) : []
  const total = totalOf(held, currency)
  if (!carry || held.length === 0) return []
  const { key, name, model } = carry.price
  const [from, amount] = [formatMoney(carry.from), formatMoney(negate(total))]
  return [
    {
      id: 'carried',
      key: null,
      description: `Carried to the next invoice: less than ${from} ${currency.toUpperCase()}`,
      period: { start: periodStart, end: periodEnd },
      ...{ quantity: null, unitLabel: null, late: false, reason: null, asOf: null },
      ...{ billed: [], providerId: null },
      amount: negate(total),
      derivation: {
        price: { key, name, model },
        currency,
        period: { start: formatInstant(periodStart), end: formatInstant(periodEnd) },
        measured: null,
        steps: [
          {
            kind: 'carried',
            of: held.map(({ origin, line: { key, words }, left }) => {
              const of = origin.id === id ? '' : `${origin.id}.`
              const amount = formatMoney(left.amount)
              return { key: of + key, ...(words && { words: of + words }), amount }
            }),
            from,
            amount,
          },
        ],
        ...{ exact: amount, rounded: amount, free: null, amount },
      },
    },
  ]
}
