import { flowsOut } from '@lockstep/core/direction'
import { fieldDifferences, judgeDifference } from '@lockstep/core/drift'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { isMissing } from '../../provider/stripe/problems.ts'
import { pendingItems, type StandingItem } from '../../store/drift.ts'
import type { LookDeps } from '../look.ts'
import { findItem } from '../sync/at-stripe.ts'
import type { Drift } from './drift.ts'

/** What was sent and waits for its invoice, or one of it alone: whether it stands there, for what was sent. */
export async function compareInvoiceItems(
  deps: LookDeps,
  pending: ReadonlyMap<string, Pick<Stripe.InvoiceItem, 'amount'>>,
  only?: string,
): Promise<Drift[]> {
  const isTold = flowsOut(deps.provider.sync.directions.invoice)
  const drifts: Drift[] = []
  for (const row of await pendingItems(deps.db, only)) {
    const listed = pending.get(row.providerItemId)
    const amount = listed ? String(listed.amount) : await amountOf(deps, row)
    if (amount === null || amount === row.amount) continue
    const known = {
      entity: 'invoiceItem',
      entityId: row.originInvoiceId,
      providerId: row.providerItemId,
    } as const
    if (amount === undefined) {
      const missing = { ...known, kind: 'missingThere', differences: [], cause: 'gone' } as const
      drifts.push(
        isTold
          ? { ...missing, repair: 'sync', reason: 'It was deleted at the provider.' }
          : { ...missing, repair: null, reason: GONE_UNTOLD },
      )
      continue
    }
    const differences = fieldDifferences({ amount: row.amount }, { amount })
    const verdict = judgeDifference({ entity: 'invoiceItem', differences, seenAsItIs: null, isTold })
    drifts.push({ ...known, kind: 'differs', differences, ...verdict })
  }
  return drifts
}

const GONE_UNTOLD =
  'It was deleted at the provider, and lines are not told there any more (LOCKSTEP_DIRECTIONS).'

/** Of what no list had: null, it went onto an invoice meanwhile; undefined, it is gone. */
async function amountOf(
  deps: LookDeps,
  { providerItemId }: StandingItem,
): Promise<string | null | undefined> {
  const item = await findItem(deps, providerItemId).catch((error: unknown) => {
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  })
  if (item === undefined) return undefined
  return item.invoice === null ? item.item.amount : null
}
