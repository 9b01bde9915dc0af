import { isIP } from 'node:net'
import { Problem } from '@lockstep/core/problem'
import type { Guard } from './addresses.ts'

export interface UrlPolicy {
  readonly guard: Guard
  readonly livemode: boolean
}

/**
 * Refuses an address that nothing would ever be sent to. What a name stands for is not asked here: it may
 * be another when something is sent, and is looked at then.
 */
export function checkUrl({ guard, livemode }: UrlPolicy, text: string): void {
  const url = new URL(text)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (livemode && url.protocol !== 'https:') throw refused('In live mode only https addresses are sent to.')
  if (url.username !== '' || url.password !== '')
    throw refused('An address with a user or a password is not taken: what is sent is signed instead.')
  if (isIP(host) !== 0 && !guard.isAllowed(host))
    throw refused(`${host} is not an address of the open internet.`)
}

function refused(detail: string): Problem {
  return new Problem('webhook_url_refused', detail, {
    faults: [{ pointer: '#/url', code: 'webhook_url_refused', detail }],
  })
}
