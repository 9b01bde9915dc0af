import { type Interval, intervals } from './billing-cycle.ts'
import type { SyncPolicy } from './direction.ts'
import type { Currency, Money } from './money.ts'
import { type Fraction, monthlyMoney, weightsOf } from './recurring-revenue.ts'

/**
 * Whoever imports wants what is there: everything comes in, and what a subscription lacks is made. What is sold
 * here goes on being told to the provider.
 */
export const importPolicy: SyncPolicy = {
  directions: { customer: 'both', plan: 'both', price: 'both', subscription: 'both', invoice: 'both' },
  missingCustomer: 'create',
  missingPlan: 'create',
}

/** What one subscription earns in one of its intervals, as the provider has it. */
export interface Fee {
  readonly currency: Currency
  readonly interval: Interval
  readonly intervalCount: number
  readonly amount: bigint
}

/** Adds fees up to what they bring a month, for each currency; exact until the last sum is rounded. */
export class MonthlySum {
  readonly #fees = new Map<string, bigint>()

  add({ currency, interval, intervalCount, amount }: Fee): void {
    const key = `${currency} ${interval} ${intervalCount}`
    this.#fees.set(key, (this.#fees.get(key) ?? 0n) + amount)
  }

  total(): Money[] {
    const { scale, sums } = this.#weighted()
    return [...sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, weighted]) => monthlyMoney(weighted, scale, currency))
  }

  /** Of one currency, in minor units, before anything is rounded. */
  exact(currency: Currency): Fraction {
    const { scale, sums } = this.#weighted()
    return { numerator: sums.get(currency) ?? 0n, denominator: scale }
  }

  #weighted() {
    const fees = [...this.#fees].map(([key, amount]) => ({ ...readKey(key), amount }))
    const { scale, weights } = weightsOf(fees)
    const sums = new Map<Currency, bigint>()
    for (const [index, { currency, amount }] of fees.entries())
      sums.set(currency, (sums.get(currency) ?? 0n) + amount * (weights[index]?.weight ?? 0n))
    return { scale, sums }
  }
}

/** Whether two exact amounts of a month are the same, whatever they are divided by. */
export function isSameShare(one: Fraction, other: Fraction): boolean {
  return one.numerator * other.denominator === other.numerator * one.denominator
}

function readKey(key: string) {
  const [currency = '', said = '', count = '1'] = key.split(' ')
  const interval = intervals.find((known) => known === said) ?? 'month'
  return { currency, interval, intervalCount: Number(count) }
}
