import type { Grant } from '@lockstep/core/feature'
import { formatQuantity } from '@lockstep/core/quantity'

export function grantToApi(grant: Grant) {
  const { feature, kind } = grant
  const upTo = grant.kind === 'switch' || grant.upTo === null ? null : formatQuantity(grant.upTo)
  return { feature, kind, upTo, beyond: grant.kind === 'metered' ? grant.beyond : null }
}
