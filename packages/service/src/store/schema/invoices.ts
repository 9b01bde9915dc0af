import type { AdjustmentKind } from '@lockstep/core/adjustment'
import type { InvoiceStatus } from '@lockstep/core/invoice'
import type { PendingContent } from '../pending-items.ts'
import type { ProviderSums } from '../provider-sums.ts'
import type { Default, Json, MaybeJson, MaybeTime, Numeric, Time } from './columns.ts'

/** What is billed. */
export interface InvoiceTables {
  invoice: InvoiceTable
  lineItem: LineItemTable
  invoiceItem: InvoiceItemTable
  adjustment: AdjustmentTable
  pendingItem: PendingItemTable
  syncRound: SyncRoundTable
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
  statedStart: MaybeTime
  statedEnd: MaybeTime
  pricesAt: MaybeTime
  inTrial: Default<boolean | null>
  wholeEnd: MaybeTime
  promisedFrom: MaybeTime
  promisedUntil: MaybeTime
  dirty: Default<boolean>
  syncPending: Default<boolean>
  pictures: Default<number>
  lateUsage: Default<boolean>
  limitsChecked: Default<boolean>
  syncedAt: MaybeTime
  syncProblem: MaybeJson
  providerInvoiceId: string | null
  draftsLost: Default<number>
  stoppedDraft: Default<string | null>
  finalizesAt: MaybeTime
  finalizedAt: MaybeTime
  number: string | null
  subtotal: bigint | null
  total: bigint | null
  amountDue: bigint | null
  amountPaid: bigint | null
  amountRemaining: bigint | null
  nextPaymentAttemptAt: MaybeTime
  hostedInvoiceUrl: string | null
  invoicePdf: string | null
  /** As the provider writes it, in its own units. */
  providerSums: MaybeJson<ProviderSums>
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
  madeAt: MaybeTime
  discounted: Default<bigint>
}

interface PendingItemTable {
  provider: string
  id: string
  customerId: string
  subscriptionId: string | null
  state: 'standing' | 'absent' | 'gone'
  providerInvoiceId: string | null
  content: MaybeJson<PendingContent>
}

interface AdjustmentTable {
  id: string
  customerId: string
  invoiceId: string
  kind: AdjustmentKind
  currency: string
  amount: bigint
  description: string
  reason: string
  madeBy: string
  agent: string | null
  madeAt: Time
  supersedes: string | null
  withdrawnBy: Default<string | null>
  withdrawnAt: MaybeTime
  withdrawalReason: Default<string | null>
}

interface SyncRoundTable {
  id: string
  beganAt: Time
  due: number
  told: Default<number>
  failed: Default<number>
}
