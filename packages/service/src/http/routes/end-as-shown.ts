import { isDeepStrictEqual } from 'node:util'
import type { Cancellation } from '@lockstep/core/cancellation'
import { Problem } from '@lockstep/core/problem'
import type { Subscription } from '../../store/subscriptions.ts'
import type { End, StoodAs } from '../../workflow/deeds/cancel.ts'
import {
  type EndPreview,
  type EndPreviewDeps,
  type EndPromise,
  previewEnd,
  readEndPromise,
} from '../../workflow/deeds/end-promise.ts'
import { cancellationPreviewToApi } from './cancellation-to-api.ts'

/** The end that a token promises, of a subscription as it stood when that was last held against how things are. */
export interface ShownEnd {
  readonly wanted: End
  readonly stood: StoodAs
}

/**
 * Holds an end to the preview that its token promises: what was shown is given back, and nothing else has moved since.
 * Where that cannot be kept, the refusal carries a new preview, to be shown and sent instead.
 */
export async function endAsShown(
  deps: EndPreviewDeps,
  subscription: Subscription,
  wanted: Cancellation,
  token: string,
): Promise<ShownEnd> {
  const promise = readEndPromise(token, deps.secrets)
  const now = await previewEnd(deps, subscription, wanted)
  const why = whyStale(promise, now)
  if (why !== undefined || promise === undefined) {
    const preview = cancellationPreviewToApi(now)
    throw new Problem('preview_stale', why ?? NOT_OURS, { members: { preview } })
  }
  return { wanted: { ...wanted, shown: promise.unused }, stood: now.stood }
}

const NOT_OURS = 'The token of the preview is not one that this service signed.'

function whyStale(promise: EndPromise | undefined, { promise: now, at }: EndPreview): string | undefined {
  if (promise === undefined) return NOT_OURS
  const wishOf = ({ subscription, when, unusedTime }: EndPromise) => [subscription, when, unusedTime]
  if (!isDeepStrictEqual(wishOf(promise), wishOf(now))) return 'The preview is one of something else.'
  if (at > promise.expiresAt) return 'The preview is too old.'
  if (promise.fingerprint === now.fingerprint) return undefined
  return 'The subscription, what was used, or what was paid changed since the preview.'
}
