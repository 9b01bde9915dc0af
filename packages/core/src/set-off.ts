import { type Money, money } from './money.ts'

// What a period's lines give back and what they charge, before either is sent. Where a bound of the plan's moves an amount from
// one line to another, it was paid once, with the discounts of then, and those of now are no matter of it.

/** What is left to bill of a line, below zero where something is given back. */
export interface LineLeft {
  readonly product: string
  readonly amount: Money
  /** What it gives back or charges may be of any other line. Of two that do not say so each is billed by itself. */
  readonly isTied: boolean
}

export interface SetOff<L extends LineLeft> {
  /** The line that gives back. */
  readonly credit: L
  /** The line that charges. */
  readonly charge: L
  /** How much of either is met by the other; above zero. */
  readonly amount: Money
}

/** The charges of one product, tied or not, in their order, of which those before `next` are met whole. */
interface Charges<L> {
  readonly product: string
  readonly isTied: boolean
  readonly lines: { readonly line: L; readonly place: number; due: bigint }[]
  next: number
}

/**
 * Sets what some lines of a period give back off against what others charge, in their order, each credit against the
 * charges of its own product first. What is left of all lines together stays the same, and never is there a credit and
 * a charge that are tied and not apart. Nothing but amounts of the coin is taken, so nothing is rounded.
 *
 * `isApart`: what this line gives back and what another product charges are each billed by themselves all the same.
 * `most`: no more is set off in all, in the minor unit.
 */
export function setOff<L extends LineLeft>(
  lines: readonly L[],
  isApart: (credit: L, product: string) => boolean,
  most?: bigint,
): SetOff<L>[] {
  const charges = chargesOf(lines)
  const credits = lines.filter(({ amount }) => amount.minor < 0n)
  let room = most
  return credits.flatMap((credit) => {
    const back = room === undefined || -credit.amount.minor < room ? -credit.amount.minor : room
    const tied = charges.filter(({ isTied }) => isTied || credit.isTied)
    const own = tied.filter(({ product }) => product === credit.product)
    const [met, left] = meet(credit, back, own)
    const others = tied.filter(({ product }) => product !== credit.product && !isApart(credit, product))
    const [more, rest] = meet(credit, left, others)
    if (room !== undefined) room -= back - rest
    return [...met, ...more]
  })
}

function chargesOf<L extends LineLeft>(lines: readonly L[]): Charges<L>[] {
  const placed = lines.map((line, place) => ({ line, place, due: line.amount.minor }))
  const due = placed.filter(({ due }) => due > 0n)
  return [true, false].flatMap((isTied) =>
    [
      ...Map.groupBy(
        due.filter(({ line }) => line.isTied === isTied),
        ({ line }) => line.product,
      ),
    ].map(([product, lines]) => ({ product, isTied, lines, next: 0 })),
  )
}

/** Meets charges in the order of their lines until nothing is left of what is given back; answers what is left. */
function meet<L extends LineLeft>(
  credit: L,
  back: bigint,
  charges: readonly Charges<L>[],
): [SetOff<L>[], bigint] {
  const met: SetOff<L>[] = []
  let left = back
  for (let first = firstOf(charges); left > 0n && first; first = firstOf(charges)) {
    const charge = first.lines[first.next] as Charges<L>['lines'][number]
    const isMet = charge.due <= left
    const minor = isMet ? charge.due : left
    left -= minor
    charge.due -= minor
    if (isMet) first.next += 1
    met.push({ credit, charge: charge.line, amount: money(minor, credit.amount.currency) })
  }
  return [met, left]
}

/** Whose next charge comes first; undefined where all are met. */
function firstOf<L>(charges: readonly Charges<L>[]): Charges<L> | undefined {
  const placeOf = ({ lines, next }: Charges<L>) => lines[next]?.place ?? Number.POSITIVE_INFINITY
  return charges
    .filter(({ lines, next }) => next < lines.length)
    .reduce<Charges<L> | undefined>(
      (first, one) => (first && placeOf(first) < placeOf(one) ? first : one),
      undefined,
    )
}
