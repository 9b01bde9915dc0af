import { flowsOut } from '@lockstep/core/direction'
import { type FieldDifference, fieldDifferences, judgeDifference, saysTheSame } from '@lockstep/core/drift'
import type Stripe from 'stripe'
import { TELL_CUSTOMER } from '../../provider/stripe/customers.ts'
import { type LinkedCustomer, linkedCustomers } from '../../store/drift.ts'
import { isTheirs } from '../../store/mappings.ts'
import { readObjects } from '../../store/provider-objects.ts'
import { type SaidWord, saidWords } from '../../store/said-words.ts'
import type { LookDeps } from '../look.ts'
import type { Compared, Drift } from './drift.ts'
import { compareCustomersNamed } from './lost-links.ts'
import { compareUnlinked } from './unlinked.ts'

/** Who customers are. Whoever was erased here is nobody any more, whatever still stands there. */
export async function compareCustomers(
  deps: LookDeps,
  objects: readonly Stripe.Customer[],
): Promise<Compared> {
  const { db, provider } = deps
  const ids = objects.map(({ id }) => id)
  const [linked, pictures] = await Promise.all([
    linkedCustomers(db, provider, ids),
    readObjects(
      db,
      ids.map((id) => ({ type: 'customer', id })),
    ),
  ])
  const rows = new Map(linked.map((row) => [row.providerId, row]))
  const isTold = flowsOut(provider.sync.directions.customer)
  const differing = (object: Stripe.Customer) => differencesOf(rows.get(object.id), object, isTold)
  const ours = objects.filter(
    (object) => differing(object).length > 0 && !isTheirs(rows.get(object.id)?.origin ?? 'link'),
  )
  const words = await saidWords(
    db,
    ours.map(({ id }) => id),
    TELL_CUSTOMER,
  )
  const drifts = objects.flatMap((object): Drift[] => {
    const row = rows.get(object.id)
    if (!row) return []
    const { entityId, origin } = row
    const known = { entity: 'customer', kind: 'differs', entityId, providerId: object.id } as const
    const marked = row.isMarkedDeleted ? [markedDeleted(known)] : []
    if (row.isErased) return marked
    const raw = pictures.get(`customer ${object.id}`)?.raw as Partial<Stripe.Customer> | undefined
    const discounted = raw === undefined ? [] : discountMissed(known, raw, object)
    const differences = differing(object)
    if (differences.length === 0) return [...marked, ...discounted]
    // Only what is compared: a card that became the default says nothing about a name.
    const seen = { name: raw?.name || null, email: raw?.email || null }
    const verdict = judgeDifference({
      entity: 'customer',
      differences,
      seenAsItIs: raw !== undefined && saysTheSame(seen, differences),
      isTheirs: isTheirs(origin),
      changed: changedOn(
        words.filter(({ providerId }) => providerId === object.id),
        differences,
      ),
    })
    return [...marked, { ...known, differences, ...verdict }, ...discounted]
  })
  const others = objects.filter(({ id }) => !rows.has(id))
  const unlinked = await compareUnlinked(deps, 'customer', others)
  const named = await compareCustomersNamed(deps, others)
  return { drifts: [...drifts, ...unlinked.drifts, ...named], underWay: unlinked.underWay }
}

function differencesOf(
  row: LinkedCustomer | undefined,
  object: Stripe.Customer,
  isTold: boolean,
): readonly FieldDifference[] {
  if (row === undefined || row.isErased) return []
  // Followed nowhere and told nowhere, each side calls them as it does.
  if (!isTold && !isTheirs(row.origin)) return []
  const here = { name: row.name || null, email: row.email || null }
  const there = { name: object.name || null, email: object.email || null }
  // Of one of ours, what was never said here may be whatever it is there.
  return fieldDifferences(here, there).filter(({ here: said }) => isTheirs(row.origin) || said !== null)
}

/**
 * On which side all of them were changed. What we told last says it: it stands on one of the two sides still. Or an event
 * does, which told that just what stands here was changed there. Null: nothing says it.
 */
function changedOn(
  words: readonly SaidWord[],
  differences: readonly FieldDifference[],
): 'here' | 'there' | null {
  const told = words.filter(({ isOurs }) => isOurs).at(-1)
  const sides = new Set(
    differences.map(({ field, here, there }) => {
      const of = (word: SaidWord) => word[field === 'name' ? 'name' : 'email']
      if (told && of(told) === there) return 'here'
      if (told && of(told) === here) return 'there'
      return words.some((word) => !word.isOurs && of(word) === here) ? 'there' : null
    }),
  )
  const [side = null] = sides
  return sides.size === 1 ? side : null
}

/** Nothing is charged of whom the provider is said to have no more: what is left of their subscriptions is dropped when these end. */
const markedDeleted = (known: Pick<Drift, 'entity' | 'kind' | 'entityId' | 'providerId'>): Drift => ({
  ...known,
  differences: [{ field: 'deleted', here: true, there: false }],
  ...{ cause: 'changedHere', repair: 'look' },
  reason: 'It is linked and stands at the provider; that it was deleted there was written by other hands.',
})

/** What is taken off all that a customer pays for stands in the picture alone, so that only a look is missing. */
function discountMissed(
  known: Pick<Drift, 'entity' | 'kind' | 'entityId' | 'providerId'>,
  before: Partial<Stripe.Customer>,
  { discount }: Stripe.Customer,
): Drift[] {
  const [here, there] = [before.discount?.id ?? null, discount?.id ?? null]
  if (here === there) return []
  const reason = 'A discount was given to the customer or taken away, and nothing told us.'
  const differences = [{ field: 'discount', here, there }]
  return [{ ...known, differences, cause: 'missed', repair: 'look', reason }]
}
