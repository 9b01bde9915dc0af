// What becomes of a total. Amounts are counted in the smallest unit that the provider rounds to.

/** What can be charged in a currency: nothing less than `minimum`, and whole steps only. */
export interface Chargeable {
  readonly minimum: bigint
  readonly step: bigint
}

export interface Due {
  readonly amount: bigint
  /** What the customer's balance is afterwards; below zero it is credit. */
  readonly balance: bigint
  /** `charged` is all of it; the others put something on the balance, or take it from there. */
  readonly why: 'charged' | 'credited' | 'coveredByBalance' | 'belowMinimum' | 'roundedToStep'
}

/**
 * Whoever has credit pays with it first, and owes what was too little to be charged before. A total below zero becomes
 * credit. Less than the minimum is not charged and stays owed, and so does the fraction of a step, which is rounded half
 * up. https://docs.stripe.com/billing/customer/balance and https://docs.stripe.com/currencies#special-cases
 */
export function amountDue(total: bigint, balance: bigint, { minimum, step }: Chargeable): Due {
  const owed = total + balance
  if (owed <= 0n)
    return {
      ...{ amount: 0n, balance: owed },
      why: total < 0n ? 'credited' : total > 0n ? 'coveredByBalance' : 'charged',
    }
  const amount = ((owed + step / 2n) / step) * step
  if (amount < minimum) return { amount: 0n, balance: owed, why: 'belowMinimum' }
  return { amount, balance: owed - amount, why: amount === owed ? 'charged' : 'roundedToStep' }
}
