import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import type Stripe from 'stripe'
import { idOf } from '../../provider/stripe/field.ts'
import { type ObservedSubscriptionItem, toSubscription } from '../../provider/stripe/to-subscription.ts'
import { isLeftBehind } from '../../store/customer-erasures.ts'
import { providerIdOf } from '../../store/mappings.ts'
import { readObject, type SeenObject } from '../../store/provider-objects.ts'
import { type LookDeps, lookAt } from '../look.ts'

/** How a subscription stands at the provider, as it was last seen. */
export interface Standing {
  readonly items: readonly ObservedSubscriptionItem[]
  /** Ids of the discounts that run, in the order in which they are applied. */
  readonly discounts: readonly string[]
  /** The subscription or an item of it; what is the customer's own, see {@link payerDiscount}. */
  readonly isDiscounted: boolean
  readonly isTaxed: boolean
  /** What pays for it alone; null where the customer's own does. */
  readonly paymentMethod: string | null
  /** Its invoices are sent to the customer, who pays them in some days, by whatever means: nothing is charged. */
  readonly isSent: boolean
  readonly period: Period
  readonly trialEnd: Instant | null
  /** The provider's id of the schedule that it follows. */
  readonly schedule: string | null
}

/** Looks at everything that what is shown of a change depends on at the provider: the subscription, and who pays for it. */
export async function lookAtBoth(
  deps: LookDeps,
  { providerId, customerId }: { readonly providerId: string; readonly customerId: string },
): Promise<void> {
  const payer = await providerIdOf(deps.db, 'customer', customerId)
  await Promise.all([
    lookAt(deps, { type: 'subscription', id: providerId }),
    payer !== undefined && lookAt(deps, { type: 'customer', id: payer }),
  ])
}

/** What we last saw of it; of one that we never saw, the provider is asked. */
export async function readStanding(
  deps: LookDeps,
  providerSubscription: string,
  seen: Seen | undefined,
): Promise<Standing> {
  const key = { type: 'subscription', id: providerSubscription } as const
  if (!seen) await lookAt(deps, key)
  const raw = (seen ?? (await readObject(deps.db, key)))?.raw as Stripe.Subscription | undefined
  if (!raw) throw new Error(`The provider does not know ${providerSubscription}.`)
  const { items, currentPeriod, trial, defaultPaymentMethod: paymentMethod, schedule } = toSubscription(raw)
  return {
    items,
    discounts: raw.discounts.map(idOf),
    isDiscounted: raw.discounts.length > 0 || raw.items.data.some(({ discounts }) => discounts.length > 0),
    isTaxed: raw.automatic_tax.enabled || (raw.default_tax_rates ?? []).length > 0,
    paymentMethod,
    isSent: raw.collection_method === 'send_invoice',
    period: currentPeriod,
    trialEnd: trial?.end ?? null,
    schedule,
  }
}

/**
 * Whether there is something to charge. What we saw of the customer is believed when it says yes; a no
 * may be old, and is asked about. What a person left who was forgotten is nothing.
 */
export async function hasPaymentMethod(
  deps: LookDeps,
  customer: { readonly id: string; readonly providerId: string },
  { paymentMethod }: Standing,
  seen: Seen | undefined,
): Promise<boolean> {
  const isTheirs = async (method: string | null) =>
    method !== null && !(await isLeftBehind(deps.db, customer.id, method))
  if (await isTheirs(paymentMethod ?? methodOf(seen))) return true
  const key = { type: 'customer', id: customer.providerId } as const
  await lookAt(deps, key)
  return isTheirs(methodOf(await readObject(deps.db, key)))
}

/** The provider's id of the discount that the customer has of their own, which a subscription without one inherits. */
export function payerDiscount(seen: Seen | undefined): string | null {
  const { discount = null } = (seen?.raw ?? {}) as Partial<Stripe.Customer>
  return discount?.id ?? null
}

/** What the customer has to their credit, below zero, or owes, in the provider's units: the next invoice is charged less, or more. */
export function payerBalance(seen: Seen | undefined): number {
  const { balance = 0 } = (seen?.raw ?? {}) as Partial<Stripe.Customer>
  return balance
}

type Seen = Pick<SeenObject, 'raw'>

function methodOf(seen: Seen | undefined): string | null {
  const raw = seen?.raw as Partial<Stripe.Customer> | undefined
  const method = raw?.invoice_settings?.default_payment_method ?? null
  return method === null ? null : idOf(method)
}
