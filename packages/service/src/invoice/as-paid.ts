import { type BilledPart, type GivenBack, giveBack } from '@lockstep/core/given-back'
import { type Currency, formatMoney, type Money, money, negate, subtract } from '@lockstep/core/money'
import { quantityOf } from '@lockstep/core/quantity'
import { chargeStep } from '../provider/stripe/amount.ts'
import type { ItemRow } from '../store/invoice-items.ts'
import type { LineToBill } from './rate.ts'

/** A billed item as a part of its line. */
export function toBilledPart(
  { amount, quantity, discounted }: Pick<ItemRow, 'amount' | 'quantity' | 'discounted'>,
  currency: Currency,
): BilledPart {
  return {
    amount: money(amount, currency),
    quantity: quantity === null ? null : quantityOf(quantity),
    discounted: money(discounted, currency),
  }
}

/** What a line gives back is what was paid for it; a line that charges stays as it is. */
export function asPaid(toBill: LineToBill): LineToBill {
  const { left, billed, line } = toBill
  if (left.amount.minor >= 0n) return toBill
  const takenBack = negate(left.amount)
  const given = giveBack(billed, takenBack, chargeStep(takenBack.currency))
  if (given.discounted.minor === 0n) return toBill
  const derivation = { ...line.derivation, givenBack: inWords(takenBack, given) }
  return {
    ...toBill,
    left: { ...left, amount: negate(given.amount) },
    discounted: given.discounted,
    line: { ...line, derivation },
  }
}

function inWords(takenBack: Money, { amount, paid, stays, worth }: GivenBack) {
  return {
    takenBack: formatMoney(takenBack),
    paid: formatMoney(paid),
    stays: stays.map(({ billed, discounted, left, off }) => ({
      ...{ billed: formatMoney(billed), discounted: formatMoney(discounted) },
      ...{ left: formatMoney(left), off: formatMoney(off) },
    })),
    worth: formatMoney(worth),
    exact: formatMoney(subtract(paid, worth)),
    amount: formatMoney(amount),
  }
}
