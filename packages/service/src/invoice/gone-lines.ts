import { formatInstant } from '@lockstep/core/instant'
import { type Currency, formatMoney, zero } from '@lockstep/core/money'
import type { RatedLine } from '@lockstep/core/rating'
import type { ItemRow } from '../store/invoice-items.ts'

/**
 * Lines of which something is billed, and which the period has no more: it is told anew by another plan, or by one that
 * promises nothing then. They come to nothing, so that what was billed of them is given back.
 */
export function goneLines(
  items: readonly ItemRow[],
  lines: readonly RatedLine[],
  { period, product, currency }: Pick<RatedLine, 'period' | 'product'> & { readonly currency: Currency },
): RatedLine[] {
  const keys = new Set(lines.map(({ key }) => key))
  const gone = items.filter(({ state, lineKey }) => state === 'billed' && !keys.has(lineKey))
  return [...Map.groupBy(gone, ({ lineKey }) => lineKey)].map(([key, parts]): RatedLine => {
    const last = parts.at(-1)
    const derivation = parts.findLast((part) => part.derivation !== null)?.derivation
    const name = derivation?.price?.name ?? last?.content.description ?? key
    const amount = zero(currency)
    const nothing = formatMoney(amount)
    return {
      ...{ key, name, product, period, amount, description: name },
      quantity: parts.some(({ quantity }) => quantity !== null) ? 0n : null,
      derivation: {
        price: derivation?.price ?? { key, name, model: 'flat' },
        currency,
        period: { start: formatInstant(period.start), end: formatInstant(period.end) },
        measured: derivation?.measured ? { ...derivation.measured, events: '0', quantity: '0' } : null,
        ...{ steps: [], exact: nothing, rounded: nothing, free: null, amount: nothing },
      },
    }
  })
}
