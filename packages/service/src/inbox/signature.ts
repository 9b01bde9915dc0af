import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Instant } from '@lockstep/core/instant'

/** How far a signature's time may be from ours, either way. Stripe signs each retry afresh. */
export const TOLERANCE_SECONDS = 300

/** More entries than any rotation needs; a longer header is not Stripe's. */
const MOST_SIGNATURES = 32

interface Header {
  readonly at: Instant
  readonly signatures: readonly Buffer[]
}

/**
 * Whether one of `secrets` signed exactly these bytes at about this time (`Stripe-Signature`,
 * scheme v1). Several secrets hold while one is being replaced. Returns the index of the secret that
 * matched, so that a rotation can be seen to be over; -1 if none did.
 */
export function signedBy(
  secrets: readonly string[],
  body: Buffer,
  header: string | undefined,
  now: Instant,
): number {
  const parsed = header === undefined ? undefined : parseHeader(header)
  if (!parsed || Math.abs(now - parsed.at) > TOLERANCE_SECONDS) return -1
  return secrets.findIndex((secret) => {
    const expected = createHmac('sha256', secret).update(`${parsed.at}.`).update(body).digest()
    return parsed.signatures.some((given) => timingSafeEqual(given, expected))
  })
}

/** `t=1700000000,v1=<hex>,v1=<hex>,v0=…`; undefined where it is anything else. */
function parseHeader(header: string): Header | undefined {
  let at: Instant | undefined
  const signatures: Buffer[] = []
  for (const entry of header.split(',', MOST_SIGNATURES + 2)) {
    const [scheme, value = ''] = entry.trim().split('=', 2)
    if (scheme === 't') {
      if (at !== undefined || !/^\d{1,12}$/.test(value)) return undefined
      at = Number(value)
    } else if (scheme === 'v1' && /^[0-9a-f]{64}$/.test(value)) {
      signatures.push(Buffer.from(value, 'hex'))
    }
  }
  if (at === undefined || signatures.length === 0 || signatures.length > MOST_SIGNATURES) return undefined
  return { at, signatures }
}
