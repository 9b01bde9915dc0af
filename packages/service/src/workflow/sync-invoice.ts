import { flowsOut } from '@lockstep/core/direction'
import { diffInvoiceItems, type ItemDifference } from '@lockstep/core/invoice-diff'
import { Problem } from '@lockstep/core/problem'
import { concludePeriods } from '../invoice/conclude.ts'
import { nameDiscounts } from '../store/discounts-given.ts'
import { problemIn } from '../store/events-expired.ts'
import { intendedItems } from '../store/invoice-items.ts'
import { markSynced, markSyncFailed, needsSync } from '../store/invoices.ts'
import { providerIdOf } from '../store/mappings.ts'
import { knowStandingDiscounts } from './admit/discounts.ts'
import type { LookDeps } from './look.ts'
import { refreshInvoices } from './refresh.ts'
import type { Standing } from './sync/at-stripe.ts'
import { concludeWithoutCustomer } from './sync/customer-gone.ts'
import { type Picture, type PictureOptions, takePicture, type Wanted } from './sync/picture.ts'
import {
  createItem,
  isRefusal,
  Overtaken,
  performCall,
  remember,
  removeItem,
  settleRemovals,
  updateItem,
} from './sync/place.ts'
import { createStandalone } from './sync/standalone.ts'
import { keepUsageInterval } from './sync/usage-interval.ts'
import { whereItemsAre } from './sync/where-items-are.ts'

/** The calls that make Stripe say what the invoices of a subscription say. */
export interface SyncPlan extends ItemDifference<Wanted, Standing> {
  readonly picture: Picture
  /** Writing calls that carrying it out takes. */
  readonly calls: number
}

export interface SyncOptions {
  /** For the log: `schedule`, `request`, `draft`, `clock`. */
  readonly reason: string
  /**
   * What comes next ends the period that runs and bills what is pending: what is promised for a time is told up to
   * now. It stays to be sent, in case the period goes on after all.
   */
  readonly endsPeriod?: boolean
  /** Looks at Stripe also where nothing happened here: somebody may have changed ours by hand there. */
  readonly looks?: boolean
}

/** Looking again after the world moved: an invoice was finalized, another sync was faster. */
const MOST_ROUNDS = 6

/** What a sync would do now. Looks at Stripe, and changes nothing there. */
export async function planSync(
  deps: LookDeps,
  subscriptionId: string,
  { endsPeriod = false, promisedUntil }: Partial<Omit<PictureOptions, 'take'>> = {},
): Promise<SyncPlan | undefined> {
  for (let round = 1; ; round += 1) {
    const plan = await lookAndPlan(deps, subscriptionId, { take: false, endsPeriod, promisedUntil })
    if (plan !== 'again') return plan
    if (round === MOST_ROUNDS) throw unsettled()
  }
}

/**
 * Makes Stripe's items equal to what the invoices of a subscription must say, and makes no call for
 * what is equal already. A subscription to which nothing happened costs none at all, unless it is to be looked at anyway.
 *
 * Safe to run at any time, twice, in two processes, and again after a crash on any line: each call is
 * a committed intention with its own key, and the picture clears `dirty` only together with setting
 * `sync_pending`, which stays until Stripe says the same as the newest picture.
 */
export async function syncSubscription(
  deps: LookDeps,
  subscriptionId: string,
  { reason, endsPeriod = false, looks = false }: SyncOptions,
): Promise<SyncPlan | undefined> {
  const { db, clock, provider } = deps
  if (!flowsOut(provider.sync.directions.invoice)) return undefined
  if (!endsPeriod && !looks && !(await needsSync(db, subscriptionId))) return undefined
  try {
    await knowStandingDiscounts(deps, subscriptionId)
    for (let round = 1; ; round += 1) {
      const plan = await syncOnce(deps, subscriptionId, { isLast: round === MOST_ROUNDS, endsPeriod })
      if (plan === 'again') continue
      if (plan) {
        const open = plan.picture.invoices.filter(({ finalizedAt }) => finalizedAt === null)
        await markSynced(db, open, { at: clock.now(), again: endsPeriod })
        report(deps, subscriptionId, reason, plan)
      }
      return plan
    }
  } catch (error) {
    const problem = problemIn(error) ?? new Problem('internal_error', 'Something broke; the log has it.')
    await markSyncFailed(db, subscriptionId, {
      code: problem.code,
      title: problem.title,
      detail: problem.detail,
    })
    throw error
  }
}

/** One round: settle what is under way, look, and do what differs. `again`: what we looked at moved. */
async function syncOnce(
  deps: LookDeps,
  subscriptionId: string,
  { isLast, endsPeriod }: { readonly isLast: boolean; readonly endsPeriod: boolean },
): Promise<SyncPlan | undefined | 'again'> {
  try {
    await settleIntended(deps, subscriptionId)
    const plan = await lookAndPlan(deps, subscriptionId, { take: true, endsPeriod })
    if (plan === 'again') return isLast ? Promise.reject(unsettled()) : 'again'
    if (!plan) {
      await concludeWithoutCustomer(deps, subscriptionId)
      return undefined
    }
    await keepUsageInterval(deps, plan.picture)
    if (await endOfSubscription(deps, plan)) return isLast ? Promise.reject(unsettled()) : 'again'
    await carryOut(deps, plan, { isLast })
    return plan
  } catch (error) {
    // Another sync of it went on meanwhile.
    if (error instanceof Overtaken) return isLast ? Promise.reject(unsettled()) : 'again'
    if (isLast || !isRefusal(error)) throw error
    // The draft was finalized under our feet, or somebody removed an item: see how it stands now.
    const provider = await providerIdOf(deps.db, 'subscription', subscriptionId)
    if (provider !== undefined) await refreshInvoices(deps, { subscription: provider })
    return 'again'
  }
}

