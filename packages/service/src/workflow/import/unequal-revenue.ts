import { isSameShare, type MonthlySum } from '@lockstep/core/import'
import type { Currency, Money } from '@lockstep/core/money'
import { monthlyMoney } from '@lockstep/core/recurring-revenue'
import {
  type Earning,
  type Revenue,
  readEarnings,
  readUnshownEarnings,
} from '../../store/subscription-stats.ts'
import type { LookDeps } from '../look.ts'

/** One whose monthly amount is not the same on both sides; amounts in minor units, as text. */
export interface UnequalRevenue {
  /** Ours; null where it has no history here. */
  readonly subscription: string | null
  readonly customer: string | null
  readonly providerId: string | null
  readonly currency: Currency
  readonly there: string
  readonly here: string
}

/** Names whose revenue differs, as many as are asked for, and counts all. */
export class UnequalRevenues {
  readonly named: UnequalRevenue[] = []
  count = 0
  readonly #deps: Pick<LookDeps, 'db' | 'provider'>
  readonly #revenue: Revenue
  readonly #most: number

  constructor(deps: Pick<LookDeps, 'db' | 'provider'>, revenue: Revenue, most: number) {
    this.#deps = deps
    this.#revenue = revenue
    this.#most = most
  }

  /** By the provider's ids: what each earns a month there. */
  async compare(there: ReadonlyMap<string, MonthlySum>): Promise<void> {
    const { db, provider } = this.#deps
    const earnings = await readEarnings(db, this.#revenue, provider, [...there.keys()])
    const here = new Map(earnings.map((earning) => [earning.providerId, earning]))
    for (const [providerId, sum] of there) this.#compareOne(providerId, sum, here.get(providerId))
  }

  /** What nothing is shown of there. */
  async addUnshown(): Promise<void> {
    const { db, provider } = this.#deps
    const most = Math.max(1, this.#most - this.named.length)
    const { earnings, count } = await readUnshownEarnings(db, this.#revenue, provider, most)
    this.count += count
    for (const earning of earnings) this.#name(earning, { there: 0n, here: this.#monthly(earning) })
  }

  #compareOne(providerId: string, sum: MonthlySum, earning: Earning | undefined): void {
    const totals = new Map(sum.total().map((total) => [total.currency, total]))
    for (const currency of new Set([...totals.keys(), ...(earning ? [earning.currency] : [])])) {
      const of = earning?.currency === currency ? earning : undefined
      const exact = { numerator: of?.mrr ?? 0n, denominator: this.#revenue.scale }
      if (isSameShare(sum.exact(currency), exact)) continue
      this.count += 1
      const known = earning ?? { subscription: null, customer: null }
      const amounts = { there: totals.get(currency)?.minor ?? 0n, here: of ? this.#monthly(of) : 0n }
      this.#name({ ...known, providerId, currency }, amounts)
    }
  }

  #monthly({ mrr, currency }: Pick<Earning, 'mrr' | 'currency'>): Money['minor'] {
    return monthlyMoney(mrr, this.#revenue.scale, currency).minor
  }

  #name(
    { subscription, customer, providerId, currency }: Omit<UnequalRevenue, 'there' | 'here'>,
    { there, here }: { readonly there: bigint; readonly here: bigint },
  ): void {
    if (this.named.length >= this.#most) return
    this.named.push({ subscription, customer, providerId, currency, there: `${there}`, here: `${here}` })
  }
}
