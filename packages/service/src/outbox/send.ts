import { lookup } from 'node:dns'
import {
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
} from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Attempt } from '../store/deliveries.ts'
import type { Guard } from './addresses.ts'

/** As Standard Webhooks recommends, 15 to 30 s. */
const TIMEOUT_MS = 15_000
/** Of an answer so much is kept for whoever looks for what is wrong; the rest is not even read. */
const MOST_BYTES = 2048

/** What a host's name stands for: the system's own, but where a test says otherwise. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true },
  done: (error: Error | null, addresses: { address: string; family: number }[]) => void,
) => void

export interface SendDeps {
  readonly guard: Guard
  readonly resolve?: Resolve
  readonly timeoutMs?: number
}

export interface Message {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

class Refused extends Error {}

/**
 * Sends one message and says how it went. Addresses are looked at when the connection is made and not
 * before, so that a name cannot stand for another one by then; redirects are answers like any other.
 */
export async function send(deps: SendDeps, message: Message): Promise<Attempt> {
  const began = performance.now()
  const took = () => Math.round(performance.now() - began)
  try {
    const { status, body } = await exchange(deps, message)
    return { status, body, problem: null, durationMs: took() }
  } catch (error) {
    return { status: null, body: null, problem: reasonOf(error), durationMs: took() }
  }
}

function exchange(
  { guard, resolve = lookup as Resolve, timeoutMs = TIMEOUT_MS }: SendDeps,
  { url: text, headers, body }: Message,
): Promise<{ readonly status: number; readonly body: string }> {
  const url = new URL(text)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  // An address is not looked up, so the look-up below does not see it.
  if (isIP(host) !== 0 && !guard.isAllowed(host)) throw notAllowed(host)
  const options: RequestOptions = {
    method: 'POST',
    // A connection of its own each time: one that is kept was looked at another time.
    agent: false,
    lookup: guarded(guard, resolve),
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'lockstep-webhooks/1',
      ...headers,
    },
  }
  return new Promise((answered, failed) => {
    const request: ClientRequest =
      url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, options)
    request.on('error', failed)
    request.on('response', (response) => {
      readBeginning(response).then((beginning) => {
        answered({ status: response.statusCode ?? 0, body: beginning })
        request.destroy()
      }, failed)
    })
    request.end(body)
  })
}

/** Refused as a whole where any of the addresses may not be reached: which one is tried is not ours to say. */
function guarded(guard: Guard, resolve: Resolve): LookupFunction {
  return (hostname, { all }, done) => {
    resolve(hostname, { all: true }, (error, addresses) => {
      const refused = addresses?.find(({ address }) => !guard.isAllowed(address))
      const [first] = addresses ?? []
      if (error || !first) return done(error ?? new Error(`${hostname} has no address.`), [])
      if (refused) return done(notAllowed(refused.address), [])
      return all === true ? done(null, addresses) : done(null, first.address, first.family)
    })
  }
}

/** What was there before it broke off is as good as the whole: the status was said already. */
async function readBeginning(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= MOST_BYTES) break
    }
  } catch {
    // The receiver, or our patience, ended in the middle of a body that is only for the log.
  }
  return Buffer.concat(chunks).subarray(0, MOST_BYTES).toString('utf8').replaceAll('\0', '')
}

const notAllowed = (address: string) =>
  new Refused(`${address} is not an address of the open internet, nor of a network that was allowed.`)

function reasonOf(error: unknown): string {
  if (error instanceof Refused) return error.message
  if (!(error instanceof Error)) return 'The connection failed.'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'No answer came in time.'
  const code = 'code' in error ? String(error.code) : undefined
  return code === undefined ? error.message : `The connection failed: ${code}.`
}
