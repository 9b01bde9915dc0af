import { createHmac } from 'node:crypto'
import type { Instant } from '@lockstep/core/instant'

export interface ProbeAnswer {
  /** `accepted`: the signature was. `refused`: it was not. `astray`: what answers is not this service, or nothing does. */
  readonly kind: 'accepted' | 'refused' | 'astray'
  readonly detail: string
}

const PATIENCE_MS = 10_000

/**
 * Whether the service at exactly this address takes what a secret signs. What is sent is no event: it is
 * refused as malformed right after its signature was found good, so that nothing is stored.
 */
export async function probeEndpoint(url: string, secret: string, at: Instant): Promise<ProbeAnswer> {
  const body = '{"object":"lockstep.probe"}'
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${signature}` },
      body,
      // Stripe follows none either.
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const { code } = (await response.json().catch(() => ({}))) as { code?: string }
    if (code === 'webhook_malformed') return { kind: 'accepted', detail: 'It takes the signature.' }
    if (code === 'webhook_signature_invalid') return { kind: 'refused', detail: 'It refuses the signature.' }
    return { kind: 'astray', detail: `It answers ${response.status}, not as Lockstep would.` }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { kind: 'astray', detail: `It cannot be reached (${error.message}).` }
  }
}
