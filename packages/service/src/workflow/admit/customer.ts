import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { addCustomer, findCustomer, followProfile, formerLink, readProfile } from '../../store/customers.ts'
import { isTheirs } from '../../store/mappings.ts'
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
  if (known?.providerId !== null) return false
  return (await formerLink(db, { customerId: known.id, providerId })) !== undefined
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
 * one again as soon as something there needs them: a second one would be the same person twice. Who was erased stays it.
 */
async function customerFor(
  trx: Trx,
  object: Stripe.Customer,
  testClockId: string | null,
  at: number,
): Promise<Pick<Link, 'entityId' | 'origin'>> {
  const { id: providerId, name, email, metadata } = object
  const named = metadata[EXTERNAL_ID]
  const known = named === undefined || named === '' ? undefined : await findCustomer(trx, named)
  if (known?.providerId === null) return whoWasHere(trx, known.id, object, 'link')
  const before = known ? undefined : await findCustomer(trx, providerId)
  if (before?.providerId === null && (await readProfile(trx, before.id)))
    return whoWasHere(trx, before.id, object, undefined)
  const id = newId('customer')
  const profile = { id, name: name ?? null, email: email ?? null, testClockId, at }
  const free = named !== undefined && named !== '' && known === undefined ? [named] : []
  for (const externalId of [...free, providerId, `${providerId}/${id}`]) {
    if (await addCustomer(trx, { ...profile, externalId })) return { entityId: id }
  }
  throw new Error(`No external id is free for ${providerId}.`)
}

/**
 * Who was never linked to this one was made here, and is called what they are called here; who was is called as before
 * somebody unlinked the two. `unwritten`: how those came together of whom nobody wrote that down, undefined if by being taken up.
 */
async function whoWasHere(
  trx: Trx,
  entityId: string,
  { id: providerId, name, email }: Stripe.Customer,
  unwritten: 'link' | undefined,
): Promise<Pick<Link, 'entityId' | 'origin'>> {
  const former = await formerLink(trx, { customerId: entityId, providerId })
  if (!former) return { entityId, origin: 'link' }
  const origin = former.origin ?? unwritten
  if (isTheirs(origin ?? 'webhook'))
    await followProfile(trx, { customerId: entityId, name: name ?? null, email: email ?? null })
  return { entityId, ...(origin && { origin }) }
}
