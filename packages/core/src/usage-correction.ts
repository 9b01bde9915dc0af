import { formatMoney } from './money.ts'
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

/** The lines of one period that a correction changes, by its rating before and after. */
export function correctedLines(before: readonly Line[], after: readonly Line[]): CorrectedLine[] {
  return after.flatMap((now) => {
    const was = before.find(({ key }) => key === now.key)
    if (!was || (was.quantity === now.quantity && was.amount.minor === now.amount.minor)) return []
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
