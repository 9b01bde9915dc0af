import { type Fault, Problem } from '@lockstep/core/problem'
import { newId } from '../ids.ts'
import type { Trx } from '../postgres/connect.ts'
import { newHolder } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import type { Customer } from '../store/customers.ts'
import { lockCustomer } from '../store/customers.ts'
import { countPersonalData, erasePersonalData, obstaclesOf, type PersonalData } from '../store/erasure.ts'
import { tellProvider } from './change-customer.ts'
import { type Left, leaveMethods, showLeft } from './left-methods.ts'
import type { LookDeps } from './look.ts'
import type { Workflows } from './workflows.ts'

/** The caller's answer does not depend on Stripe, so it hardly waits for it. */
const PATIENCE_SECONDS = 2

export interface Erasure {
  readonly found: PersonalData
  /** `told`: name and address are gone there too; `queued`: they will be; null: nothing is there. */
  readonly provider: 'told' | 'queued' | null
  /** What can be charged there and would be taken off; of a dry run alone, and null where nobody can be asked. */
  readonly left: Left | null
}

/**
 * Erases who a customer is, here and then at Stripe, also if we die in between. Refused as long as
 * something of the customer's is still under way. What can be charged there is taken off as soon as nothing waits for it. A
 * dry run only counts.
 */
export async function eraseCustomer(
  deps: LookDeps & { readonly workflows: Workflows },
  { id: customerId, externalId, providerId }: Customer,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Erasure> {
  const { db, clock, workflows } = deps
  const workflow = { id: newId('workflow'), holder: newHolder() }
  const found = await transaction(db, async (trx) => {
    // Nobody registers the customer meanwhile.
    await lockCustomer(trx, externalId)
    await refuseIfInUse(trx, customerId)
    const counted = await countPersonalData(trx, customerId)
    if (dryRun) return counted
    await erasePersonalData(trx, customerId, clock.now())
    if (providerId !== null) {
      await tellProvider(trx, { ...workflow, customerId, at: clock.now() })
      await leaveMethods(trx, deps, { id: customerId, providerId })
    }
    return counted
  })
  if (providerId === null) return { found, provider: null, left: null }
  if (dryRun) return { found, provider: 'queued', left: await showLeft(deps, providerId) }
  workflows.begin(workflow.id, workflow.holder)
  const { state } = await workflows.settled(workflow.id, PATIENCE_SECONDS)
  return { found, provider: state === 'completed' ? 'told' : 'queued', left: null }
}

async function refuseIfInUse(trx: Trx, customerId: string): Promise<void> {
  const { liveSubscriptions, registrations, unfinishedInvoices } = await obstaclesOf(trx, customerId)
  const obstacle = (code: string, detail: string): Fault => ({ pointer: '#', code, detail })
  const faults = [
    ...liveSubscriptions.map((id) => obstacle('subscription_live', `${id} is live: cancel it first.`)),
    ...(registrations > 0 ? [obstacle('registration_running', 'A registration has not ended.')] : []),
    ...(unfinishedInvoices > 0 ? [obstacle('invoice_unfinished', 'An invoice is not final yet.')] : []),
  ]
  const [first] = faults
  if (first) throw new Problem('customer_in_use', first.detail, { faults })
}
