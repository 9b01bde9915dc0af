import type { Instant } from '@lockstep/core/instant'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { newHolder } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import { CHANGE_CUSTOMER, changeProfile, type ProfileChange } from '../store/customers.ts'
import { providerIdOf } from '../store/mappings.ts'
import { addWorkflow } from '../store/workflows.ts'
import type { WorkflowKind } from './journal.ts'
import type { LookDeps } from './look.ts'
import { tellCustomer } from './tell-customer.ts'
import type { Workflows } from './workflows.ts'

/** The caller's answer does not depend on Stripe, so it hardly waits for it. */
const PATIENCE_SECONDS = 2

interface ChangeInput {
  readonly customerId: string
}

/** Changes a customer's name or address here, and then at Stripe, also if we die in between. */
export async function changeCustomer(
  { db, clock, workflows }: { readonly db: Db; readonly clock: Clock; readonly workflows: Workflows },
  { id: customerId, providerId }: { readonly id: string; readonly providerId: string | null },
  change: ProfileChange,
): Promise<void> {
  const workflow = { id: newId('workflow'), holder: newHolder() }
  const toTell = await transaction(db, async (trx) => {
    if (!(await changeProfile(trx, customerId, change)) || providerId === null) return false
    await tellProvider(trx, { ...workflow, customerId, at: clock.now() })
    return true
  })
  if (!toTell) return
  workflows.begin(workflow.id, workflow.holder)
  await workflows.settled(workflow.id, PATIENCE_SECONDS)
}

/** Queues that the provider is told who the customer is now, in the transaction that changed it. */
export async function tellProvider(
  trx: Trx,
  {
    id,
    holder,
    customerId,
    at,
  }: { readonly id: string; readonly holder: string; readonly customerId: string; readonly at: Instant },
): Promise<void> {
  const input: ChangeInput = { customerId }
  await addWorkflow(trx, { id, holder, kind: CHANGE_CUSTOMER, subjectId: id, input, at })
}

export function changeCustomerKind(deps: LookDeps): WorkflowKind {
  return {
    kind: CHANGE_CUSTOMER,
    neverParked: true,
    async run(step, { input }) {
      const { customerId } = input as ChangeInput
      await step('update customer at provider', async (key) => {
        const providerId = await providerIdOf(deps.db, 'customer', customerId)
        if (providerId !== undefined) await tellCustomer(deps, key, { id: customerId, providerId })
      })
    },
  }
}
