import type { Interval } from '@lockstep/core/billing-cycle'
import type { Instant } from '@lockstep/core/instant'
import type { Currency } from '@lockstep/core/money'
import type { DiscountParam, ItemChange, WantedItem } from '../../provider/stripe/subscription-changes.ts'
import type { WantedPage } from '../payment-page.ts'
import type { Stood } from './changed-meanwhile.ts'

export const CHANGE_PLAN = 'change-plan'

/** What is due when a planned change is. */
export const PLANNED_CHANGE = 'planned-change'

/** What is due shortly before a planned change is. */
export const PLANNED_TERMS = 'planned-terms'

/** What was decided, as it is kept with the workflow: the same in every run. */
export interface ChangeInput {
  readonly changeId: string
  readonly customer: { readonly id: string; readonly providerId: string }
  readonly subscription: { readonly id: string; readonly providerId: string }
  readonly planVersionId: string
  readonly stood?: Stood
  /** What the provider is told: now, for the end of the period, or nothing. */
  readonly deed: 'change' | 'schedule' | 'none'
  readonly startsPeriod: boolean
  readonly items: readonly ItemChange[]
  readonly wanted: readonly WantedItem[]
  /**
   * Coupons are redeemed or taken off; which ones, the change itself says. Before that was asked of it, all discounts as
   * they were decided stood here: they are not told any more, because others may run by now.
   */
  readonly discounts: true | readonly DiscountParam[] | null
  /**
   * Of its coupons, those that had been agreed on before, and are given anew. Absent of what was recorded before this was
   * known.
   */
  readonly agreedBefore?: readonly string[]
  readonly trialEnd: Instant | 'now' | null
  readonly prorationDate: Instant
  /** What is given back for time ahead, in minor units as text; null where nothing is. */
  readonly credits?: {
    readonly minor: string
    readonly currency: Currency
    readonly end: Instant
  } | null
  readonly periodEnd: Instant
  readonly rhythm: {
    readonly interval: Interval
    readonly intervalCount: number
    /** Another than before. */
    readonly isNew: boolean
  }
  /** The provider's schedule of what was planned before and does not come. */
  readonly withdraws: string | null
  /** The one of a change that took effect: it has to let go first. Absent of what was recorded before this was known. */
  readonly leftSchedule?: string | null
  readonly paymentMethod: string | null
  readonly paymentPage: WantedPage | null
  /** What paid for the subscription alone before; null where the customer's own did. */
  readonly formerMethod: string | null
  readonly profile: { readonly email?: string | null | undefined; readonly name?: string | null | undefined }
}
