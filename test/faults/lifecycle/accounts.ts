// The money of a customer's lives, one after the other: what was billed, paid, given back and served.

export interface Accounts {
  /** Cents of fees on lines of invoices less their discounts, collected or not. */
  readonly fees: number
  /** Lines that made them: each is rounded, by half a cent at most. */
  readonly lines: number
  /** Cents of usage that is to be billed, once. */
  readonly usage: number
  /** Used in the very second that it is: whose it is shows when that has passed. */
  readonly justUsed: number
  /** Cents given back by credit notes for unused time. */
  readonly notes: number
  /** Cents that the card paid, and that it got back. */
  readonly paid: number
  readonly refunded: number
  /** Cents that lower the next invoices; below zero they raise them. */
  readonly credit: number
  /** Cents' worth of time that service was had and was to be paid for, and of time that nobody used. */
  readonly served: number
  readonly forfeited: number
}

export const nothing: Accounts = {
  ...{ fees: 0, lines: 0, usage: 0, justUsed: 0, notes: 0 },
  ...{ paid: 0, refunded: 0, credit: 0, served: 0, forfeited: 0 },
}

/** Stripe charges no less of a dollar; what is less is owed with the next invoice. https://docs.stripe.com/currencies */
const LEAST_CHARGE = 50

/** What was used in the second of an end is nobody's, unless another subscription begins in it. */
export function closed(accounts: Accounts = nothing): Accounts {
  return { ...accounts, justUsed: 0 }
}

export function passed(
  accounts: Accounts,
  { isBilled, served }: { readonly isBilled: boolean; readonly served: number },
): Accounts {
  const usage = accounts.usage + (isBilled ? accounts.justUsed : 0)
  return { ...accounts, justUsed: 0, usage, served: accounts.served + served }
}

export function used(accounts: Accounts, quantity: number): Accounts {
  return { ...accounts, justUsed: accounts.justUsed + quantity }
}

export function billed(accounts: Accounts, lines: readonly number[]): Accounts {
  const fees = lines.reduce((sum, line) => sum + line, accounts.fees)
  return { ...accounts, fees, lines: accounts.lines + lines.length }
}

/** An invoice made final and paid: the balance first, then the card. Below zero it is credit. */
export function settled(accounts: Accounts, total: number): { charge: number; accounts: Accounts } {
  const { charge, credit } = split(accounts, total)
  return { charge, accounts: { ...accounts, credit, paid: accounts.paid + charge } }
}

/** Made final and not paid: what the balance has paid of it, it has paid. */
export function drawn(accounts: Accounts, total: number): Accounts {
  return { ...accounts, credit: split(accounts, total).credit }
}

function split({ credit }: Accounts, total: number): { charge: number; credit: number } {
  const due = total - credit
  if (due < LEAST_CHARGE) return { charge: 0, credit: 0 - due }
  return { charge: due, credit: 0 }
}

export function givenBack(accounts: Accounts, amount: number, how: 'credit' | 'refund'): Accounts {
  const noted = { ...accounts, notes: accounts.notes + amount, forfeited: accounts.forfeited - amount }
  return how === 'credit'
    ? { ...noted, credit: noted.credit + amount }
    : { ...noted, refunded: noted.refunded + amount }
}

export function refunded(accounts: Accounts, amount: number): Accounts {
  return { ...accounts, refunded: accounts.refunded + amount }
}

export function forfeited(accounts: Accounts, rest: number): Accounts {
  return { ...accounts, forfeited: accounts.forfeited + rest }
}
