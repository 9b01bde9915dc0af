import { areSameAddons } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import { areSameNumbers } from '@lockstep/core/item-numbers'
import { directionOf } from '@lockstep/core/plan-change'
import { isTerminal } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { idOf, ownReference } from '../../provider/stripe/field.ts'
import { type ObservedSchedule, toSchedule } from '../../provider/stripe/to-schedule.ts'
import { loadAttached, soldOf } from '../../store/addons.ts'
import { addDue } from '../../store/due.ts'
import { entityIdOf } from '../../store/mappings.ts'
import {
  addInboundChange,
  readMadeBySchedule,
  unendedChanges,
  withdrawComing,
} from '../../store/plan-changes.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { readLinked } from '../../store/provider-objects.ts'
import type { Row } from '../../store/schema.ts'
import { lockSubscription, noteUnreadSchedule } from '../../store/subscriptions.ts'
import { ELSEWHERE } from '../plan-change/elsewhere.ts'
import { PLANNED_CHANGE } from '../plan-change/input.ts'
import { type Installation, readInstallation } from './installation.ts'
import { Incomplete, type Noun, type Owner } from './noun.ts'
import { planSeen, type TermsSeen, termsSeen } from './terms-seen.ts'

interface ScheduleOwner extends Owner {
  readonly customerId: string
  readonly subscriptionId: string
  readonly installation: Installation
}

/**
 * What a schedule of the provider's is going to make of a subscription is a planned change here, whoever planned it. Only
 * the first phase that makes something else of it is: the ones behind that are seen when it has begun. What cannot be said as a plan of ours is
 * written down as that, and never guessed. One that ends otherwise than by its phases takes the change away.
 */
export const scheduleNoun: Noun<Stripe.SubscriptionSchedule, ScheduleOwner> = {
  async owner(db, object) {
    const { subscription, released_subscription: released } = object
    const id = typeof subscription === 'object' ? (subscription?.id ?? released) : (subscription ?? released)
    if (id === null) return null
    const installation = await readInstallation(db)
    const subscriptionId = await entityIdOf(db, installation, 'subscription', id)
    if (subscriptionId === undefined) return null
    const row = await db
      .selectFrom('subscription')
      .select('customerId')
      .where('id', '=', subscriptionId)
      .executeTakeFirst()
    return row ? { customerId: row.customerId, subscriptionId, installation } : null
  },

  needsGate: async () => false,

  async write(trx, { object, owner, source, now }) {
    // A payload names no more of a price than its id, and an old one would take away what was planned since.
    if (source === 'event') throw new Incomplete()
    const subscription = await lockSubscription(trx, owner.subscriptionId)
    if (!subscription) return {}
    const [at, open] = [await now(), await unendedChanges(trx, owner.subscriptionId)]
    // What we are doing to it at this moment says itself what comes.
    if (open.some(({ state }) => state === 'applying')) return {}
    const seen = toSchedule(object)
    const standing = open.find(({ providerScheduleId }) => providerScheduleId === object.id)
    const isOurs = ownReference(object.metadata).instance === owner.installation.instance
    const made = standing ? undefined : await readMadeBySchedule(trx, owner.subscriptionId, object.id)
    // Made here for another end: the number of payments, for example.
    if (isOurs && !standing && !made) return {}
    const planned = await plannedBy(trx, owner, subscription, seen)
    await noteUnreadSchedule(trx, subscription.id, planned === 'unread' ? UNREAD : null)
    if (planned === 'unread' || planned === undefined || planned.at <= at) {
      await withdraw(trx, subscription.id, object.id, seen, at)
      return {}
    }
    if (standing && isSame(standing, planned)) return {}
    // Made before it was due: its schedule is about to let go.
    if (isOurs && made && isSame(made, planned)) return {}
    await plan(trx, { subscription, schedule: object.id, planned, at })
    return {}
  },
}

/**
 * What was planned by it and is not any more. Of what was due by now its subscription tells, which may be heard of later;
 * where that names the schedule no more, it has told.
 */
