import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { addCustomer, findCustomer, followProfile, readProfile, wasLinked } from '../../store/customers.ts'
import type { LackMembers } from '../../store/unmapped-events.ts'
import { type AdmitDeps, isUnclaimed, type Link, takeUp } from './taking-up.ts'
import { knowTestClock } from './test-clock.ts'

/** Where whoever makes a customer at Stripe may say which user of the application it is. */
const EXTERNAL_ID = 'lockstep_external_id'

/** Our customer for one that was made at Stripe; undefined of one that is gone or somebody else's. */
export async function admitCustomer(
  deps: AdmitDeps,
  object: Stripe.Customer | Stripe.DeletedCustomer,
): Promise<string | undefined> {
  if (object.deleted || !isUnclaimed(object.metadata)) return undefined
  const testClockId = object.test_clock ? await knowTestClock(deps, idOf(object.test_clock)) : null
  return takeUp(deps, 'customer', { providerType: 'customer', providerId: object.id }, async (trx) => {
    const ours = await customerFor(trx, object, testClockId, deps.clock.now())
    return [{ entityType: 'customer', ...ours }]
  })
}

/**
 * Whether this was one of ours, and a person unlinked the two. Nothing that is told or read of the customer alone links them again:
 * that is done by hand, or by what is sold or billed to them there, where missing customers are created.
 */
export async function isUnlinked(db: Db, object: Stripe.Customer | Stripe.DeletedCustomer): Promise<boolean> {
  if (object.deleted) return false
  const { id: providerId, metadata } = object
  const named = metadata[EXTERNAL_ID]
  const known = (named ? await findCustomer(db, named) : undefined) ?? (await findCustomer(db, providerId))
  return known?.providerId === null && (await wasLinked(db, { customerId: known.id, providerId }))
}

/** What needs a customer who is linked to nobody, and is not to be made, waits for a person. */
export const customerNeeded = (providerId: string): Problem =>
  new Problem(
    'mapping_needed',
    `Customer ${providerId} is linked to nobody here. Link it, or set LOCKSTEP_MISSING_CUSTOMER to create.`,
    { members: { missing: [{ entityType: 'customer', providerId }] } satisfies LackMembers },
  )

/**
 * Whose id the metadata name is that one: only whoever holds a secret key writes them. Nobody is ever found by an
 * e-mail address, which anybody may type. Without one, Stripe's own id is the external id, and whom a person unlinked is that
 * one again as soon as something there needs them: a second one would be the same person twice. Who was erased stays it, and who
 * was never linked to it was made here under that id, and is called what they are called here.
 */
async function customerFor(
  trx: Trx,
  { id: providerId, name, email, metadata }: Stripe.Customer,
  testClockId: string | null,
  at: number,
): Promise<Pick<Link, 'entityId' | 'origin'>> {
  const named = metadata[EXTERNAL_ID]
  const known = named === undefined || named === '' ? undefined : await findCustomer(trx, named)
  if (known?.providerId === null) return { entityId: known.id, origin: 'link' }
  const before = known ? undefined : await findCustomer(trx, providerId)
  if (before?.providerId === null && (await readProfile(trx, before.id))) {
    if (!(await wasLinked(trx, { customerId: before.id, providerId })))
      return { entityId: before.id, origin: 'link' }
    await followProfile(trx, { customerId: before.id, name: name ?? null, email: email ?? null })
    return { entityId: before.id }
  }
  const id = newId('customer')
  const profile = { id, name: name ?? null, email: email ?? null, testClockId, at }
  const free = named !== undefined && named !== '' && known === undefined ? [named] : []
  for (const externalId of [...free, providerId, `${providerId}/${id}`]) {
    if (await addCustomer(trx, { ...profile, externalId })) return { entityId: id }
  }
  throw new Error(`No external id is free for ${providerId}.`)
}
