import { formatInstant, type Instant } from './instant.ts'
import { formatMoney, type Money, negate, zero } from './money.ts'
import type { Period } from './period.ts'
import { units } from './quantity.ts'
import type { RatedLine } from './rating.ts'

export const adjustmentKinds = ['credit', 'charge', 'note'] as const

/** A note says something on the invoice, and changes nothing of it. */
export type AdjustmentKind = (typeof adjustmentKinds)[number]

/** What a person adds to an invoice before it is final. Never edited: it is withdrawn, and maybe superseded. */
export interface Adjustment {
  readonly id: string
  readonly kind: AdjustmentKind
  /** What the customer reads. */
  readonly description: string
  /** What it adds to the invoice: below zero for a credit, zero for a note. */
  readonly amount: Money
  readonly madeAt: Instant
  readonly withdrawnAt: Instant | null
}

/** What an adjustment of this much adds to its invoice; whoever makes it names an amount above zero. */
export function adjustmentAmount(kind: AdjustmentKind, much: Money): Money {
  if (kind === 'note') return zero(much.currency)
  return kind === 'credit' ? negate(much) : much
}

/**
 * An adjustment as a line of the period whose invoice it stands on. It counts as one: billed once, nothing
 * is left of it, a note neither. Withdrawn it counts as none, so that one which was billed before the
 * withdrawal was heard of is given back.
 */
export function adjustmentLine(adjustment: Adjustment, period: Period, product: string): RatedLine {
  const { id, kind, description, madeAt } = adjustment
  const withdrawn = adjustment.withdrawnAt !== null
  const amount = withdrawn ? zero(adjustment.amount.currency) : adjustment.amount
  const text = formatMoney(amount)
  return {
    key: id,
    name: description,
    product,
    period,
    quantity: withdrawn ? 0n : units(1n),
    amount,
    description,
    derivation: {
      price: null,
      currency: amount.currency,
      period: { start: formatInstant(period.start), end: formatInstant(period.end) },
      measured: null,
      steps: [
        {
          kind: 'adjustment',
          adjustment: id,
          as: kind,
          madeAt: formatInstant(madeAt),
          withdrawn,
          amount: text,
        },
      ],
      exact: text,
      rounded: text,
      free: null,
      amount: text,
    },
  }
}
