import { createHash } from 'node:crypto'
import type { Instant } from '@lockstep/core/instant'
import type { ChangeMoment } from '@lockstep/core/plan-change'
import type { Accepted } from '../../contract/acceptance.ts'
import type { WantedAddon } from '../check-addons.ts'
import type { WantedPage } from '../payment-page.ts'

/** What a subscription shall become. What is left out stays as it is. */
export interface ChangeWish {
  readonly plan?: string | undefined
  readonly quantity?: number | undefined
  /** With their new numbers; those that are not named stay. */
  readonly addons?: readonly WantedAddon[] | undefined
  /** By key, beside those that run. */
  readonly coupons?: readonly string[] | undefined
  /** By key: they run no more. */
  readonly withoutCoupons?: readonly string[] | undefined
  readonly trial?: 'end' | undefined
  readonly trialEnd?: Instant | undefined
  readonly when?: ChangeMoment | undefined
  readonly paymentMethod?: string | undefined
  readonly paymentPage?: WantedPage | undefined
  readonly email?: string | null | undefined
  readonly name?: string | null | undefined
  /** What is scheduled does not come; a wish for a plan or a number says so too. */
  readonly withdraw?: true | undefined
}

/** Who wishes it, and with what authority. */
export interface ChangeAsked {
  /** The idempotency operation of the request. */
  readonly operation: string
  /** The caller's id. */
  readonly requestedBy: string
  /** May choose plans that are for the operator to give. */
  readonly mayGivePlans: boolean
  readonly requestOrigin: string | null
  readonly accepted: Accepted
}

/** Equal for equal wishes. How it is paid, and where the customer comes back to, is part of the wish too. */
export function hashOfWish(wish: ChangeWish): string {
  const { plan, quantity, coupons, trial, trialEnd, when, paymentMethod, paymentPage, email, name } = wish
  const asked = [
    ...[plan, quantity, [...(coupons ?? [])].sort(), trial, trialEnd, when],
    ...(wish.withoutCoupons === undefined ? [] : [[...wish.withoutCoupons].sort()]),
    ...[paymentMethod, paymentPage !== undefined, email, name, wish.withdraw],
    ...(wish.addons ?? []).map(({ addon, quantity: number }) => `${addon} ${number}`).sort(),
  ]
  return createHash('sha256')
    .update(JSON.stringify(asked, (_, value) => (value === undefined ? '' : value)))
    .digest('hex')
}

/** Whether it is about more than how things are paid and who pays. */
export function changesTerms(wish: ChangeWish): boolean {
  const { plan, quantity, addons, trial, trialEnd } = wish
  const named = [plan, quantity, trial, trialEnd].some((value) => value !== undefined)
  return named || namesCoupons(wish) || (addons ?? []).length > 0
}

/** Redeemed or taken off. */
export function namesCoupons({ coupons = [], withoutCoupons = [] }: ChangeWish): boolean {
  return coupons.length > 0 || withoutCoupons.length > 0
}
