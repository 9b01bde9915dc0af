import { add, formatMoney, negate, parseMoney, subtract, sum } from '@lockstep/core/money'
import { type LineLeft, type SetOff, setOff } from '@lockstep/core/set-off'
import type { LineToBill, RatingInput } from './rate.ts'

/**
 * The lines of a period with what they give back set off against what they charge, where that is one and the same. What was
 * billed as missing to the minimum pays for usage that comes later: with its discount it was charged once, and only what goes
 * beyond it is charged now, less the discounts of now. Usage of one line that is taken back pays for no other one: it is given
 * back as it was paid; but for what would be missing to the minimum without it, and was paid all the same. Adjustments are what
 * a person wanted, each by itself.
 *
 * What is left of a period's lines always adds up to the same, whatever was sent of which.
 */
export function settledTogether(
  lines: readonly LineToBill[],
  input: Pick<RatingInput, 'items' | 'limits'>,
  gone: ReadonlySet<string>,
): LineToBill[] {
  const cutBefore = new Set(
    input.items.flatMap(({ state, lineKey, derivation }) =>
      state === 'billed' && derivation?.cut ? [lineKey] : [],
    ),
  )
  const rated = lines
    .filter(({ line }) => line.derivation.price !== null)
    .map((of) => ({
      ...{ of, product: of.line.product, amount: of.left.amount },
      isTied: movesAmounts(of.line) || cutBefore.has(of.line.key) || gone.has(of.line.key),
    }))
  const isApart = apart(input)
  const tied = setOff(rated, isApart)
  const met = [...tied, ...setOffUnderMinimum(rated, tied, isApart)]
  if (met.length === 0) return [...lines]
  const partsOf = partsByLine(met)
  return lines.map((one) => {
    const parts = partsOf.get(one)
    return parts === undefined ? one : withParts(one, parts)
  })
}

/**
 * What the minimum's line and one that the maximum cuts say depends on the other lines. That of several groups does not: once
 * something was billed, no group changes its line.
 */
function movesAmounts({ derivation: { price, cut } }: LineToBill['line']): boolean {
  return price?.model === 'minimum' || cut !== undefined
}

/**
 * Usage that is taken back under a minimum is missing to it: it stays paid, and pays for other usage that comes as what was
 * missing from the first does. So as much is set off against new usage as the minimum is more than the usage that was billed
 * and still stands; and what was set off with a part that is billed stays so.
 */
function setOffUnderMinimum(
  rated: readonly OfProduct[],
  tied: readonly SetOff<OfProduct>[],
  isApart: ReturnType<typeof apart>,
): SetOff<OfProduct>[] {
  const minimum = rated.flatMap(({ of }) => of.line.derivation.steps).find(({ kind }) => kind === 'minimum')
  const [first] = rated
  if (minimum?.kind !== 'minimum' || !first) return []
  const { currency } = first.amount
  const due = parseMoney(minimum.due, currency)
  if (!due) throw new Error(`A minimum is written as ${minimum.due} ${currency}.`)
  const usageKeys = new Set(minimum.of.map(({ key }) => key))
  const usage = rated.filter(({ of }) => usageKeys.has(of.line.key))
  // What was met before is billed as the rest is.
  const stands = usage.map(({ of, amount }) => {
    const isNew = add(amount, of.setOffBefore)
    return isNew.minor > 0n ? subtract(of.line.amount, isNew) : of.line.amount
  })
  const metBefore = usage.map(({ of: { setOffBefore } }) => atLeastNothing(-setOffBefore.minor))
  const toUsage = tied.filter(({ charge }) => usageKeys.has(charge.of.line.key))
  const met = sum(
    currency,
    toUsage.map(({ amount }) => amount),
  )
  const missing = atLeastNothing(due.minor - sum(currency, stands).minor)
  const most = metBefore.reduce((all, one) => all + one, missing - met.minor)
  if (most <= 0n) return []
  const partsOf = partsByLine(tied)
  const left = usage.map((one) => {
    const parts = (partsOf.get(one.of) ?? []).map(({ amount }) => amount)
    return { ...one, amount: add(one.amount, sum(currency, parts)), isTied: true }
  })
  return setOff(left, isApart, most)
}

const atLeastNothing = (minor: bigint): bigint => (minor < 0n ? 0n : minor)

/** What others meet of each line. */
function partsByLine(met: readonly SetOff<OfProduct>[]): ReadonlyMap<LineToBill, Parts> {
  const parts = met.flatMap(({ credit, charge, amount }) => [
    { of: credit.of, part: { with: charge.of.line, amount } },
    { of: charge.of, part: { with: credit.of.line, amount: negate(amount) } },
  ])
  const byLine = Map.groupBy(parts, ({ of }) => of)
  return new Map([...byLine].map(([line, its]) => [line, its.map(({ part }) => part)]))
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

interface OfProduct extends LineLeft {
  readonly of: LineToBill
}

/**
 * A coupon that was good for the one's product and not for the other's, on an invoice that billed what is given back:
 * it took nothing off what was missing, and would have taken its part off the usage. So each is billed by itself.
 */
function apart({ items, limits }: Pick<RatingInput, 'items' | 'limits'>) {
  if (limits.size === 0) return () => false
  const billed = items.filter(({ state, amount }) => state === 'billed' && amount > 0n)
  const byLine = Map.groupBy(billed, ({ lineKey }) => lineKey)
  return (credit: OfProduct, product: string) =>
    (byLine.get(credit.of.line.key) ?? [])
      .flatMap(({ providerInvoiceId: id }) => (id === null ? [] : (limits.get(id) ?? [])))
      .some(({ products }) => products.includes(product) && !products.includes(credit.product))
}
