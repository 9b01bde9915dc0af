import type { Simulator } from 'stripe-simulator'
import type { Random } from '../support/random.ts'

const FAULTS = [
  'error_500',
  'error_500_stored',
  'timeout_before_commit',
  'timeout_after_commit',
  'truncated',
  'rate_limit',
  'lock_timeout',
] as const

/** Up to two of the calls go wrong, once or for a while. A call is written `POST /v1/customers/*`. */
export function arm({ control }: Simulator, random: Random, calls: readonly string[]): void {
  for (let faults = random.below(3); faults > 0; faults -= 1) {
    const [method = '', path = ''] = random.pick(calls).split(' ')
    const times = random.pick([1, 2, 12])
    control.fail({ kind: random.pick(FAULTS), method, path, skip: random.below(2), times })
  }
}