/** Calls whose outcome is not known are made again, exactly the same, before anything else is decided. */
async function settleIntended(deps: LookDeps, subscriptionId: string): Promise<void> {
  await settleRemovals(deps, subscriptionId)
  const rows = await intendedItems(deps.db, subscriptionId)
  const [first] = rows
  if (!first) return
  const customer = await providerIdOf(deps.db, 'customer', first.customerId)
  const subscription = await providerIdOf(deps.db, 'subscription', subscriptionId)
  if (customer === undefined || subscription === undefined) return
  const payer = { provider: { customer, subscription }, subscription: { id: subscriptionId } }
  for (const row of rows) await performCall(deps, payer, row)
}

async function lookAndPlan(
  deps: LookDeps,
  subscriptionId: string,
  how: PictureOptions,
): Promise<SyncPlan | undefined | 'again'> {
  const picture = await takePicture(deps, subscriptionId, how)
  if (!picture) return undefined
  const standing = await whereItemsAre(deps, picture)
  if (standing === 'again') return 'again'
  const toMove = standing.filter((item) => hasToMove(item, picture))
  const difference = diffInvoiceItems(
    picture.wanted,
    standing.filter((item) => !toMove.includes(item)),
  )
  const remove = [...difference.remove, ...toMove]
  const calls = remove.length + difference.update.length + difference.create.length
  return { ...difference, remove, picture, calls }
}

/**
 * A pending item whose line belongs onto a draft that is there: Stripe has no way to move it, so it is
 * taken back and made there; so is one on a draft that nobody will finalize any more. One that somebody put onto another
 * invoice stays where it is.
 */
function hasToMove(item: Standing, { wanted, invoices }: Picture): boolean {
  const isStopped = invoices.some(
    ({ stoppedDraft }) => stoppedDraft !== null && stoppedDraft === item.invoice,
  )
  if ((item.invoice !== null && !isStopped) || item.line === null) return false
  const want = wanted.find(({ line, revision }) => line === item.line && revision === item.revision)
  return want !== undefined && want.destination !== 'subscription'
}

/**
 * What is left of a subscription that is over has no next invoice. It gets one of its own; where it
 * costs nothing, its period is closed without one. True: something changed, look again.
 */
async function endOfSubscription(deps: LookDeps, plan: SyncPlan): Promise<boolean> {
  const { picture, create, remove, keep } = plan
  if (!picture.isOver) return false
  await nameDiscounts(
    deps.db,
    picture.invoices.map(({ id }) => id),
  )
  const isOwing = create.some(
    ({ destination, amount }) => destination === 'standalone' && amount.minor !== 0n,
  )
  const periods = picture.invoices.filter(
    ({ planVersionId, providerInvoiceId, status, lateUsage, id }) =>
      planVersionId !== null &&
      (status === 'closing' ? providerInvoiceId === null : lateUsage) &&
      keep.every(({ reference }) => reference?.originInvoiceId !== id),
  )
  if (!isOwing && periods.length === 0) return false
  // What is not wanted any more, or stands where no invoice will come for it, is taken back first: what cannot be taken
  // back is billed where it stands.
  for (const item of remove) await removeItem(deps, picture, item)
  if (isOwing) {
    await createStandalone(deps, picture)
    return true
  }
  const why = picture.subscription.status === 'incomplete_expired' ? 'neverBegan' : 'nothingOwed'
  const ended = await concludePeriods(deps.db, periods, why, picture.now)
  return remove.length > 0 || ended
}

/**
 * Takes back first and makes last, so that at no moment a line stands twice. What Stripe refuses mostly says that
 * something moved, so it is looked at again; the last time the other lines are told all the same, because an amount that
 * Stripe does not take, or a product that is gone, is no reason not to bill what is right.
 */
async function carryOut(
  deps: LookDeps,
  { picture, remove, update, create, keep }: SyncPlan,
  { isLast }: { readonly isLast: boolean },
): Promise<void> {
  for (const item of remove) await removeItem(deps, picture, item)
  for (const item of keep) {
    const wanted = picture.wanted.find(
      ({ line, revision }) => line === item.line && revision === item.revision,
    )
    if (wanted) await remember(deps, picture, item, wanted)
  }
  let refusal: Problem | undefined
  const tell = async (wanted: Wanted, call: () => Promise<void>) => {
    try {
      await call()
    } catch (error) {
      if (!isLast || !isRefusal(error)) throw error
      refusal ??= named(error, wanted)
    }
  }
  for (const { existing, wanted } of update) {
    await tell(wanted, () => updateItem(deps, picture, existing, wanted))
  }
  for (const wanted of create) {
    // Nowhere to go, and nothing to pay: its period was closed without it.
    if (wanted.destination !== 'standalone') await tell(wanted, () => createItem(deps, picture, wanted))
  }
  if (refusal) throw refusal
}

/** With the line that it is about. */
function named(problem: Problem, { item }: Wanted): Problem {
  return new Problem(problem.code, `${item.description}: ${problem.detail}`, { cause: problem })
}

function report({ log }: LookDeps, subscription: string, reason: string, plan: SyncPlan): void {
  const { create, update, remove, foreign } = plan
  const done = { create: create.length, update: update.length, remove: remove.length }
  log.info({ subscription, reason, ...done, foreign: foreign.length }, 'An invoice was synchronized.')
}

function unsettled(): Problem {
  return new Problem('provider_unavailable', 'The invoice kept changing while it was looked at.', {
    retryAfterSeconds: 60,
  })
}
