import { expect } from 'vitest'
import type { Drift } from '../../src/workflow/drift/drift.ts'
import { findDrift } from '../../src/workflow/drift/find.ts'
import { repairDrift } from '../../src/workflow/drift/repair.ts'
import type { BillingWorld, Payer } from './billing-world.ts'

/** Damage that is done to what stands here or at Stripe of one customer. */
export function damaging({ deps, pool, stripe }: BillingWorld, { customer }: Pick<Payer, 'customer'>) {
  const story = ({ entity, kind, cause, repair, differences }: Drift) =>
    [entity, kind, ...differences.map(({ field }) => field), cause, repair ?? 'none'].join(' ')
  const drifts = async () => (await findDrift(deps)).drifts.map(story)

  async function charged(): Promise<number> {
    const charges = await stripe.charges.list({ customer, limit: 100 })
    return charges.data.length
  }
  return {
    sql: (text: string, values: unknown[] = []) => pool.query(text, values),
    story,
    drifts,

    /** It is found as such, and only it; its repair leaves none, and charges nobody. */
    async mend(found: string): Promise<void> {
      const before = await charged()
      expect(await drifts()).toEqual([found])
      const { repairs, left } = await repairDrift(deps)
      expect(repairs.map(({ refused }) => refused)).toEqual([null])
      expect(left.drifts).toEqual([])
      expect(await charged()).toBe(before)
    },
  }
}
