import { periodContaining } from '@lockstep/core/billing-cycle'
import { type ItemNumbers, numberOf, ofAddon } from '@lockstep/core/item-numbers'
import { money } from '@lockstep/core/money'
import type { Plan } from '@lockstep/core/plan'
import { isBilledByProvider, type Price } from '@lockstep/core/price'
import { feesOf } from '@lockstep/core/pricing/price-fee'
import { units } from '@lockstep/core/quantity'
import { isTerminal } from '@lockstep/core/subscription'
import type { Attached } from '../store/addons.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import type { BilledSubscription } from '../store/open-invoices.ts'
import type { ShownLine } from './read.ts'

export interface UpcomingFee {
  readonly line: ShownLine
  /** The product that it is sold as. */
  readonly product: string
}

/** What a subscription runs on in the period that the fees are of. */
export interface FeeTerms {
  readonly plan: Plan
  readonly quantity: number
  readonly addons: readonly Attached[]
  readonly itemNumbers: ItemNumbers
}

/** The fees of the period after the invoice's, in advance: none when the subscription is going to end. */
export function upcomingFees(
  { periodStart, periodEnd, currency }: InvoiceRow,
  subscription: BilledSubscription,
  { plan, quantity, addons, itemNumbers }: FeeTerms,
): UpcomingFee[] {
  if (endsBy(subscription, periodEnd)) return []
  const { interval, intervalCount } = plan
  const anchor = subscription.billingCycleAnchor
  const period = periodContaining({ anchor, interval, intervalCount }, periodEnd)
  // Usage that is billed more often has no fee beside it but where both periods end; nor has a period that a shorter rhythm
  // of another item's ends in the middle of the plan's (https://docs.stripe.com/billing/subscriptions/mixed-interval).
  const endsInside = period.start !== periodEnd
  const isInside = endsInside && period.start <= periodStart
  if (isInside || (endsInside && subscription.usageInterval !== null)) return []
  const fees = [
    ...counted(plan.prices.filter(isBilledByProvider), quantity, itemNumbers),
    ...addons.flatMap(({ version: { addon }, quantity: number }) =>
      counted(addon.prices, number, ofAddon(addon.key, itemNumbers)).map((fee) => ({
        ...fee,
        key: `${addon.key}.${fee.key}`,
      })),
    ),
  ]
  return fees.map(({ price, key, number, amount }) => ({
    product: price.product,
    line: {
      id: `upcoming.${key}`,
      key,
      description: price.name,
      period,
      quantity: units(BigInt(number)),
      unitLabel: null,
      amount: money(amount, currency),
      late: false,
      derivation: null,
      reason: null,
      asOf: null,
      billed: [],
      providerId: null,
    },
  }))
}

/** Of prices that are sold together those with an item, each with how many of it are paid for, and what that comes to in minor units. */
function counted(prices: readonly Price[], quantity: number, itemNumbers: ItemNumbers) {
  const amounts = feesOf(prices, quantity, itemNumbers)
  return prices.flatMap((price, index) => {
    const number = numberOf(price, prices, quantity, itemNumbers)
    return number === null ? [] : [{ price, key: price.key, number, amount: amounts[index]?.minor ?? 0n }]
  })
}

function endsBy(
  { status, cancelAt, cancelAtPeriodEnd, currentPeriodEnd, endedAt }: BilledSubscription,
  at: number,
): boolean {
  if (isTerminal(status)) return endedAt === null || endedAt <= at
  if (status === 'paused') return true
  return (cancelAt !== null && cancelAt <= at) || (cancelAtPeriodEnd && currentPeriodEnd <= at)
}
