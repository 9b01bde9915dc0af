import type { Answer, BodyInput, QueryInput } from '@lockstep/api/define-route'
import * as changes from '@lockstep/api/plan-changes'
import * as deeds from '@lockstep/api/subscription-deeds'
import { readSubscriptionHistory } from '@lockstep/api/subscription-history'
import * as starts from '@lockstep/api/subscription-starts'
import { readSubscriptionStats } from '@lockstep/api/subscription-stats'
import * as subscriptions from '@lockstep/api/subscriptions'
import type { Asking, ItemOf } from './asking.ts'
import type { CallOptions } from './call.ts'
import { listOf } from './list.ts'
import { until, type WaitOptions } from './wait.ts'

/** A subscription through its whole life. */
export function subscriptionCalls({ ask, list }: Asking) {
  return {
    read: (id: string, query?: QueryInput<typeof subscriptions.readSubscription>) =>
      ask(subscriptions.readSubscription, { params: { id }, ...(query && { query }) }),
    list: (query?: QueryInput<typeof subscriptions.listSubscriptions>) =>
      list(subscriptions.listSubscriptions, query),
    /** Gives a customer one; the answer is the subscription, or the registration that is still on its way. */
    create: (body: BodyInput<typeof starts.createSubscription>, more?: CallOptions) =>
      ask(starts.createSubscription, { body }, more),
    /** Begins anew what is over. */
    reactivate: (
      id: string,
      body: BodyInput<typeof starts.reactivateSubscription> = {},
      more?: CallOptions,
    ) => ask(starts.reactivateSubscription, { params: { id }, body }, more),
    /** What beginning anew would come to; nothing is done. Its token has it begin exactly so. */
    previewReactivate: (id: string, body: BodyInput<typeof starts.previewReactivation> = {}) =>
      ask(starts.previewReactivation, { params: { id }, body }),
    /** How many there are, how they stand, and what they bring a month, as of any moment. */
    stats: (query: QueryInput<typeof readSubscriptionStats> = {}) => ask(readSubscriptionStats, { query }),
    /** How it stood at any time, newest first. */
    history: (id: string) =>
      listOf((after) => ask(readSubscriptionHistory, { params: { id }, query: { after } })),
    /** What a change would come to; nothing is done. Its token has the change done exactly so. */
    preview: (id: string, body: BodyInput<typeof changes.previewSubscriptionChange>) =>
      ask(changes.previewSubscriptionChange, { params: { id }, body }),
    /** Another plan, number, payment method: all of it or nothing. */
    change: (id: string, body: BodyInput<typeof changes.changeSubscription>, more?: CallOptions) =>
      ask(changes.changeSubscription, { params: { id }, body }, more),
    /** What was changed of it, newest first, and what is still to come. */
    changes: (id: string) =>
      listOf((after) => ask(changes.listPlanChanges, { params: { id }, query: { after } })),
    readChange: (id: string, change: string) => ask(changes.readPlanChange, { params: { id, change } }),
    /** To be called when the customer is back from the page that a change asked for. */
    resumeChange: (id: string, change: string, more?: CallOptions) =>
      ask(changes.resumePlanChange, { params: { id, change } }, more),
    cancelChange: (id: string, change: string, more?: CallOptions) =>
      ask(changes.cancelPlanChange, { params: { id, change } }, more),
    /** Reads a change until it is no longer on its way: it came to something, or waits for the customer. */
    changeSettled: (id: string, change: string, wait?: WaitOptions<PlanChange>) =>
      until(
        () => ask(changes.readPlanChange, { params: { id, change } }),
        ({ state }) => state !== 'applying',
        wait,
      ),
    /** Ends it: with its period unless told otherwise. */
    cancel: (id: string, body: BodyInput<typeof deeds.cancelSubscription> = {}, more?: CallOptions) =>
      ask(deeds.cancelSubscription, { params: { id }, body }, more),
    /** What ending it so would bill and give back. */
    previewCancel: (id: string, body: BodyInput<typeof deeds.previewCancellation> = {}) =>
      ask(deeds.previewCancellation, { params: { id }, body }),
    /** Takes away whatever keeps it from going on: a planned end, paused collection, a pause. */
    resume: (id: string, more?: CallOptions) => ask(deeds.resumeSubscription, { params: { id } }, more),
    /** Leaves its invoices uncollected for a while. */
    pause: (id: string, body: BodyInput<typeof deeds.pauseSubscription>, more?: CallOptions) =>
      ask(deeds.pauseSubscription, { params: { id }, body }, more),
  }
}

export type Subscription = Answer<typeof subscriptions.readSubscription>
export type SubscriptionStretch = ItemOf<typeof readSubscriptionHistory>
export type SubscriptionStats = Answer<typeof readSubscriptionStats>
export type SubscriptionDeed = Answer<typeof deeds.cancelSubscription>
export type SubscriptionChange = BodyInput<typeof changes.previewSubscriptionChange>
export type ChangePreview = Answer<typeof changes.previewSubscriptionChange>
export type PlanChange = Answer<typeof changes.readPlanChange>
export type ReactivationPreview = Answer<typeof starts.previewReactivation>
export type CancelOptions = BodyInput<typeof deeds.cancelSubscription>
export type CancellationPreview = Answer<typeof deeds.previewCancellation>
