import type { Entitlement } from '@lockstep/sdk'
import { instantText } from './format.ts'
import { green, red } from './style.ts'
import { table } from './table.ts'

/** What may be used, why, how much of it is left, and the subscription that says so. */
export function entitlementTable(entitlements: readonly Entitlement[]): string {
  return table(entitlements, [
    { title: 'feature', cell: ({ feature }) => feature },
    { title: 'allowed', cell: ({ allowed }) => (allowed ? green('yes') : red('no')) },
    {
      title: 'why',
      cell: ({ reason, cappedBy }) => (cappedBy === null ? reason : `${reason} by ${cappedBy}`),
    },
    { title: 'up to', cell: upToText },
    { title: 'used', cell: ({ used }) => used ?? '' },
    { title: 'left', cell: ({ left }) => left ?? '' },
    { title: 'by', cell: ({ source }) => (source ? `${source.plan}, ${source.status}` : '') },
    {
      title: 'until',
      cell: ({ used, source }) => (used !== null && source ? instantText(source.period.end) : ''),
    },
  ])
}

/** A switch has no number, and what is not granted none either. */
function upToText({ kind, upTo, source }: Entitlement): string {
  if (kind === 'switch' || source === null) return ''
  return upTo ?? 'no end'
}