async function withdraw(
  trx: Trx,
  subscriptionId: string,
  schedule: string,
  { isRunning, reached }: ObservedSchedule,
  at: Instant,
): Promise<void> {
  const of = { subscriptionId, schedule }
  if (isRunning) {
    // We may hear of the time after we hear of what it brought.
    await withdrawComing(trx, { ...of, after: Math.max(at, reached ?? at), before: reached })
    return
  }
  const picture = (await readLinked(trx, 'subscription', subscriptionId))?.raw as
    | Stripe.Subscription
    | undefined
  const isNamed = picture?.schedule != null && idOf(picture.schedule) === schedule
  await withdrawComing(trx, { ...of, after: isNamed ? (reached ?? at) : 0, before: null })
}

const UNREAD = 'The prices of a phase that comes are linked to no plan here.'

export interface Planned extends TermsSeen {
  readonly at: Instant
}

/** What a schedule is going to make of a subscription. Undefined: it changes nothing of what is agreed on. */
export async function plannedBy(
  trx: Db | Trx,
  { installation }: Pick<ScheduleOwner, 'installation'>,
  row: Row<'subscription'>,
  { isRunning, coming }: ObservedSchedule,
): Promise<Planned | 'unread' | undefined> {
  if (!isRunning || isTerminal(row.status)) return undefined
  for (const { start, items } of coming) {
    if (items === null) return 'unread'
    if ((await planSeen(trx, installation, items, row.planVersionId)) === undefined) return 'unread'
    const terms = await termsSeen(trx, installation, items, row.planVersionId)
    // A phase may change what is no matter of these terms: a discount, how it is collected.
    if (terms !== undefined && !isSameTerms(row, terms)) return { ...terms, at: start }
  }
  return undefined
}

export const isSameTerms = (a: TermsSeen, b: TermsSeen): boolean =>
  a.planVersionId === b.planVersionId &&
  a.quantity === b.quantity &&
  areSameAddons(a.addons, b.addons) &&
  areSameNumbers(a.itemNumbers, b.itemNumbers)

/** It is what is planned, or what that was until it was written down anew, and its schedule told. */
export const isSame = (change: Row<'planChange'>, planned: Planned): boolean =>
  change.dueAt === planned.at &&
  (isSameTerms(change, planned) || (change.stillTold !== null && isSameTerms(change.stillTold, planned)))

async function plan(
  trx: Trx,
  {
    subscription,
    schedule,
    planned: { at: dueAt, ...terms },
    at,
  }: {
    readonly subscription: Row<'subscription'>
    readonly schedule: string
    readonly planned: Planned
    readonly at: Instant
  },
): Promise<void> {
  const { id: subscriptionId, customerId, planVersionId, quantity, addons, itemNumbers } = subscription
  const [from, to] = await Promise.all([soldAs(trx, subscription), soldAs(trx, terms)])
  const id = newId('plan_change')
  await addInboundChange(trx, {
    ...{ id, customerId, subscriptionId, workflowId: newId('workflow') },
    ...{ fromPlanVersionId: planVersionId, fromQuantity: quantity, fromAddons: addons },
    ...{ fromItemNumbers: itemNumbers, ...terms },
    direction: directionOf(from, to),
    ...{ dueAt, providerScheduleId: schedule, contractId: newId('contract') },
    ...{ requestedBy: ELSEWHERE, requestOrigin: ELSEWHERE, at },
  })
  await addDue(trx, { customerId, kind: PLANNED_CHANGE, subjectId: id, dueAt, at })
}

/** Of what a change leads from or to, what it is sold as. */
export async function soldAs(trx: Trx, { planVersionId, quantity, addons, itemNumbers }: TermsSeen) {
  const { plan } = await loadPlanVersion(trx, planVersionId)
  return { plan, quantity, addons: (await loadAttached(trx, addons)).map(soldOf), itemNumbers }
}
