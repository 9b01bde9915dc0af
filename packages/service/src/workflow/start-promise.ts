import { createHash } from 'node:crypto'
import { amountOfTerms } from '@lockstep/core/agreed-terms'
import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import { previewStart } from '../provider/stripe/start-preview.ts'
import { type Attached, attachedOf, soldOf } from '../store/addons.ts'
import { findCustomer } from '../store/customers.ts'
import type { PlanVersion } from '../store/plans.ts'
import { arrive } from '../store/registrations.ts'
import { metersBilledElsewhere, type Subscription } from '../store/subscriptions.ts'
import { untaxed } from '../tax/none.ts'
import { refuseClosed, refuseMeter, refuseTaken } from './begin-registration.ts'
import { checkRegistration } from './check-registration.ts'
import { customerTime } from './observe/customer-time.ts'
import { refuseUnusableMethod } from './plan-change/named-method.ts'
import { invoiceOf, type PreviewInvoice } from './plan-change/preview.ts'
import type { RegisterDeps } from './register.ts'
import { readPromise, signPromise } from './signed.ts'
import { toldItem, wantedItems } from './subscription-items.ts'
import type { Asked, WantedRegistration } from './wanted-registration.ts'

/** What beginning anew comes to, before anything is done. */
export interface StartPreview {
  readonly subscription: string
  readonly version: PlanVersion
  readonly quantity: number
  readonly addons: readonly Attached[]
  readonly trialEndsAt: Instant | null
  /** What it begins with; null of a trial, which begins with nothing. */
  readonly dueNow: PreviewInvoice | null
  /** Of one period, before discounts and tax. */
  readonly recurring: Money
  /** In the customer's own time. */
  readonly at: Instant
  readonly promise: StartPromise
  readonly token: string
}

/** What a preview promises: asked for within the hour, it begins exactly as shown. */
interface StartPromise {
  /** That is over. */
  readonly subscription: string
  /** Of the terms and of every amount. */
  readonly fingerprint: string
  /** In the customer's own time. */
  readonly expiresAt: Instant
}

export interface StartPreviewDeps extends RegisterDeps {
  readonly secrets: readonly string[]
}

/** As long as that of a change. */
const VALID_SECONDS = 3600
const SECONDS_PER_DAY = 86_400

/** Says what a registration in the place of one that is over would come to, and refuses what that would refuse. */
export async function previewStartAnew(
  deps: StartPreviewDeps,
  over: Pick<Subscription, 'id' | 'customerId'>,
  wanted: WantedRegistration,
  asked: Asked,
): Promise<StartPreview> {
  const { db, clock, tax = untaxed } = deps
  refuseClosed(deps.provider)
  const checked = await checkRegistration(deps, wanted, asked)
  if (checked.problem) throw checked.problem
  const { arrivedAt } = await arrive(db, asked.operation)
  await refuseTaken(db, over.customerId, { slot: checked.slot, arrivedAt })
  const { version: sold, addons, withoutTrial } = checked
  const { quantity } = wanted
  const billed = { customerId: over.customerId, subscriptionId: over.id }
  const [at, customer, items, meters] = await Promise.all([
    customerTime(db, clock, over.customerId),
    findCustomer(db, wanted.externalId),
    wantedItems(db, { version: sold, quantity, addons }),
    metersBilledElsewhere(db, { ...billed, planVersionId: sold.id }),
  ])
  refuseMeter(meters)
  const providerCustomer = customer?.providerId ?? null
  if (wanted.paymentMethod !== undefined && providerCustomer !== null)
    await refuseUnusableMethod(
      deps,
      { id: over.customerId, providerId: providerCustomer },
      wanted.paymentMethod,
    )
  const trialDays = withoutTrial ? 0 : sold.plan.trialDays
  const trialEndsAt = trialDays === 0 ? null : at + trialDays * SECONDS_PER_DAY
  const invoice = invoiceOf(
    await previewStart(deps, {
      ...{ providerCustomer, items: items.map(toldItem), trialEnd: trialEndsAt },
      automaticTax: tax.port.isAutomatic,
    }),
  )
  const amounts = [invoice.subtotal, invoice.total, invoice.amountDue, invoice.credited]
  const terms = [sold.id, quantity, addons.map(attachedOf), trialDays, wanted.slot]
  const basis = [
    terms,
    [...amounts, ...invoice.lines.map(({ amount }) => amount)].map(({ minor }) => `${minor}`),
  ]
  const fingerprint = createHash('sha256').update(JSON.stringify(basis)).digest('base64url')
  const promise: StartPromise = { subscription: over.id, fingerprint, expiresAt: at + VALID_SECONDS }
  return {
    ...{ subscription: over.id, version: sold, quantity, addons, trialEndsAt, at, promise },
    dueNow: trialEndsAt === null ? invoice : null,
    recurring: amountOfTerms({ plan: sold.plan, quantity, addons: addons.map(soldOf) }),
    token: signPromise('start1', promise, deps.secrets),
  }
}

/** Why what a token promises cannot be kept, by how things stand now; undefined where it can. */
export function whyStale(
  token: string,
  { promise: now, at }: StartPreview,
  secrets: readonly string[],
): string | undefined {
  const promise = readPromise('start1', token, secrets) as StartPromise | undefined
  if (promise === undefined) return 'The token of the preview is not one that this service signed.'
  if (promise.subscription !== now.subscription) return 'The preview is one of something else.'
  if (at > promise.expiresAt) return 'The preview is too old.'
  if (promise.fingerprint === now.fingerprint) return undefined
  return 'What it comes to changed since the preview: the wish, the catalogue, discounts or a balance.'
}
