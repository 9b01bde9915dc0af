import { downToStep } from './charge-step.ts'
import { divideRounded } from './divide.ts'
import type { Billable } from './invoice.ts'
import { type Money, money, subtract, sum } from './money.ts'

// What a line was billed for is not what was paid for it: discounts took their part off. Nothing is taken off what gives
// back, so that has to say itself what was paid for what it takes back.
// https://docs.stripe.com/changelog/2015-03-24/coupons-no-longer-apply-negative-invoice-items

/** A part of a line that stands on a final document. */
export interface BilledPart extends Billable {
  /** Of what is charged, before discounts; of what gives back, what comes back. Both before tax that comes on top. */
  readonly amount: Money
  /** At least nothing: what discounts took off, and of what gives back, what they had taken off what it takes back. */
  readonly discounted: Money
}

/** How much of its line a part stands for, before discounts; below zero where it takes back. */
export function standsFor(part: BilledPart): Money {
  return givesBack(part) ? subtract(part.amount, part.discounted) : part.amount
}

/** What was paid for a part, or came back by it. */
export function paidFor(part: BilledPart): Money {
  return givesBack(part) ? part.amount : subtract(part.amount, part.discounted)
}

/** Nothing can be taken off what charges nothing: where nothing is given back, it was of what discounts took whole. */
function givesBack({ amount, discounted }: BilledPart): boolean {
  return amount.minor < 0n || (amount.minor === 0n && discounted.minor > 0n)
}

/** What is left of a part that was billed. */
export interface StandingPart {
  readonly billed: Money
  readonly discounted: Money
  /** Of `billed`; above zero. */
  readonly left: Money
  /** Of `discounted`, half away from zero: as a discount is rounded. */
  readonly off: Money
}

export interface GivenBack {
  /** At least nothing, in whole steps. */
  readonly amount: Money
  /** The rest of what is taken back: discounts had taken it off. */
  readonly discounted: Money
  /** For the line so far. */
  readonly paid: Money
  /** What stays of it, the oldest first. */
  readonly stays: readonly StandingPart[]
  /** What is paid for what stays. */
  readonly worth: Money
}

/**
 * What comes back of a line when so much of it, above zero, is taken back: what was billed last first, and what is paid for
 * the line beyond what stays. However often it is asked, what comes back in all is the same, never more than was paid, and all
 * of that when nothing is left. What is taken back beyond all that was billed comes back whole.
 *
 * `step`: the smallest amount that can be given back, in the minor unit; rounded down.
 */
export function giveBack(parts: readonly BilledPart[], takenBack: Money, step: bigint): GivenBack {
  const { currency } = takenBack
  const line = newBilledLine<null>()
  for (const part of parts) line.add(standsFor(part).minor, part.discounted.minor, null)
  line.add(-takenBack.minor, 0n, null)
  const worth = money(line.worth(), currency)
  const paid = sum(currency, parts.map(paidFor))
  const most = least(atLeastNothing(paid.minor - worth.minor), takenBack.minor)
  const amount = downToStep(money(most, currency), step)
  const stays = line.standing().map(({ billed, discounted, left }): StandingPart => {
    const off = offOf(discounted, left, billed)
    return {
      ...{ billed: money(billed, currency), discounted: money(discounted, currency) },
      ...{ left: money(left, currency), off: money(off, currency) },
    }
  })
  return { amount, discounted: subtract(takenBack, amount), paid, stays, worth }
}

interface Billed<T> {
  readonly by: T
  readonly billed: bigint
  readonly discounted: bigint
  left: bigint
}

/** A part of what was taken back. */
export interface Taken<T> {
  /** What had billed it; null for what nothing had. */
  readonly by: T | null
  /** Before discounts. */
  readonly minor: bigint
  /** What was paid for it. */
  readonly paid: bigint
}

/** A line as it was billed part by part, and as what of that was taken back again. Amounts are in the minor unit. */
export function newBilledLine<T>() {
  const parts: Billed<T>[] = []
  let beyond = 0n
  return {
    /** Above zero it bills more; below zero it takes back of what was billed, the last first: of whom, and how much. */
    add(minor: bigint, discounted: bigint, by: T): Taken<T>[] {
      if (minor > 0n) {
        const filled = least(minor, beyond)
        beyond -= filled
        parts.push({ by, billed: minor, discounted, left: minor - filled })
        return []
      }
      const taken: Taken<T>[] = []
      let missing = -minor
      for (let last = parts.at(-1); missing > 0n && last; last = parts.at(-1)) {
        const before = worthOf(last)
        const back = least(missing, last.left)
        last.left -= back
        missing -= back
        if (back > 0n) taken.push({ by: last.by, minor: back, paid: before - worthOf(last) })
        if (last.left === 0n) parts.pop()
      }
      beyond += missing
      return missing > 0n ? [...taken, { by: null, minor: missing, paid: missing }] : taken
    },
    /** What stays, the oldest first. */
    standing: (): readonly Readonly<Billed<T>>[] => parts.filter(({ left }) => left > 0n),
    /** What is paid for what stays; below zero by what was taken back beyond all that was billed. */
    worth: (): bigint => parts.reduce((all, part) => all + worthOf(part), -beyond),
  }
}

const worthOf = ({ billed, discounted, left }: Billed<unknown>): bigint =>
  left - offOf(discounted, left, billed)

/** Of what discounts took off a part, what goes with what is left of it. */
const offOf = (discounted: bigint, left: bigint, billed: bigint): bigint =>
  divideRounded(discounted * left, billed)

function least(one: bigint, other: bigint): bigint {
  return other < one ? other : one
}

const atLeastNothing = (minor: bigint): bigint => (minor < 0n ? 0n : minor)
