import { groupThousands } from '@lockstep/core/decimal'
import { formatInstant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import { formatQuantity } from '@lockstep/core/quantity'
import type { LineToBill } from './rate.ts'

/**
 * What a line says on the invoice. A remainder names what is new of it; late usage names the period
 * that it was used in, because it stands among the lines of another one.
 */
export function describeLine({ origin, line, revision, left }: LineToBill): string {
  const isLate = isFrozen(origin.status)
  if (revision === 0 && !isLate) return line.description
  const unit = line.derivation.measured?.unitLabel
  const what =
    left.quantity === null || unit === undefined
      ? line.description
      : `${line.price.name}: ${groupThousands(formatQuantity(left.quantity))} ${unit}`
  if (!isLate) return `${what}, beyond what was billed before`
  const [start = '', end = ''] = [line.period.start, line.period.end].map((at) =>
    formatInstant(at).slice(0, 10),
  )
  return `${what}, reported late for ${start} to ${end}`
}
