import { addonsInWords } from '@lockstep/core/addon'
import { type DriftValue, fieldDifferences } from '@lockstep/core/drift'
import { formatInstant } from '@lockstep/core/instant'
import { numbersInWords } from '@lockstep/core/item-numbers'
import { directionOf } from '@lockstep/core/plan-change'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { transaction } from '../../postgres/transaction.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { fetchSchedule } from '../../provider/stripe/schedules.ts'
import { toSchedule } from '../../provider/stripe/to-schedule.ts'
import { restoreScheduled, scheduledAtProvider } from '../../store/drift.ts'
import { makeDue } from '../../store/due.ts'
import { readObject } from '../../store/provider-objects.ts'
import type { Row } from '../../store/schema.ts'
import { lockSubscription, subscriptionRows } from '../../store/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import { readInstallation } from '../observe/installation.ts'
import { isSame, isSameTerms, type Planned, plannedBy, soldAs } from '../observe/schedule.ts'
import { PLANNED_CHANGE } from '../plan-change/input.ts'
import type { Drift } from './drift.ts'

/**
 * What is planned and a schedule of the provider's is to carry out, or of one schedule alone: whether that is going to do it, and
 * then. A schedule that was let go, or turned its page, is told by its subscription.
 */
export async function comparePlannedChanges(deps: LookDeps, only?: string): Promise<Drift[]> {
  const drifts: Drift[] = []
  for (const change of await scheduledAtProvider(deps.db, only))
    drifts.push(...(await compareOne(deps, change)))
  return drifts
}

async function compareOne(deps: LookDeps, change: Row<'planChange'>): Promise<Drift[]> {
  const { id: entityId, providerScheduleId } = change
  if (providerScheduleId === null) return []
  const known = { entity: 'plannedChange', entityId, providerId: providerScheduleId } as const
  const schedule = await fetched(deps, providerScheduleId)
  if (schedule === undefined) {
    const reason = 'The provider has no such schedule any more, and nothing comes of it.'
    return [{ ...known, kind: 'missingThere', differences: [], cause: 'gone', repair: 'look', reason }]
  }
  const there = await plannedThere(deps, change, schedule)
  if (there === undefined || isSame(change, there)) return []
  const differences = fieldDifferences(
    inWords({ ...(isSameTerms(change.stillTold ?? change, there) ? there : change), at: change.dueAt }),
    inWords(there),
  )
  if (differences.length === 0) return []
  const raw = (await readObject(deps.db, { type: 'subscription_schedule', id: schedule.id }))?.raw
  const seen = isWhole(raw) ? await plannedThere(deps, change, raw) : undefined
  return [
    seen !== undefined && seen.at === there.at && isSameTerms(seen, there)
      ? {
          ...{ ...known, kind: 'differs', differences, cause: 'changedHere', repair: 'look' },
          reason: 'Its schedule was seen as it is there; what is planned was written by other hands.',
        }
      : {
          ...{ ...known, kind: 'differs', differences, cause: 'missed', repair: 'look' },
          reason: 'Its schedule changed at the provider and nothing told us.',
        },
  ]
}

/** Writes down again what its schedule says of a change, which stays whoever's it was. */
export async function restorePlanned(deps: LookDeps, schedule: string): Promise<void> {
  const [change] = await scheduledAtProvider(deps.db, schedule)
  if (!change) return
  const there = await plannedThere(deps, change, await fetchSchedule(deps, schedule))
  if (there === undefined) return
  await transaction(deps.db, async (trx) => {
    const subscription = await lockSubscription(trx, change.subscriptionId)
    if (!subscription) throw new Error(`There is no subscription ${change.subscriptionId}.`)
    const [from, to] = await Promise.all([soldAs(trx, subscription), soldAs(trx, there)])
    const { at: dueAt, ...terms } = there
    const { id: subjectId, customerId } = change
    if (await restoreScheduled(trx, { id: subjectId, ...terms, dueAt, direction: directionOf(from, to) }))
      await makeDue(trx, { customerId, kind: PLANNED_CHANGE, subjectId, dueAt, at: deps.clock.now() })
  })
}

/** Undefined: nothing that can be said as a plan of ours. */
async function plannedThere(
  { db }: LookDeps,
  { subscriptionId }: Row<'planChange'>,
  schedule: Stripe.SubscriptionSchedule,
): Promise<Planned | undefined> {
  const [row] = await subscriptionRows(db, { ids: [subscriptionId] })
  if (!row) throw new Error(`There is no subscription ${subscriptionId}.`)
  const planned = await plannedBy(db, { installation: await readInstallation(db) }, row, toSchedule(schedule))
  return planned === 'unread' ? undefined : planned
}

/** A payload names no more of a price than its id. */
function isWhole(raw: unknown): raw is Stripe.SubscriptionSchedule {
  const { phases = [] } = (raw ?? {}) as Partial<Stripe.SubscriptionSchedule>
  return (
    raw !== undefined && phases.every(({ items }) => items.every(({ price }) => typeof price !== 'string'))
  )
}

const inWords = ({
  at,
  planVersionId,
  quantity,
  addons,
  itemNumbers,
}: Omit<Planned, 'at'> & { readonly at: Planned['at'] | null }): Record<string, DriftValue> => ({
  dueAt: at === null ? null : formatInstant(at),
  ...{ planVersion: planVersionId, quantity },
  ...{ addons: addonsInWords(addons), itemNumbers: numbersInWords(itemNumbers) },
})

async function fetched(deps: LookDeps, id: string): Promise<Stripe.SubscriptionSchedule | undefined> {
  try {
    return await fetchSchedule(deps, id)
  } catch (error) {
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  }
}
