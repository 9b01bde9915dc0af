import type { Default, Json, MaybeJson, MaybeTime, Time } from './columns.ts'

/** What is under way, and each call that it makes. */
export interface WorkflowTables {
  workflow: WorkflowTable
  workflowStep: WorkflowStepTable
  operation: OperationTable
}

interface WorkflowTable {
  id: string
  kind: string
  subjectId: string
  input: Json
  state: 'running' | 'requiresAction' | 'completed' | 'compensating' | 'rolledBack' | 'parked'
  stage: string | null
  stageStartedAt: MaybeTime
  action: MaybeJson
  problem: MaybeJson
  refusal: MaybeJson
  withdrawal: MaybeJson
  woken: Default<boolean>
  attempts: Default<number>
  leaseUntil: MaybeTime
  leaseHolder: string | null
  nextAttemptAt: MaybeTime
  createdAt: Time
  endedAt: MaybeTime
}

interface WorkflowStepTable {
  workflowId: string
  name: string
  ordinal: number
  state: 'done' | 'undone'
  result: MaybeJson
  startedAt: MaybeTime
  endedAt: Time
}

interface OperationTable {
  id: string
  kind: string
  subjectId: string
  attempt: Default<number>
  idempotencyKey: string
  bodyHash: Buffer
  state: 'prepared' | 'unknown' | 'succeeded' | 'refused' | 'parked'
  providerObjectId: string | null
  providerRequestId: string | null
  problem: MaybeJson
  preparedAt: Time
  settledAt: MaybeTime
  repeats: Default<number>
  repeatedAt: MaybeTime
  /** Of how many sends of the attempt whoever sent them waits no longer. */
  answered: Default<number>
  /** Refused, it may have been done all the same, by a send before of which no answer came. */
  inDoubt: Default<boolean>
}
