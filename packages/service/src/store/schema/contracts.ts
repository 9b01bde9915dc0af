import type { Person } from '@lockstep/core/contract'
import type { MaybeJson, MaybeTime, Time } from './columns.ts'

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
