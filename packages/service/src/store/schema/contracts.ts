import type { Person } from '@lockstep/core/contract'
import type { Default, MaybeJson, MaybeTime, Time } from './columns.ts'

/** What both parties agreed. */
export interface ContractTables {
  contract: ContractTable
  contractAcceptance: ContractAcceptanceTable
}

interface ContractTable {
  id: string
  customerId: string
  sequence: number
  subscriptionId: string
  planVersionId: string
  supersedes: string | null
  document: string
  hash: Buffer
  previousHash: Buffer | null
  acceptedAt: Time
  concludedAt: Time
  /** By which rules it is printed: those of when it was concluded. */
  printing: Default<1 | 2>
}

interface ContractAcceptanceTable {
  contractId: string
  customerId: string
  acceptedAt: Time
  termsVersion: string | null
  termsUrl: string | null
  person: MaybeJson<Person>
  erasedAt: MaybeTime
}
