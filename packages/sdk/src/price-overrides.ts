import type { Answer, BodyInput } from '@lockstep/api/define-route'
import * as overrides from '@lockstep/api/price-overrides'
import type { Asking, ItemOf } from './asking.ts'
import type { CallOptions } from './call.ts'
import { listOf } from './list.ts'

/** A subscription's own prices. */
export function priceOverrideCalls({ ask }: Asking) {
  return {
    /** Says what a subscription's own price would make of its current invoice and its contract. */
    preview: async (subscription: string, body: BodyInput<typeof overrides.overridePrice>) =>
      (await ask(overrides.overridePrice, { params: { id: subscription }, body })) as PriceOverrideEffect,
    /** Gives it that price, or with `terms: null` the plan's again. */
    set: async (subscription: string, body: BodyInput<typeof overrides.overridePrice>, more?: CallOptions) =>
      (await ask(
        overrides.overridePrice,
        { params: { id: subscription }, query: { dryRun: false }, body },
        more,
      )) as PriceOverride,
    /** Who gave it which price, when and why, newest first. */
    list: (subscription: string) =>
      listOf((after) =>
        ask(overrides.listPriceOverrides, { params: { id: subscription }, query: { after } }),
      ),
  }
}

export type PriceOverride = ItemOf<typeof overrides.listPriceOverrides>
export type NewPriceOverride = BodyInput<typeof overrides.overridePrice>
export type PriceOverrideEffect = Exclude<Answer<typeof overrides.overridePrice>, PriceOverride>
