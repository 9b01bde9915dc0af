import { createHash, timingSafeEqual } from 'node:crypto'
import type { Scope } from '@lockstep/api/scopes'
import { scopeIds } from '@lockstep/api/scopes'
import type { Db } from '../postgres/connect.ts'
import { findApiKey } from '../store/api-keys.ts'
import type { KeyCaller } from './caller.ts'

export interface ApiKeys {
  /** Whose key it is; undefined for one that is unknown or revoked. */
  callerOf(secret: string): Promise<KeyCaller | undefined>
  /** Has revoked keys refused by this process at once. */
  forget(): void
}

/** How long a revoked key may still be taken by another process. */
const REMEMBER_MS = 5000

/**
 * Knows callers by their API key. Keys are remembered for some seconds, because a query for each usage
 * event would cost more than taking the event in.
 */
export function apiKeys({ db, adminKey }: { db: Db; adminKey: string | undefined }): ApiKeys {
  const remembered = new Map<string, { until: number; caller: Promise<KeyCaller | undefined> }>()
  const admin = adminKey === undefined ? undefined : { caller: adminCaller(adminKey), hash: hashOf(adminKey) }

  async function lookUp(secret: string): Promise<KeyCaller | undefined> {
    const hash = hashOf(secret)
    if (admin && timingSafeEqual(hash, admin.hash)) return admin.caller
    if (!secret.startsWith('lk_')) return undefined
    const key = await findApiKey(db, hash)
    // Found by its hash, of which the time of a comparison tells nothing about the key itself.
    if (!key || key.revokedAt !== null || !timingSafeEqual(key.keyHash, hash)) return undefined
    return { kind: 'key', id: key.id, scopes: new Set(key.scopes as Scope[]), secrets: [secret] }
  }

  return {
    async callerOf(secret) {
      const now = performance.now()
      const known = remembered.get(secret)
      if (known && known.until > now) return known.caller
      const caller = lookUp(secret)
      remembered.set(secret, { until: now + REMEMBER_MS, caller })
      // Keys that are wrong are not kept, or guessing would fill the memory.
      const drop = () => remembered.delete(secret)
      caller.then((found) => found ?? drop(), drop)
      return caller
    },
    forget: () => remembered.clear(),
  }
}

export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

function adminCaller(secret: string): KeyCaller {
  const id = `admin_${hashOf(secret).toString('hex').slice(0, 16)}`
  return { kind: 'key', id, scopes: new Set(scopeIds), secrets: [secret] }
}
