import { flowsOut } from '@lockstep/core/direction'
import { Problem } from '@lockstep/core/problem'
import { withdrawInvoice } from '../../provider/stripe/one-off-invoices.ts'
import type { OwnObject } from '../../provider/stripe/own-objects.ts'
import { closePaymentPage } from '../../provider/stripe/payment-pages.ts'
import { withdrawSubscription } from '../../provider/stripe/subscriptions.ts'
import { link } from '../../store/mappings.ts'
import { settleSeen } from '../../store/operations.ts'
import { closeOrphan, linkedIds, type OrphanRow, saveOrphan, setSweptTo } from '../../store/orphans.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { tellCustomer } from '../tell-customer.ts'
import { type FoundOrphan, findOrphans, type Sweep } from './find.ts'

/**
 * Looks for orphans and does with each what its verdict says. What somebody else settles meanwhile is
 * left: each deed is safe to come late. Where the sweep ended is moved only after all were seen to.
 */
export async function settleOrphans(deps: LookDeps): Promise<Sweep> {
  const startedAt = deps.clock.now()
  const { looked, orphans, closed } = await findOrphans(deps)
  const settled: FoundOrphan[] = []
  for (const orphan of orphans) settled.push(await settle(deps, orphan))
  for (const orphan of closed) await closeOrphan(deps.db, deps.provider, orphan, deps.clock.now())
  await setSweptTo(deps.db, startedAt)
  return { looked, orphans: settled, closed }
}

const states = {
  adopt: 'adopted',
  remove: 'removed',
  wait: 'waiting',
  park: 'parked',
} as const satisfies Record<Exclude<FoundOrphan['verdict'], 'leave'>, OrphanRow['state']>

async function settle(deps: LookDeps, found: FoundOrphan): Promise<FoundOrphan> {
  const { db, clock, log, provider } = deps
  const orphan = await carryOut(deps, found)
  const { type: providerType, id: providerId, operation: operationId, verdict, reason } = orphan
  const { customerId: providerCustomerId, madeAt, whose } = orphan
  const customerId = whose?.id ?? null
  if (verdict === 'park')
    log.error(
      { type: providerType, object: providerId, operation: operationId, customer: customerId },
      `An orphan: ${reason}`,
    )
  const row = { providerType, providerId, operationId, reason }
  const owned = { ...row, customerId, providerCustomerId, madeAt }
  // What is over is the usual end of what was undone: nothing to remember, unless somebody waits for it.
  if (verdict === 'leave') await closeOrphan(db, provider, { ...row, state: 'left' }, clock.now())
  else await saveOrphan(db, provider, { ...owned, state: states[verdict] }, clock.now())
  return orphan
}

/** What is refused is put before a person; the others go on. A provider that is away ends the sweep. */
async function carryOut(deps: LookDeps, orphan: FoundOrphan): Promise<FoundOrphan> {
  try {
    if (orphan.verdict === 'adopt' && !(await adopt(deps, orphan)))
      return { ...orphan, verdict: 'park', reason: 'Our row was linked to another object meanwhile.' }
    if (orphan.verdict === 'remove') await remove(deps, orphan)
    return orphan
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500 || error.code === 'rate_limited') throw error
    return { ...orphan, verdict: 'park', reason: error.detail }
  }
}

/**
 * Our row gets what it lacks, and what Stripe says of it is taken over as if an event had come. False if
 * somebody gave it another one meanwhile.
 */
export async function adopt(deps: LookDeps, orphan: OwnObject): Promise<boolean> {
  const { db, clock, provider } = deps
  const { type, id, entityId, operation } = orphan
  if (type === 'customer' && entityId !== null) {
    const mapping = { entityType: type, entityId, providerType: type, providerId: id } as const
    const linked = await link(db, provider, { ...mapping, origin: 'outbound', at: clock.now() })
    if (linked !== id) return false
    // Its registration may have ended between making it and telling who it is.
    const customer = { id: entityId, providerId: id }
    if (flowsOut(provider.sync.directions.customer))
      await tellCustomer(deps, `orphan/${id}/tell`, customer, { keepsUnknown: true })
  }
  if ((type === 'checkout_session' || type === 'invoice') && operation !== null) {
    await settleSeen(db, operation, id, clock.now())
    if (!(await linkedIds(db, provider, type, [orphan])).has(id)) return false
  }
  await lookAt(deps, { type, id })
  return true
}

function remove(deps: LookDeps, { type, id, entityId }: FoundOrphan): Promise<void> {
  const operation = `orphan/${id}/withdraw`
  switch (type) {
    case 'subscription':
      return withdrawSubscription(deps, operation, { id: entityId ?? id, providerId: id })
    case 'checkout_session':
      return closePaymentPage(deps, operation, id)
    case 'invoice':
      return withdrawInvoice(deps, operation, { id, subjectId: entityId ?? id })
    case 'customer':
      throw new Error('A customer is never removed.')
  }
}
