import type { Derivation } from '@lockstep/core/derivation'
import type { BilledPart } from '@lockstep/core/given-back'
import type { Instant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import type { Money } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import type { Quantity } from '@lockstep/core/quantity'
import type { Db } from '../postgres/connect.ts'
import { inOnePacket } from '../postgres/packet.ts'
import { type InvoiceRow, readInvoiceRow } from '../store/invoices.ts'
import { readOpenInvoices } from '../store/open-invoices.ts'
import type { Forecast } from './forecast.ts'
import { showDraft } from './show-draft.ts'
import { showFrozen } from './show-frozen.ts'
import { showOpen } from './show-open.ts'
import type { InvoiceSums } from './sums.ts'

/** A line as a reader sees it, whatever the state of its invoice. */
export interface ShownLine {
  /** Names the line on this invoice. */
  readonly id: string
  readonly key: string | null
  readonly description: string
  readonly period: Period
  readonly quantity: Quantity | null
  readonly unitLabel: string | null
  readonly amount: Money
  readonly late: boolean
  readonly derivation: Derivation | null
  /** Why it stands here, of a line that is none of ours; null of every other one. */
  readonly reason: string | null
  /** Of what the provider's own meters count: when it said so, in the customer's own time. */
  readonly asOf: Instant | null
  /** What of this line other invoices carry already; the derivation is that of the whole. */
  readonly billed: readonly BilledPart[]
  readonly providerId: string | null
}

/** Its sums are what the provider will make of the lines; of a final one what it said. */
export interface ShownInvoice extends InvoiceSums {
  readonly invoice: InvoiceRow
  readonly lines: readonly ShownLine[]
  /** What it may say at its end, seen from a moment of the customer's own time; only while its period runs. */
  readonly foresee?: (at: Instant) => Forecast | null
}

/** One invoice with its lines: of this moment while it is open, as they were written down when it is final. */
export async function readInvoice(db: Db, id: string): Promise<ShownInvoice | undefined> {
  return inOnePacket(db, (db) => readIt(db, id))
}

async function readIt(db: Db, id: string): Promise<ShownInvoice | undefined> {
  const [invoice, open] = await Promise.all([readInvoiceRow(db, id), readOpenInvoices(db, { invoiceId: id })])
  if (!invoice) return undefined
  if (isFrozen(invoice.status)) return showFrozen(db, invoice)
  if (invoice.planVersionId === null || invoice.subscriptionId === null) return showDraft(db, invoice)
  const shown = (await showOpen(db, open)).find((one) => one.invoice.id === id)
  // It was finalized between the two looks.
  return shown ?? readIt(db, id)
}

/** Every open invoice of a customer with its lines, rated from the usage of this moment. */
export async function readCustomerInvoices(db: Db, customerId: string): Promise<ShownInvoice[]> {
  return inOnePacket(db, async (db) => showOpen(db, await readOpenInvoices(db, { customerId })), {
    name: `invoices of ${customerId}`,
  })
}
