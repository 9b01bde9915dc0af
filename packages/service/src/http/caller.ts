import { createHash, timingSafeEqual } from 'node:crypto'
import type { Scope } from '@lockstep/api/scopes'
import { scopeIds } from '@lockstep/api/scopes'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../postgres/connect.ts'
import { findApiKey } from '../store/api-keys.ts'

/** Who asks. */
export interface Caller {
  /** `api_key_…`, or `admin_…` for the key of the environment. */
  readonly id: string
  readonly scopes: ReadonlySet<Scope>
  /** The key itself, for sealing what only this caller may see again. Never logged, never stored. */
  readonly secret: string
}

export interface Authenticator {
  (authorization: string | undefined): Promise<Caller>
  /** Has revoked keys refused by this process at once. */
  forget(): void
}

/** How long a revoked key may still be taken by another process. */
const REMEMBER_MS = 5000

const NO_KEY = 'There is no key in the Authorization header. Send `Authorization: Bearer lk_…`.'

/**
 * Tells who a request comes from by its API key. Keys are remembered for some seconds, because a
 * query for each usage event would cost more than taking the event in.
 */
export function authenticator({ db, adminKey }: { db: Db; adminKey: string | undefined }): Authenticator {
  const remembered = new Map<string, { until: number; caller: Promise<Caller | undefined> }>()
  const admin = adminKey === undefined ? undefined : { caller: adminCaller(adminKey), hash: hashOf(adminKey) }

  function lookUp(secret: string): Promise<Caller | undefined> {
    const now = performance.now()
    const known = remembered.get(secret)
    if (known && known.until > now) return known.caller
    const caller = callerOf(db, secret)
    remembered.set(secret, { until: now + REMEMBER_MS, caller })
    // Keys that are wrong are not kept, or guessing would fill the memory.
    const drop = () => remembered.delete(secret)
    caller.then((found) => found ?? drop(), drop)
    return caller
  }

  const authenticate = async (authorization: string | undefined) => {
    const secret = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (secret === undefined) throw new Problem('unauthorized', NO_KEY)
    if (admin && timingSafeEqual(hashOf(secret), admin.hash)) return admin.caller
    const caller = await lookUp(secret)
    if (!caller)
      throw new Problem('unauthorized', 'The key in the Authorization header is unknown or revoked.')
    return caller
  }
  return Object.assign(authenticate, { forget: () => remembered.clear() })
}

/** Refuses a caller who lacks the scope. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (!caller.scopes.has(scope)) throw new Problem('forbidden', `This takes a key with the scope ${scope}.`)
}

export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

function adminCaller(secret: string): Caller {
  return { id: `admin_${hashOf(secret).toString('hex').slice(0, 16)}`, scopes: new Set(scopeIds), secret }
}

async function callerOf(db: Db, secret: string): Promise<Caller | undefined> {
  if (!secret.startsWith('lk_')) return undefined
  const hash = hashOf(secret)
  const key = await findApiKey(db, hash)
  // Found by its hash, of which the time of a comparison tells nothing about the key itself.
  if (!key || key.revokedAt !== null || !timingSafeEqual(key.keyHash, hash)) return undefined
  return { id: key.id, scopes: new Set(key.scopes as Scope[]), secret }
}
