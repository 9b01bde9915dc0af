import type { PlanVersion } from '../../store/plans.ts'

/**
 * A plan as it is sold to who tried its product before: without a trial. Otherwise whoever ends it on the last day and
 * begins it anew never pays.
 */
export function withoutTrial<V extends PlanVersion>(version: V): V {
  return { ...version, plan: { ...version.plan, trialDays: 0 } }
}
