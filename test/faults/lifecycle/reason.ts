import Stripe from 'stripe'

const TOO_LATE = 'No answer in time, which is the machine’s and no divergence'
const codes = new Set(['ETIMEDOUT', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'UND_ERR_HEADERS_TIMEOUT'])
const sentences = [
  'timeout exceeded when trying to connect',
  'Connection terminated due to connection timeout',
]

/** What was asked was taken in and not done within the service's patience. */
export class LateAnswer extends Error {}

/** Why a life went wrong. It has failed in either case, but whoever reads it must know what to look for. */
export function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return isTooLate(error) ? `${TOO_LATE}: ${reason}` : reason
}

export const cameTooLate = (breach: string): boolean => breach.includes(TOO_LATE)

function isTooLate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (
    error instanceof LateAnswer ||
    error instanceof Stripe.errors.StripeConnectionError ||
    error.name === 'TimeoutError'
  )
    return true
  if ('code' in error && typeof error.code === 'string' && codes.has(error.code)) return true
  return sentences.includes(error.message) || isTooLate(error.cause)
}
