import { createHash } from 'node:crypto'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import { seal, unseal } from '../seal.ts'
import { claimRequest, completeRequest, releaseRequest, renewRequest } from '../store/idempotency-keys.ts'
import { sqlTime } from '../store/time.ts'
import type { Caller } from './caller.ts'

/** A third of the lease: two renewals may fail before another takes over. */
const RENEW_MS = 10_000

export interface Answer {
  readonly status: number
  /** As it goes over the wire, so that a repetition gets the same bytes. */
  readonly text: string
  readonly contentType: string
}

interface Repeatable {
  readonly caller: Caller
  readonly method: string
  readonly path: string
  readonly key: string
  /** What the request asks: the same key with anything else is a mistake of the caller's. */
  readonly content: unknown
}

/**
 * Does what a request with an Idempotency-Key asks once, however often it comes, and gives every
 * repetition the same answer. `work` gets the operation's name: a repetition after a crash comes with
 * the same name, finds what was made under it and goes on from there. A failure on our side is no
 * answer, and neither is a refusal that says when to come back: the next attempt starts anew.
 */
export async function once(
  { db, clock, log }: { db: Db; clock: Clock; log: Log },
  request: Repeatable,
  work: (operation: string) => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  const { caller, method, path, key } = request
  const claim = await claimRequest(db, {
    caller: caller.id,
    method,
    path,
    key,
    bodyHash: createHash('sha256').update(canonical(request.content)).digest(),
    operation: newId('operation'),
    createdAt: sqlTime(clock.now()),
  })
  if (claim.state === 'otherBody') {
    throw new Problem(
      'idempotency_key_reused',
      `The key ${quote(key)} came with another body before. Take a new one.`,
    )
  }
  if (claim.state === 'running') {
    throw new Problem('idempotency_key_in_use', `The request with the key ${quote(key)} has not ended yet.`, {
      retryAfterSeconds: claim.retryAfterSeconds,
    })
  }
  if (claim.state === 'completed') {
    const { text, contentType } = JSON.parse(
      unseal(claim.response as string, caller.secrets, claim.operation),
    ) as Answer
    return { status: claim.status, text, contentType, replayed: true }
  }

  const { operation } = claim
  const renewal = setInterval(() => {
    renewRequest(db, operation).catch((err: unknown) => log.warn({ err, operation }, 'lease not renewed'))
  }, RENEW_MS)
  try {
    const answer = await work(operation)
    const { status, text, contentType } = answer
    const response = seal(JSON.stringify({ text, contentType }), caller.secrets[0] ?? '', operation)
    await completeRequest(db, { operation, status, response, completedAt: sqlTime(clock.now()) })
    return { ...answer, replayed: false }
  } catch (error) {
    // If even that fails, the lease runs out by itself.
    await releaseRequest(db, operation).catch((err: unknown) =>
      log.warn({ err, operation }, 'lease not given back'),
    )
    throw error
  } finally {
    clearInterval(renewal)
  }
}

/** The key of the header; undefined when there is none. */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header
  const detail = 'It is 1 to 255 visible ASCII characters, sent once.'
  throw new Problem('invalid_request', 'The Idempotency-Key is not valid.', {
    faults: [{ pointer: 'Idempotency-Key', code: 'invalid', detail }],
  })
}

const quote = (key: string) => JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key)

/** The order of members does not matter in JSON, so it must not here. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
