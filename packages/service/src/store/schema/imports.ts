import type { Default, MaybeJson, MaybeTime, Time } from './columns.ts'

/** The taking up of a provider's whole account. */
export interface ImportTables {
  importRun: ImportRunTable
  importCursor: ImportCursorTable
  importRefusal: ImportRefusalTable
  importLeft: ImportLeftTable
}

interface ImportRunTable {
  id: string
  provider: string
  providerAccount: string
  livemode: boolean
  dryRun: boolean
  workflowId: string
  operation: string
  proof: MaybeJson
  createdAt: Time
  endedAt: MaybeTime
}

interface ImportCursorTable {
  importId: string
  type: string
  lastId: string | null
  looked: Default<number>
  made: Default<number>
  known: Default<number>
  foreignObjects: Default<number>
  refused: Default<number>
  leftAlone: Default<number>
  metered: Default<number>
  startedAt: Time
  endedAt: MaybeTime
}

interface ImportLeftTable {
  importId: string
  type: string
  providerId: string
  reason: 'metered' | 'catalogue' | 'own'
}

interface ImportRefusalTable {
  importId: string
  type: string
  providerId: string
  code: string
  detail: string
}
