import type { BodyInput, QueryInput } from '@lockstep/api/define-route'
import * as limits from '@lockstep/api/spend-limits'
import type { Asking, ItemOf } from './asking.ts'
import type { CallOptions } from './call.ts'
import { listOf } from './list.ts'

/** What a customer wants to be told of, or not to exceed. */
export function spendLimitCalls({ ask }: Asking) {
  return {
    /** Takes the place of the limit of the same side and meter. */
    set: (customer: string, body: BodyInput<typeof limits.setSpendLimit>, more?: CallOptions) =>
      ask(limits.setSpendLimit, { params: { id: customer }, body }, more),
    /** What holds, and how far it is used; with `ended` those too that do not any more. */
    list: (customer: string, query: QueryInput<typeof limits.listSpendLimits> = {}) =>
      listOf((after) =>
        ask(limits.listSpendLimits, { params: { id: customer }, query: { ...query, after } }),
      ),
    end: (customer: string, limit: string) => ask(limits.endSpendLimit, { params: { id: customer, limit } }),
    /** Which figures were reached. */
    alerts: (customer: string, query: QueryInput<typeof limits.listSpendAlerts> = {}) =>
      listOf((after) =>
        ask(limits.listSpendAlerts, { params: { id: customer }, query: { ...query, after } }),
      ),
  }
}

export type SpendLimit = ItemOf<typeof limits.listSpendLimits>
export type SpendAlert = ItemOf<typeof limits.listSpendAlerts>
