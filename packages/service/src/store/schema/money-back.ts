import type { CreditNoteStatus, RefundStatus } from '@lockstep/core/money-back'
import type { Default, Time } from './columns.ts'

/** What is given back. */
export interface MoneyBackTables {
  creditNote: CreditNoteTable
  refund: RefundTable
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
