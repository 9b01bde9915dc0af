import { add, formatMoney, negate, sum } from '@lockstep/core/money'
import { setOff } from '@lockstep/core/set-off'
import type { LineToBill, RatingInput } from './rate.ts'

/**
 * The lines of a period with what they give back set off against what they charge. What was billed as missing to the
 * minimum pays for usage that comes later: with its discount it was charged once, and only what goes beyond it is
 * charged now, less the discounts of now. Adjustments are what a person wanted, each by itself.
 *
 * Nothing is remembered of it: what is left of a period's lines always adds up to the same, whatever was sent of which.
 */
export function settledTogether(
  lines: readonly LineToBill[],
  input: Pick<RatingInput, 'items' | 'limits'>,
): LineToBill[] {
  const rated = lines
    .filter(({ line }) => line.derivation.price !== null)
    .map((of) => ({ of, product: of.line.product, amount: of.left.amount }))
  const met = setOff(rated, (credit, charge) => isApart(credit, charge, input))
  if (met.length === 0) return [...lines]
  const partsOf = (line: LineToBill) =>
    met.flatMap(({ credit, charge, amount }) => {
      if (charge.of === line) return [{ with: credit.of.line, amount: negate(amount) }]
      return credit.of === line ? [{ with: charge.of.line, amount }] : []
    })
  return lines.map((one) => {
    const parts = partsOf(one)
    return parts.length === 0 ? one : withParts(one, parts)
  })
}

type Parts = readonly {
  readonly with: LineToBill['line']
  readonly amount: LineToBill['left']['amount']
}[]

function withParts(one: LineToBill, parts: Parts): LineToBill {
  const { line, left } = one
  const { currency } = left.amount
  const all = parts.map(({ amount }) => amount)
  return {
    ...one,
    left: { ...left, amount: add(left.amount, sum(currency, all)) },
    setOff: parts.map(({ with: { name }, amount }) => ({ name, amount })),
    line: {
      ...line,
      derivation: {
        ...line.derivation,
        setOff: parts.map(({ with: { key, words }, amount }) => ({
          ...{ key, ...(words && { words }) },
          amount: formatMoney(amount),
        })),
      },
    },
  }
}

interface OfProduct {
  readonly of: LineToBill
  readonly product: string
}

/**
 * A coupon that was good for the one's product and not for the other's, on an invoice that billed what is given back:
 * it took nothing off what was missing, and would have taken its part off the usage. So each is billed by itself.
 */
function isApart(
  credit: OfProduct,
  charge: OfProduct,
  { items, limits }: Pick<RatingInput, 'items' | 'limits'>,
) {
  const billedOn = items.flatMap(({ state, lineKey, amount, providerInvoiceId }) =>
    state === 'billed' && lineKey === credit.of.line.key && amount > 0n && providerInvoiceId !== null
      ? [providerInvoiceId]
      : [],
  )
  return billedOn
    .flatMap((id) => limits.get(id) ?? [])
    .some(({ products }) => products.includes(charge.product) && !products.includes(credit.product))
}
