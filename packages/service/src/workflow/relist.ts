import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { passes } from '../passing.ts'
import {
  catalogTypes,
  type Listed,
  type ListedType,
  listed,
  listedOf,
  listedOldestFirst,
  listedTypes,
} from '../provider/stripe/listing.ts'
import { isAbsent } from '../provider/stripe/problems.ts'
import { customersOnClocks, linkedIds } from '../store/mapped-ids.ts'
import { isSeenSo, nextObservation, readObjects } from '../store/provider-objects.ts'
import { knowDiscounts } from './admit/discounts.ts'
import { admit, mayComeIn } from './admit.ts'
import { type Look, type LookDeps, lookAt } from './look.ts'
import { type Observed, observe } from './observe.ts'
import { syncSubscription } from './sync-invoice.ts'

export interface Relisting {
  /** Objects that Stripe listed, other installations' too. */
  readonly looked: number
  /** Of ours, those that were not here as they are there. */
  readonly changed: number
  /** What could not be written down; the log has the reason of each. It keeps none of the others waiting. */
  readonly failed: number
}

/** By the time at which it was made at Stripe. */
type IsMissed = (object: { readonly created: Instant }) => boolean

const none: IsMissed = () => false
const every: IsMissed = () => true

/**
 * Reads Stripe's objects themselves, not what was told of them, and takes over what is not known here: those made
 * since then. `isBeyond`: of that time Stripe keeps no events. Then all of them are read, those on test clocks too;
 * what of ours Stripe lists no more is looked for; and what was made there since is taken up as its event would have
 * it, once whatever it belongs to was. Done again, it changes nothing.
 */
export async function relist(
  deps: LookDeps,
  { since, isBeyond }: { readonly since: Instant; readonly isBeyond: boolean },
): Promise<Relisting> {
  const listing = newListing(deps)
  const isMissed: IsMissed = isBeyond ? ({ created }) => created >= since : none
  if (isBeyond)
    for (const type of catalogTypes.filter((one) => mayComeIn(deps.provider, one)))
      await listing.take(type, listedOldestFirst(deps, type), isMissed)
  for (const type of listedTypes)
    await listing.take(type, listed(deps, type, isBeyond ? null : since), isMissed)
  if (isBeyond) {
    // On a test clock, the time at which something was made says nothing.
    for (const customer of await customersOnClocks(deps.db, deps.provider))
      await listing.takeCustomer(customer, every)
    await listing.lookForGone()
  }
  return listing.end()
}

/** The same for what one customer has. */
export async function relistCustomer(deps: LookDeps, customer: string): Promise<Relisting> {
  const listing = newListing(deps)
  await listing.takeCustomer(customer, none)
  return listing.end()
}

const ofCustomer = ['subscription', 'invoice', 'credit_note'] as const

function newListing(deps: LookDeps) {
  const found = { looked: 0, changed: 0, failed: 0 }
  const seen = new Set<string>()
  const toSync = new Set<string>()

  return {
    take,

    /** Whatever one customer has. Of one that Stripe does not have it lists nothing, it refuses. */
    async takeCustomer(customer: string, isMissed: IsMissed): Promise<void> {
      try {
        for (const type of ofCustomer) await take(type, listedOf(deps, type, customer), isMissed)
      } catch (error) {
        if (!(error instanceof Problem && isAbsent(error.cause))) throw error
        count(
          await oneOfMany(deps, 'customer', customer, () => lookAt(deps, { type: 'customer', id: customer })),
        )
      }
    },

    /** What was deleted at Stripe is in no list: whoever of ours was not met is looked at. */
    async lookForGone(): Promise<void> {
      for (const type of ['customer', 'subscription'] as const) {
        for await (const links of linkedIds(deps.db, deps.provider, type))
          for (const { providerId: id } of links)
            if (!seen.has(id)) count(await oneOfMany(deps, type, id, () => lookAt(deps, { type, id })))
      }
    },

    async end(): Promise<Relisting> {
      for (const subscriptionId of toSync) {
        await syncSubscription(deps, subscriptionId, { reason: 'draft' }).catch((error: unknown) =>
          deps.log.warn({ err: error, subscription: subscriptionId }, 'A closing invoice was not sent yet.'),
        )
      }
      return found
    },
  }

  async function take(
    type: ListedType,
    pages: AsyncGenerator<readonly Listed[]>,
    isMissed: IsMissed,
  ): Promise<void> {
    for (;;) {
      const observation = await nextObservation(deps.db)
      const { value: listedPage, done } = await pages.next()
      if (done === true) return
      // What stands on a test clock may be in the list of all as well.
      const page = listedPage.filter(({ id }) => !seen.has(id))
      for (const { id } of page) seen.add(id)
      found.looked += page.length
      for (const look of await takePage(deps, { type, page, observation, isMissed })) count(look)
    }
  }

  function count(look: Look | 'failed'): void {
    if (look === 'failed') {
      found.failed += 1
      return
    }
    if (look.kind === 'applied' || look.kind === 'gone') found.changed += 1
    if (look.kind === 'applied' && look.syncSubscription) toSync.add(look.syncSubscription)
  }
}

interface ListedPage {
  readonly type: ListedType
  readonly page: readonly Listed[]
  readonly observation: bigint
  readonly isMissed: IsMissed
}

/** What is as we know it costs one read for the page; all else goes the way of every fetch. */
async function takePage(
  deps: LookDeps,
  { type, page, observation, isMissed }: ListedPage,
): Promise<(Look | 'failed')[]> {
  const known = await readObjects(
    deps.db,
    page.map(({ id }) => ({ type, id })),
  )
  const looks: (Look | 'failed')[] = []
  for (const object of page) {
    if (isSeenSo(known.get(`${type} ${object.id}`), object)) continue
    looks.push(
      await oneOfMany(deps, type, object.id, async () => {
        // Stripe listed it as one of this type.
        const observed = { type, object, observation, source: 'fetch' } as Observed
        if (isMissed(object)) await admit(deps, observed)
        else await knowDiscounts(deps, observed)
        const outcome = await observe(deps, observed)
        // A list shows ten of its lines, or not whose it is: then it is looked at by itself.
        const isPart = outcome.kind === 'incomplete' || outcome.kind === 'subscriptionBehind'
        return isPart ? await lookAt(deps, { type, id: object.id }) : outcome
      }),
    )
  }
  return looks
}

/** One that breaks something is told and passed over; what passes by itself ends the whole, to be made again. */
async function oneOfMany(
  deps: LookDeps,
  type: ListedType,
  id: string,
  look: () => Promise<Look>,
): Promise<Look | 'failed'> {
  try {
    return await look()
  } catch (error) {
    if (passes(error)) throw error
    deps.log.error({ err: error, type, object: id }, 'An object of a list could not be written down.')
    return 'failed'
  }
}
