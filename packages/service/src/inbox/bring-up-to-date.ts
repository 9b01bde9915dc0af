import type { Instant } from '@lockstep/core/instant'
import { transaction } from '../postgres/transaction.ts'
import { API_VERSION } from '../provider/stripe/client.ts'
import { confirmObject, type KnownObject, markGone, noteEvent } from '../store/provider-objects.ts'
import { admit, mayBeTakenUp } from '../workflow/admit.ts'
import { type Look, type LookDeps, lookAt } from '../workflow/look.ts'
import { isOurs, observe } from '../workflow/observe.ts'
import { type Group, isEnd, newestOf, settle, shownBy, wayOf, wordFor } from './group.ts'

/**
 * Brings one object up to date for all its waiting events, and settles them with what it writes. The newest
 * payload is taken where nothing can be newer; in every other case the object is fetched, once for all of them.
 */
export async function bringUpToDate(
  deps: LookDeps,
  group: Group,
  known: KnownObject | undefined,
): Promise<Look> {
  const { db, clock } = deps
  const { type, id } = group
  const at = clock.now()
  const newest = newestOf(group)
  const observed = shownBy(group)
  const way = wayOf(group, known)

  if (way === 'covered') {
    await transaction(db, (trx) =>
      Promise.all([noteEvent(trx, { type, id, created: newest.created }), settle(trx, group, 'covered', at)]),
    )
    return { kind: 'stale' }
  }

  if (way === 'confirmed' && observed) {
    const confirmed = await transaction(db, async (trx) => {
      const same = await confirmObject(trx, { ...observed, id, at })
      if (same) await settle(trx, group, 'confirmed', at)
      return same
    })
    if (confirmed) return { kind: 'stale' }
  }

  if (!known && observed) {
    const ended = isEnd(group)
    if (!ended && newest.apiVersion === API_VERSION) await admit(deps, observed)
    if (ended && !(await isOurs(db, observed)))
      return neverOurs(deps, group, { isMarked: mayBeTakenUp(deps.provider, observed), at })
  }
  if (way === 'applied' && observed) {
    const outcome = await observe(deps, observed, (trx, written) =>
      settle(trx, group, wordFor(written, 'applied'), at),
    )
    if (outcome.kind === 'applied' || outcome.kind === 'foreign') return outcome
  } else if (!known && observed && !mayBeTakenUp(deps.provider, observed) && !(await isOurs(db, observed))) {
    await settle(db, group, 'foreign', at)
    return { kind: 'foreign' }
  }

  const looked = await lookAt(deps, { type, id, eventCreated: newest.created }, (outcome) => async (trx) => {
    // An answer has no event time. Where the newest event shows the same, it has that one's, and what is newer can be taken.
    const isTold = outcome.kind === 'applied' && observed && newest.apiVersion === API_VERSION
    await Promise.all([
      isTold && confirmObject(trx, { ...observed, id, at }),
      settle(trx, group, wordFor(outcome, 'fetched'), at),
    ])
  })
  // A newer answer was recorded while this one was on its way.
  if (looked.kind === 'stale') await settle(db, group, 'covered', at)
  if (looked.kind === 'subscriptionBehind' || looked.kind === 'incomplete') {
    throw new Error(`What ${type} ${id} belongs to cannot be seen.`)
  }
  return looked
}

/** Gone before anything was made of it. Where it might have been, that is written down: what is told late of it comes to nothing. */
async function neverOurs(
  { db }: LookDeps,
  group: Group,
  { isMarked, at }: { readonly isMarked: boolean; readonly at: Instant },
): Promise<Look> {
  const { type, id } = group
  const { observation } = newestOf(group)
  await transaction(db, async (trx) => {
    if (isMarked) await markGone(trx, { type, id }, observation, at)
    await settle(trx, group, 'foreign', at)
  })
  return { kind: 'foreign' }
}
