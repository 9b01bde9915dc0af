import { Problem } from '@lockstep/core/problem'
import type { BeginOptions } from '../../workflow/plan-change/begin.ts'
import type { DecideOptions } from '../../workflow/plan-change/decide.ts'
import { fingerprintOf, type PreviewDeps, previewWish } from '../../workflow/plan-change/preview.ts'
import { readPreview } from '../../workflow/plan-change/token.ts'
import { type ChangeWish, hashOfWish } from '../../workflow/plan-change/wish.ts'
import { previewToApi } from './plan-change-to-api.ts'

/**
 * Holds a change to the preview that its token promises: the same prorations, and nothing that moved since.
 * Where that cannot be kept, the refusal carries a new preview, to be shown and sent instead.
 */
export function asShown(
  deps: PreviewDeps,
  subscriptionId: string,
  wish: ChangeWish,
  token: string,
  { mayGivePlans }: DecideOptions,
): BeginOptions {
  const promise = readPreview(token, deps.secrets)
  const refuse = async (why: string) => {
    const preview = previewToApi(await previewWish(deps, subscriptionId, wish, { mayGivePlans }))
    throw new Problem('preview_stale', why, { members: { preview } })
  }
  return {
    prorationDate: promise?.prorationDate,
    async confirm(decision) {
      if (!promise) await refuse('The token of the preview is not one that this service signed.')
      else if (promise.subscription !== subscriptionId || promise.wish !== hashOfWish(wish))
        await refuse('The preview is one of something else.')
      else if (decision.at > promise.expiresAt) await refuse('The preview is too old.')
      else if (promise.fingerprint !== fingerprintOf(decision))
        await refuse('The subscription, the catalogue or the rules changed since the preview.')
    },
  }
}
