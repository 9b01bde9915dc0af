import type { SignUpSweep } from '@lockstep/sdk'
import { green } from './style.ts'
import { table } from './table.ts'

export function signUpSweepText({ dryRun, plan, customers }: SignUpSweep): string {
  if (plan === null) return 'The catalogue has no plan for signing up, so nobody must have one.'
  if (customers.length === 0) return `${green('✓')} Every customer was registered.`
  const rows = table(customers, [
    { title: 'user', cell: ({ externalId }) => externalId },
    { title: 'customer', cell: ({ customer }) => customer },
    { title: 'registration', cell: ({ registration }) => registration ?? '' },
    { title: 'because', cell: ({ reason }) => reason ?? '' },
  ])
  const head = dryRun ? `Never registered; --apply puts them on ${plan}.` : `Registered on ${plan}.`
  return `${head}\n\n${rows}`
}
