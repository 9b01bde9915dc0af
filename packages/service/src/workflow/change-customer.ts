import type { Instant } from '@lockstep/core/instant'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { newHolder } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { updateCustomer } from '../provider/stripe/customers.ts'
import { changeProfile, type ProfileChange, readCustomer } from '../store/customers.ts'
import { addWorkflow } from '../store/workflows.ts'
import type { WorkflowKind } from './journal.ts'
import type { Workflows } from './workflows.ts'

export const CHANGE_CUSTOMER = 'change-customer'

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

export function changeCustomerKind(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
}): WorkflowKind {
  return {
    kind: CHANGE_CUSTOMER,
    neverParked: true,
    async run(step, { input }) {
      const { customerId } = input as ChangeInput
      await step('update customer at provider', async (key) => {
        for (let times = 1; ; times += 1) {
          const customer = await readCustomer(deps.db, customerId)
          if (!customer?.providerId) return
          await updateCustomer(
            deps,
            `${key}/${times}`,
            { id: customerId, providerId: customer.providerId },
            customer,
          )
          // Changed again meanwhile: that may have been told before this was, so it is told once more.
          const now = await readCustomer(deps.db, customerId)
          if (now?.name === customer.name && now.email === customer.email) return
        }
      })
    },
  }
}
