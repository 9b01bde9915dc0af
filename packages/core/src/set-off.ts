import { type Money, money } from './money.ts'

// What a period's lines give back and what they charge, before either is sent: a discount takes its part off what is
// charged and nothing off a credit, so each sent by itself would cost another amount than their difference does.

/** What is left to bill of a line, below zero where something is given back. */
export interface LineLeft {
  readonly product: string
  readonly amount: Money
}

export interface SetOff<L extends LineLeft> {
  /** The line that gives back. */
  readonly credit: L
  /** The line that charges. */
  readonly charge: L
  /** How much of either is met by the other; above zero. */
  readonly amount: Money
}

/**
 * Sets what some lines of a period give back off against what others charge, in their order, each credit against the
 * charges of its own product first. What is left of all lines together stays the same, and never is there a credit and
 * a charge that are not apart. Nothing but amounts of the coin is taken, so nothing is rounded.
 *
 * `isApart`: these two are each billed by itself all the same.
 */
export function setOff<L extends LineLeft>(
  lines: readonly L[],
  isApart: (credit: L, charge: L) => boolean,
): SetOff<L>[] {
  const left = new Map(lines.map((line) => [line, line.amount.minor]))
  const charges = lines.filter(({ amount }) => amount.minor > 0n)
  return lines
    .filter(({ amount }) => amount.minor < 0n)
    .flatMap((credit) => {
      const own = charges.filter(({ product }) => product === credit.product)
      const others = charges.filter((charge) => !own.includes(charge) && !isApart(credit, charge))
      return [...own, ...others].flatMap((charge) => {
        const [back, due] = [-(left.get(credit) ?? 0n), left.get(charge) ?? 0n]
        const minor = back < due ? back : due
        if (minor === 0n) return []
        left.set(credit, minor - back)
        left.set(charge, due - minor)
        return [{ credit, charge, amount: money(minor, credit.amount.currency) }]
      })
    })
}
