import type { DisputeStatus } from '@lockstep/core/dispute'
import type { CreditNoteStatus, RefundStatus } from '@lockstep/core/money-back'
import type { StuckReason } from '@lockstep/core/stuck-refund'
import type { Default, MaybeTime, Time } from './columns.ts'

/** What is given back, and what is taken back. */
export interface MoneyBackTables {
  creditNote: CreditNoteTable
  refund: RefundTable
  refundAcknowledgement: RefundAcknowledgementTable
  dispute: DisputeTable
}

interface CreditNoteTable {
  id: string
  customerId: string
  invoiceId: string
  workflowId: string | null
  status: CreditNoteStatus
  currency: string
  total: bigint
  prePayment: bigint
  refunded: bigint
  credited: bigint
  outOfBand: bigint
  reason: string | null
  number: string | null
  pdf: string | null
  providerCreditNoteId: string | null
  providerRefundIds: Default<string[]>
  createdAt: Time
}

interface RefundTable {
  id: string
  customerId: string
  invoiceId: string
  creditNoteId: string | null
  workflowId: string | null
  status: RefundStatus
  currency: string
  amount: bigint
  reason: string | null
  failureReason: string | null
  providerRefundId: string | null
  createdAt: Time
}

interface RefundAcknowledgementTable {
  refundId: string
  stuck: StuckReason
  customerId: string
  reason: string
  agent: string | null
  acknowledgedBy: string
  acknowledgedAt: Time
}

interface DisputeTable {
  id: string
  customerId: string
  invoiceId: string | null
  status: DisputeStatus
  currency: string
  amount: bigint
  reason: string
  respondBy: MaybeTime
  providerDisputeId: string
  createdAt: Time
}
