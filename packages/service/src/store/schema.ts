import type { Person } from '@lockstep/core/contract'
import type { FeatureKind, GrantJson } from '@lockstep/core/feature'
import type { Instant } from '@lockstep/core/instant'
import type { InvoiceStatus } from '@lockstep/core/invoice'
import type { SubscriptionStatus } from '@lockstep/core/subscription'
import type { ColumnType, Generated, Insertable, Selectable } from 'kysely'

/** Read as whole seconds, written with `sqlTime(at)`. */
type Time = ColumnType<Instant, Date, Date>
type MaybeTime = ColumnType<Instant | null, Date | null | undefined, Date | null>
/** Read parsed, written as JSON text (`JSON.stringify`): the driver would send a list as an SQL array. */
type Json<T = unknown> = ColumnType<T, string, string>
type MaybeJson<T = unknown> = ColumnType<T | null, string | null | undefined, string | null>
/** Exact decimal text. */
type Numeric = string
type Default<T> = ColumnType<T, T | undefined, T>

/** What a row of a table looks like when read, and when written. */
export type Row<Name extends keyof Database> = Selectable<Database[Name]>
export type NewRow<Name extends keyof Database> = Insertable<Database[Name]>

/** Every table of `sql/`, in its order. */
export interface Database {
  installation: InstallationTable
  apiKey: ApiKeyTable
  idempotencyKey: IdempotencyKeyTable
  product: ProductTable
  meter: MeterTable
  plan: PlanTable
  planVersion: PlanVersionTable
  price: PriceTable
  feature: FeatureTable
  seller: SellerTable
  testClock: TestClockTable
  customer: CustomerTable
  customerProfile: CustomerProfileTable
  mapping: MappingTable
  workflow: WorkflowTable
  workflowStep: WorkflowStepTable
  operation: OperationTable
  registration: RegistrationTable
  due: DueTable
  coupon: CouponTable
  signUp: SignUpTable
  subscriptionSlot: SubscriptionSlotTable
  subscription: SubscriptionTable
  usageIdentity: UsageIdentityTable
  usageEvent: UsageEventTable
  usageRollup: UsageRollupTable
  usageCut: UsageCutTable
  invoice: InvoiceTable
  lineItem: LineItemTable
  invoiceItem: InvoiceItemTable
  contract: ContractTable
  contractAcceptance: ContractAcceptanceTable
  providerEvent: ProviderEventTable
  providerObject: ProviderObjectTable
  providerLimit: ProviderLimitTable
  busMessage: BusMessageTable
  orphan: OrphanTable
  schemaMigration: SchemaMigrationTable
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

interface ProductTable {
  key: string
  name: string
  description: string | null
  unitLabel: string | null
  taxCode: string | null
  revision: Default<number>
  publishedRevision: Default<number>
  archivedAt: MaybeTime
  createdAt: Time
}

interface MeterTable {
  key: string
  name: string
  unitLabel: string
  aggregation: 'count' | 'sum' | 'max' | 'last'
  archivedAt: MaybeTime
  createdAt: Time
}

interface PlanTable {
  key: string
  archivedAt: MaybeTime
  createdAt: Time
}

interface PlanVersionTable {
  id: string
  planKey: string
  version: number
  name: string
  audience: 'public' | 'admin' | 'legacy'
  productKey: string
  currency: string
  interval: 'day' | 'week' | 'month' | 'year'
  intervalCount: number
  trialDays: number
  trialUsage: 'free' | 'billed'
  rollsInto: string | null
  purchase: Default<string>
  payments: number | null
  contentHash: Buffer
  createdAt: Time
  grants: ColumnType<GrantJson[], string | undefined, string>
}

interface PriceTable {
  id: string
  planVersionId: string
  key: string
  position: number
  productKey: string
  meterKey: string | null
  currency: string
  kind: 'recurring' | 'usage' | 'share'
  timing: 'inAdvance' | 'inArrears'
  model: 'flat' | 'perUnit' | 'package' | 'graduated' | 'volume' | 'percentage'
  definition: Json
}

interface FeatureTable {
  key: string
  name: string
  kind: FeatureKind
  meterKey: string | null
  unitLabel: string | null
  archivedAt: MaybeTime
  createdAt: Time
}

interface SellerTable {
  onlyRow: Generated<boolean>
  name: string
  address: string | null
  email: string | null
  taxId: string | null
  termsVersion: string | null
  termsUrl: string | null
}

interface TestClockTable {
  id: string
  name: string | null
  providerId: string | null
  frozenAt: Time
  advancingTo: MaybeTime
  createdAt: Time
}

interface CustomerTable {
  id: string
  externalId: string
  currency: string | null
  testClockId: string | null
  createdAt: Time
}

interface CustomerProfileTable {
  customerId: string
  name: string | null
  email: string | null
  address: MaybeJson
}

type EntityType =
  | 'customer'
  | 'product'
  | 'plan'
  | 'price'
  | 'coupon'
  | 'subscription'
  | 'subscription_item'
  | 'test_clock'

interface MappingTable {
  entityType: EntityType
  entityId: string
  provider: string
  providerAccount: string
  livemode: boolean
  providerType: string
  providerId: string
  origin: 'outbound' | 'webhook' | 'import' | 'link'
  createdAt: Time
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
}

interface RegistrationTable {
  id: string
  customerId: string
  slot: string
  planVersionId: string
  subscriptionId: string
  workflowId: string
  operation: string | null
  purchase: Default<string>
  requestOrigin: string | null
  cause: 'declined' | 'authentication' | 'abandoned' | 'canceled' | 'refused' | null
  tax: MaybeJson
  createdAt: Time
}

interface DueTable {
  id: string
  customerId: string
  kind: string
  subjectId: string
  dueAt: Time
  outcome: string | null
  settledAt: MaybeTime
  createdAt: Time
}

interface CouponTable {
  key: string
  name: string
  basisPoints: number | null
  amount: bigint | null
  currency: string | null
  duration: 'once' | 'repeating' | 'forever'
  durationInMonths: number | null
  redeemBy: MaybeTime
  maxRedemptions: number | null
  archivedAt: MaybeTime
  createdAt: Time
}

interface SignUpTable {
  onlyRow: Generated<boolean>
  planKey: string
  afterTrial: 'expire' | 'moveTo' | 'extend'
  nextPlanKey: string | null
  extendDays: number | null
}

interface SubscriptionSlotTable {
  customerId: string
  slot: string
  subscriptionId: string
  reservedAt: Time
}

interface SubscriptionTable {
  id: string
  customerId: string
  slot: string | null
  planVersionId: string
  currency: string
  status: SubscriptionStatus
  quantity: number
  billingCycleAnchor: Time
  currentPeriodStart: Time
  currentPeriodEnd: Time
  trialStart: MaybeTime
  trialEnd: MaybeTime
  cancelAt: MaybeTime
  cancelAtPeriodEnd: Default<boolean>
  canceledAt: MaybeTime
  endedAt: MaybeTime
  startedAt: Time
  createdAt: Time
}

interface UsageIdentityTable {
  key: string
  bodyHash: string
}

interface UsageEventTable {
  customerId: string
  meterKey: string
  time: Time
  quantity: Numeric
  source: string
  id: string
  data: Json
  receivedAt: Time
}

interface UsageRollupTable {
  customerId: string
  meterKey: string
  bucket: Time
  count: bigint
  sum: Numeric
  max: Numeric
  last: Numeric
  lastAt: Time
  lastId: string
}

interface UsageCutTable {
  customerId: string
  at: Time
}

interface InvoiceTable {
  id: string
  customerId: string
  subscriptionId: string | null
  planVersionId: string | null
  billingReason: string
  status: InvoiceStatus
  currency: string
  periodStart: Time
  periodEnd: Time
  dirty: Default<boolean>
  syncPending: Default<boolean>
  lateUsage: Default<boolean>
  syncedAt: MaybeTime
  syncProblem: MaybeJson
  providerInvoiceId: string | null
  draftsLost: Default<number>
  finalizesAt: MaybeTime
  finalizedAt: MaybeTime
  number: string | null
  subtotal: bigint | null
  total: bigint | null
  amountDue: bigint | null
  amountPaid: bigint | null
  amountRemaining: bigint | null
  hostedInvoiceUrl: string | null
  invoicePdf: string | null
  openedAt: Time
}

interface LineItemTable {
  id: string
  customerId: string
  invoiceId: string
  position: number
  originInvoiceId: string | null
  lineKey: string | null
  revision: number | null
  description: string
  periodStart: Time
  periodEnd: Time
  quantity: Numeric | null
  amount: bigint
  currency: string
  derivation: MaybeJson
  providerLineId: string | null
}

interface InvoiceItemTable {
  customerId: string
  originInvoiceId: string
  lineKey: string
  revision: number
  state: 'intended' | 'placed' | 'billed' | 'removed'
  version: Default<number>
  amount: bigint
  quantity: Numeric | null
  content: Json
  derivation: MaybeJson
  providerItemId: string | null
  providerInvoiceId: string | null
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

interface ProviderEventTable {
  provider: string
  id: string
  type: string
  objectType: string
  objectId: string
  created: Time
  apiVersion: string | null
  livemode: boolean
  payload: Json
  state: Default<'received' | 'processed' | 'ignored' | 'parked'>
  outcome: string | null
  observation: Default<bigint>
  attempts: Default<number>
  claimedBy: string | null
  claimedUntil: MaybeTime
  nextAttemptAt: Time
  problem: MaybeJson
  receivedAt: Time
  processedAt: MaybeTime
}

interface ProviderObjectTable {
  provider: string
  type: string
  id: string
  raw: Json
  lastEventCreated: MaybeTime
  observation: bigint
  ownSince: Default<boolean>
  gone: Default<boolean>
  updatedAt: Time
}

interface ProviderLimitTable {
  name: string
  arrival: Time
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

interface OrphanTable {
  provider: string
  providerAccount: string
  livemode: boolean
  providerType: 'customer' | 'subscription'
  providerId: string
  operationId: string | null
  state: 'waiting' | 'parked' | 'adopted' | 'removed' | 'left'
  reason: string
  foundAt: Time
  judgedAt: Time
}

/** Written by `postgres/migrate.ts`. */
interface SchemaMigrationTable {
  name: string
  sha256: Buffer
  appliedAt: Default<Instant>
}
