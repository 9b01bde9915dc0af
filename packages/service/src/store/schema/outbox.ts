import type { OutgoingEventType } from '@lockstep/core/outgoing-event'
import type { Generated, GeneratedAlways } from 'kysely'
import type { Default, Json, MaybeJson, MaybeTime, Time } from './columns.ts'

/** What an application is told, and where. */
export interface OutboxTables {
  webhookEndpoint: WebhookEndpointTable
  outgoingChange: OutgoingChangeTable
  outgoingEvent: OutgoingEventTable
  delivery: DeliveryTable
  deliveryAttempt: DeliveryAttemptTable
}

/** `until`: seconds since 1970; null for the one that is not being replaced. */
export interface SealedSecret {
  readonly sealed: string
  readonly until: number | null
}

interface WebhookEndpointTable {
  id: string
  url: string
  description: string | null
  types: string[] | null
  secrets: Json<readonly SealedSecret[]>
  state: Default<'enabled' | 'disabled'>
  disabledBecause: 'asked' | 'failing' | 'gone' | null
  disabledAt: MaybeTime
  failingSince: MaybeTime
  claimedBy: string | null
  claimedUntil: MaybeTime
  lastTurnAt: MaybeTime
  createdAt: Time
}

interface OutgoingChangeTable {
  sequence: GeneratedAlways<bigint>
  source: string
  subject: string
  before: MaybeJson<Readonly<Record<string, unknown>>>
  after: MaybeJson<Readonly<Record<string, unknown>>>
  changedAt: Time
  attempts: Generated<number>
  nextAttemptAt: MaybeTime
}

interface OutgoingEventTable {
  id: string
  sequence: GeneratedAlways<bigint>
  type: OutgoingEventType
  subjectId: string
  customerId: string | null
  happenedAt: Time
  data: Json<Readonly<Record<string, unknown>>>
  createdAt: Time
}

interface DeliveryTable {
  id: string
  endpointId: string
  eventId: string
  sequence: bigint
  subjectId: string
  state: Default<'waiting' | 'delivered' | 'failed'>
  attempts: Generated<number>
  nextAttemptAt: Time
  lastStatus: number | null
  deliveredAt: MaybeTime
  createdAt: Time
}

interface DeliveryAttemptTable {
  deliveryId: string
  ordinal: number
  at: Time
  status: number | null
  body: string | null
  problem: string | null
  durationMs: number
}
