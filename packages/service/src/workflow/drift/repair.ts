import type { DriftRepair } from '@lockstep/core/drift'
import { Problem } from '@lockstep/core/problem'
import { newId } from '../../ids.ts'
import { passes } from '../../passing.ts'
import { readOwnObject } from '../../provider/stripe/own-objects.ts'
import { linkInvoice, unmarkDeleted } from '../../store/drift.ts'
import { subscriptionToSend } from '../../store/invoices-to-send.ts'
import { mappingOf } from '../../store/mappings.ts'
import type { LookDeps } from '../look.ts'
import { lookAt, type ObjectToLookAt } from '../look.ts'
import { adopt } from '../orphans/settle.ts'
import { syncSubscription } from '../sync-invoice.ts'
import { tellCustomer } from '../tell-customer.ts'
import { restoreBilled } from './billed.ts'
import type { Drift, DriftReport } from './drift.ts'
import { findDrift } from './find.ts'
import { restoreFees } from './history.ts'
import { linkAgain, markDeleted } from './lost-links.ts'
import { restorePlanned } from './planned-changes.ts'
import { takeBack } from './take-back.ts'

export interface Repaired {
  readonly drift: Drift
  /** Why it was not done; null where it was. */
  readonly refused: string | null
}

export interface Repairs {
  readonly repairs: readonly Repaired[]
  /** What is left afterwards: what has no safe repair, and what it did not help. */
  readonly left: DriftReport
}

/** A link that comes back shows what differed behind it: looked at again, so often at most. */
const MOST_ROUNDS = 3

/** Does for each drift what its verdict offers, and nothing for the others. None of it charges anybody. */
export async function repairDrift(deps: LookDeps): Promise<Repairs> {
  const repairs: Repaired[] = []
  for (let round = 1; ; round += 1) {
    const report = await findDrift(deps)
    const todo = report.drifts.filter(({ repair }) => repair !== null)
    if (todo.length === 0 || round > MOST_ROUNDS) return { repairs, left: report }
    for (const drift of todo) repairs.push({ drift, refused: await carryOut(deps, drift) })
  }
}

/** What is refused or breaks is told, and the others are gone on with; what passes by itself ends the whole. */
export async function carryOut(deps: LookDeps, drift: Drift): Promise<string | null> {
  try {
    if (drift.repair !== null) await deeds[drift.repair](deps, drift)
    return null
  } catch (error) {
    if (passes(error)) throw error
    if (error instanceof Problem && error.status < 500) return error.detail
    const { entity, entityId, providerId } = drift
    deps.log.error({ err: error, entity, entityId, providerId }, 'A drift could not be repaired.')
    return 'Something broke; the log has it.'
  }
}

const deeds: Readonly<Record<DriftRepair, (deps: LookDeps, drift: Drift) => Promise<unknown>>> = {
  look: async (deps, { entity, entityId, providerId, cause }) => {
    if (entity === 'plannedChange' && cause === 'changedHere') {
      await restorePlanned(deps, named(providerId))
      return
    }
    if (entity === 'history')
      return providerId === null
        ? restoreFees(deps, named(entityId))
        : restoreBilled(deps, { entityId: named(entityId), providerId })
    // Of one who is linked to none nothing is taken over: only the mark that they are gone is missing.
    if (entity === 'customer' && entityId !== null && !(await isLinked(deps, named(providerId))))
      return markDeleted(deps, { entityId, providerId: named(providerId) })
    const { kind } = await lookAt(deps, { type: looked(entity), id: named(providerId) })
    if (entity === 'customer' && entityId !== null && kind !== 'gone') await unmarkDeleted(deps.db, entityId)
  },
  tell: (deps, { entity, entityId, providerId }) => {
    const operation = `drift/${newId('operation')}/tell`
    const told = { id: named(entityId), providerId: named(providerId) }
    return entity === 'product' || entity === 'price'
      ? takeBack(deps, operation, entity, told)
      : tellCustomer(deps, operation, told, { keepsUnknown: true })
  },
  sync: async (deps, { entity, entityId, providerId }) => {
    if (entity === 'subscription') {
      // What is sent is decided by what was seen last.
      await lookAt(deps, { type: 'subscription', id: named(providerId) })
      await syncSubscription(deps, named(entityId), { reason: 'drift', looks: true })
      return
    }
    const subscriptionId = await subscriptionToSend(deps.db, named(entityId))
    if (subscriptionId === undefined)
      throw new Problem(
        'invoice_frozen',
        `No invoice of its subscription is left that ${entityId} could be sent with.`,
      )
    await syncSubscription(deps, subscriptionId, { reason: 'drift' })
  },
  link: async (deps, { entity, entityId, providerId }) => {
    if (entity === 'invoice') {
      if (!(await linkInvoice(deps.db, named(entityId), named(providerId))))
        throw new Problem('mapping_exists', `${entityId} or ${providerId} was linked meanwhile.`)
      await lookAt(deps, { type: 'invoice', id: named(providerId) })
      return
    }
    if (entity !== 'customer' && entity !== 'subscription') throw new Error(`No ${entity} is linked.`)
    const object = await readOwnObject(deps, entity, named(providerId))
    // Without our name on it, it was made there.
    if (entityId !== null && object?.entityId !== entityId)
      await linkAgain(deps, entity, { entityId, providerId: named(providerId) })
    else if (object) await adopt(deps, object)
  },
}

async function isLinked({ db, provider }: LookDeps, customer: string): Promise<boolean> {
  return (await mappingOf(db, provider, 'customer', customer)) !== undefined
}

function looked(entity: Drift['entity']): ObjectToLookAt['type'] {
  if (entity === 'invoiceItem') return 'invoiceitem'
  if (entity === 'plannedChange') return 'subscription_schedule'
  if (
    entity === 'product' ||
    entity === 'customer' ||
    entity === 'subscription' ||
    entity === 'invoice' ||
    entity === 'dispute'
  )
    return entity
  throw new Error(`${entity} is not looked at.`)
}

function named(id: string | null): string {
  if (id === null) throw new Error('A repair has to name what it is about.')
  return id
}
