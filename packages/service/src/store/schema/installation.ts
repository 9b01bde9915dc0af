import type { Instant } from '@lockstep/core/instant'
import type { Generated } from 'kysely'
import type { Default, MaybeJson, MaybeTime, Time } from './columns.ts'

/** This installation, who may call it, and what it answered. */
export interface InstallationTables {
  installation: InstallationTable
  apiKey: ApiKeyTable
  idempotencyKey: IdempotencyKeyTable
}

interface InstallationTable {
  onlyRow: Generated<boolean>
  instance: Generated<string>
  livemode: boolean | null
  providerAccount: string | null
  orphansSweptTo: MaybeTime
  createdAt: Default<Instant>
}

interface ApiKeyTable {
  id: string
  name: string
  prefix: string
  keyHash: Buffer
  scopes: string[]
  createdAt: Time
  revokedAt: MaybeTime
}

interface IdempotencyKeyTable {
  caller: string
  method: string
  path: string
  key: string
  bodyHash: Buffer
  operation: string
  status: number | null
  response: MaybeJson
  holder: string
  lockedUntil: Time
  createdAt: Time
  completedAt: MaybeTime
}
