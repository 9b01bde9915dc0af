import { type DriftValue, fieldDifferences, judgeDifference, saysTheSame } from '@lockstep/core/drift'
import { formatInstant } from '@lockstep/core/instant'
import type { ListedDispute } from '../../provider/stripe/disputes.ts'
import { idOrNull } from '../../provider/stripe/field.ts'
import { type DisputeOfCharge, toDispute } from '../../provider/stripe/to-dispute.ts'
import { disputesOfProvider } from '../../store/disputes.ts'
import { linkedCustomers } from '../../store/drift.ts'
import { readObjects } from '../../store/provider-objects.ts'
import type { LookDeps } from '../look.ts'
import type { Compared, Drift } from './drift.ts'

/** How disputes stand, and whether those of customers of ours are here. */
export async function compareDisputes(deps: LookDeps, listed: readonly ListedDispute[]): Promise<Compared> {
  const { db, provider } = deps
  const ids = listed.map(({ id }) => id)
  const payers = listed.flatMap((dispute) => customerOf(dispute) ?? [])
  const [rows, customers, pictures] = await Promise.all([
    disputesOfProvider(db, ids),
    linkedCustomers(db, provider, payers),
    readObjects(
      db,
      ids.map((id) => ({ type: 'dispute', id })),
    ),
  ])
  const ours = new Set(customers.map(({ providerId }) => providerId))
  const drifts = listed.flatMap((object): Drift[] => {
    const row = rows.find(({ providerDisputeId }) => providerDisputeId === object.id)
    const known = { entity: 'dispute', entityId: row?.id ?? null, providerId: object.id } as const
    if (!row) {
      if (!ours.has(customerOf(object) ?? '')) return []
      const reason = 'A payment of a customer of ours was disputed, and nothing told us.'
      return [{ ...known, kind: 'missingHere', differences: [], cause: 'missed', repair: 'look', reason }]
    }
    const here = {
      ...{ status: row.status, amount: `${row.amount}`, currency: row.currency },
      respondBy: row.respondBy === null ? null : formatInstant(row.respondBy),
    }
    const differences = fieldDifferences(here, thereOf(object))
    if (differences.length === 0) return []
    const before = pictures.get(`dispute ${object.id}`)?.raw as DisputeOfCharge | undefined
    const seenAsItIs = before !== undefined && saysTheSame(thereOf(before), differences)
    const verdict = judgeDifference({ entity: 'dispute', differences, seenAsItIs })
    return [{ ...known, kind: 'differs', differences, ...verdict }]
  })
  return { drifts, underWay: 0 }
}

function customerOf({ charge }: ListedDispute): string | null {
  return typeof charge === 'string' ? null : idOrNull(charge.customer, 'customer')
}

function thereOf(object: DisputeOfCharge): Record<string, DriftValue> {
  const { status, amount, respondBy } = toDispute(object)
  return {
    ...{ status, amount: `${amount.minor}`, currency: amount.currency },
    respondBy: respondBy === null ? null : formatInstant(respondBy),
  }
}
