import { createHash } from 'node:crypto'
import { type Cancellation, refuseOver } from '@lockstep/core/cancellation'
import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import { providerIdOf } from '../../store/mappings.ts'
import { readObject } from '../../store/provider-objects.ts'
import { readSubscription, type Subscription } from '../../store/subscriptions.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { lookAtBoth, readStanding } from '../plan-change/standing.ts'
import { readPromise, signPromise } from '../signed.ts'
import type { Unused } from './give-back.ts'
import { type CancellationPreview, previewCancellation } from './preview-cancel.ts'

/** What a preview of an end promises: asked for within the hour, it is done exactly as shown. */
export interface EndPromise extends Cancellation {
  readonly subscription: string
  /** What is given back: of the moment of the preview. */
  readonly unused: Unused | null
  /** Of everything else that was shown, and of what it was computed from. */
  readonly fingerprint: string
  /** In the customer's own time. */
  readonly expiresAt: Instant
}

export interface EndPreview extends CancellationPreview {
  readonly promise: EndPromise
  readonly token: string
  /** As it stood. */
  readonly stood: Subscription
}

export interface EndPreviewDeps extends LookDeps {
  readonly secrets: readonly string[]
}

/** As long as that of a change. */
const VALID_SECONDS = 3600

/** The promise of a token that any of the secrets signed; undefined for every other text. */
export function readEndPromise(token: string, secrets: readonly string[]): EndPromise | undefined {
  return readPromise('end1', token, secrets) as EndPromise | undefined
}

/**
 * What an end would bill and give back, with a token that holds the deed to it. Looks at the subscription and at who pays
 * first, so that what is shown is what is so at the provider.
 */
export async function previewEnd(
  deps: EndPreviewDeps,
  seen: Subscription,
  { when, unusedTime }: Cancellation,
): Promise<EndPreview> {
  // What is over here is over, whatever the provider says.
  refuseOver(seen)
  const providerId = await providerIdOf(deps.db, 'subscription', seen.id)
  if (providerId !== undefined) await lookAtBoth(deps, { providerId, customerId: seen.customerId })
  const stood = (await readSubscription(deps.db, seen.id)) ?? seen
  const preview = await previewCancellation(deps, stood, { when, unusedTime }).catch(
    async (error: unknown) => {
      // It may end while it is looked at, and the provider previews no end of what is over.
      if (providerId !== undefined) await lookAt(deps, { type: 'subscription', id: providerId })
      refuseOver((await readSubscription(deps.db, seen.id)) ?? seen)
      throw error
    },
  )
  const promise: EndPromise = {
    ...{ subscription: seen.id, when, unusedTime, unused: preview.unused },
    fingerprint: await fingerprintOf(deps, stood, providerId, { when, preview }),
    expiresAt: preview.at + VALID_SECONDS,
  }
  return { ...preview, promise, token: signPromise('end1', promise, deps.secrets), stood }
}

interface Shown {
  readonly when: Cancellation['when']
  readonly preview: CancellationPreview
}

/**
 * Equal as long as the same end comes to the same, but for the seconds that go by. What an end later bills of usage is not known
 * yet: of that only the date counts.
 */
async function fingerprintOf(
  deps: LookDeps,
  stood: Subscription,
  providerId: string | undefined,
  { when, preview }: Shown,
): Promise<string> {
  const { status, cancelAt, cancelAtPeriodEnd, planVersionId, quantity, addons, currentPeriodEnd } = stood
  const seen = providerId && (await readObject(deps.db, { type: 'subscription', id: providerId }))
  const standing = seen && providerId && (await readStanding(deps, providerId, seen))
  const { usage, discounts, tax, toBill, basis, endsAt } = preview
  const text = (money: Money | null) => money && `${money.minor} ${money.currency}`
  const billed = [
    usage.map(({ amount }) => text(amount)),
    discounts.map(({ coupon, name, amount }) => [coupon, name, text(amount)]),
    ...[text(tax), text(toBill)],
  ]
  const terms = standing && [standing.items, standing.discounts, standing.isTaxed, standing.period]
  const state = [status, cancelAt, cancelAtPeriodEnd, planVersionId, quantity, addons, currentPeriodEnd]
  const shown = when === 'now' ? [billed, basis] : endsAt
  return createHash('sha256')
    .update(JSON.stringify([state, terms, shown]))
    .digest('base64url')
}
