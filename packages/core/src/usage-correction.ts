import { formatMoney, zero } from './money.ts'
import { formatQuantity } from './quantity.ts'
import type { RatedLine } from './rating.ts'

export const correctionKinds = ['void', 'amend', 'backfill'] as const

/** One event counts no more, counts otherwise; or a stretch of time is told anew. */
export type CorrectionKind = (typeof correctionKinds)[number]

/** A line as it was and as it is; exact decimal text, as it is kept. */
export interface CorrectedLine {
  readonly line: string
  /** Null for a share, which has none. */
  readonly quantity: { readonly before: string; readonly after: string } | null
  /** In major units. */
  readonly amount: { readonly before: string; readonly after: string }
}

export interface CorrectedInvoice {
  readonly invoice: string
  readonly currency: string
  /** It is final: the difference goes onto the next one. */
  readonly isFinal: boolean
  readonly lines: readonly CorrectedLine[]
}

type Line = Pick<RatedLine, 'key' | 'quantity' | 'amount'>

/**
 * The lines of one period that a correction changes, by its rating before and after. A group's line may be new by it,
 * or gone: then it was nothing before, or is nothing after.
 */
export function correctedLines(before: readonly Line[], after: readonly Line[]): CorrectedLine[] {
  const keyed = (lines: readonly Line[], { key }: Line) => lines.find((line) => line.key === key)
  const pairs = [
    ...after.map((now) => [keyed(before, now) ?? nothingOf(now), now] as const),
    ...before.filter((was) => !keyed(after, was)).map((was) => [was, nothingOf(was)] as const),
  ]
  return pairs.flatMap(([was, now]) => {
    if (was.quantity === now.quantity && was.amount.minor === now.amount.minor) return []
    const quantity =
      was.quantity === null || now.quantity === null
        ? null
        : { before: formatQuantity(was.quantity), after: formatQuantity(now.quantity) }
    return [
      {
        line: now.key,
        quantity,
        amount: { before: formatMoney(was.amount), after: formatMoney(now.amount) },
      },
    ]
  })
}

const nothingOf = ({ key, quantity, amount }: Line): Line => ({
  key,
  quantity: quantity === null ? null : 0n,
  amount: zero(amount.currency),
})
