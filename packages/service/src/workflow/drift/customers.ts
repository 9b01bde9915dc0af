import { flowsOut } from '@lockstep/core/direction'
import { type FieldDifference, fieldDifferences, judgeDifference, saysTheSame } from '@lockstep/core/drift'
import type Stripe from 'stripe'
import { type FormerWord, formerWords, linkedCustomers } from '../../store/drift.ts'
import { readObjects } from '../../store/provider-objects.ts'
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
  const differing = (object: Stripe.Customer) => differencesOf(rows.get(object.id), object)
  const told = objects.filter(
    (object) => differing(object).length > 0 && !isMadeThere(rows.get(object.id)?.origin),
  )
  const former = await formerWords(
    db,
    told.map(({ id }) => id),
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
      isTheirs: isMadeThere(origin),
      isTold: flowsOut(provider.sync.directions.customer),
      stoodThere: differences.every((one) => stoodThere(former, object.id, one)),
    })
    return [...marked, { ...known, differences, ...verdict }, ...discounted]
  })
  const others = objects.filter(({ id }) => !rows.has(id))
  const unlinked = await compareUnlinked(deps, 'customer', others)
  const named = await compareCustomersNamed(deps, others)
  return { drifts: [...drifts, ...unlinked.drifts, ...named], underWay: unlinked.underWay }
}

const isMadeThere = (origin: string | undefined) => origin === 'webhook' || origin === 'import'

function differencesOf(
  row: Awaited<ReturnType<typeof linkedCustomers>>[number] | undefined,
  object: Stripe.Customer,
): readonly FieldDifference[] {
  if (row === undefined || row.isErased) return []
  const here = { name: row.name || null, email: row.email || null }
  const there = { name: object.name || null, email: object.email || null }
  // Of one of ours, what was never said here may be whatever it is there.
  return fieldDifferences(here, there).filter(({ here: said }) => isMadeThere(row.origin) || said !== null)
}

/** Whether an event told that just what stands here was changed there: then the provider had been told of it. */
const stoodThere = (former: readonly FormerWord[], id: string, { field, here }: FieldDifference): boolean =>
  former.some((word) => word.providerId === id && word[field === 'name' ? 'name' : 'email'] === here)

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
