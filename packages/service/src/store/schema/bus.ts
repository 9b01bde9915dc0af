import type { Default, MaybeJson, MaybeTime, Time } from './columns.ts'

/** What the message bus brought. */
export interface BusTables {
  busMessage: BusMessageTable
}

interface BusMessageTable {
  id: string
  subject: string
  source: string
  messageId: string
  content: MaybeJson
  state: Default<'received' | 'processed' | 'parked'>
  outcome: string | null
  registrationId: string | null
  attempts: Default<number>
  claimedBy: string | null
  claimedUntil: MaybeTime
  nextAttemptAt: Time
  problem: MaybeJson
  sentAt: MaybeTime
  receivedAt: Time
  processedAt: MaybeTime
}
