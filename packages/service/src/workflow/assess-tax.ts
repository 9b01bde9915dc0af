import { Problem } from '@lockstep/core/problem'
import { readAddress } from '../store/customers.ts'
import { setTax } from '../store/registrations.ts'
import { untaxed } from '../tax/none.ts'
import type { TaxAssessment } from '../tax/port.ts'
import type { Step } from './journal.ts'
import type { PurchaseDeps } from './purchase/strategy.ts'

/**
 * What has to be known about the tax before the customer is made at the provider. While nobody can be
 * asked, the configured policy decides: the step fails and is tried again, or the registration goes on
 * untaxed and says so.
 */
export async function assessTax(
  { db, log, tax = untaxed }: PurchaseDeps,
  step: Step,
  { workflowId, customerId }: { readonly workflowId: string; readonly customerId: string },
): Promise<TaxAssessment | null> {
  if (tax.port.provider === 'none') return null
  return step('assess tax', async () => {
    const assessment = await tax.port.assess(await readAddress(db, customerId)).catch((error: unknown) => {
      const isAway = error instanceof Problem && error.status >= 500
      if (!isAway || tax.whenDown === 'block') throw error
      log.warn(
        { err: error, workflow: workflowId },
        'The tax is not known; the registration goes on untaxed.',
      )
      return { provider: tax.port.provider, status: 'unavailable', metadata: {} } as const
    })
    await setTax(db, workflowId, assessment)
    return assessment
  })
}
