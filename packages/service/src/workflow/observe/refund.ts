import { newId } from '../../ids.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import { type RefundOfInvoice, toRefund } from '../../provider/stripe/to-refund.ts'
import { creditNoteOfRefund } from '../../store/credit-notes.ts'
import { invoicesOfProvider } from '../../store/invoices.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { lockInvoice } from '../../store/money-back.ts'
import { findRefund, writeRefund } from '../../store/refunds.ts'
import { readInstallation } from './installation.ts'
import { Incomplete, type Noun, type Owner } from './noun.ts'

interface RefundOwner extends Owner {
  readonly customerId: string
  /** Our id of it, if we made it. */
  readonly ownId: string | null
}

/** Money that went back, whoever gave it. What was paid for no invoice of ours is not written down. */
export const refundNoun: Noun<RefundOfInvoice, RefundOwner> = {
  async owner(db: Db, object) {
    const installation = await readInstallation(db)
    const { customer, metadata } = toRefund(object)
    const isOwn = metadata.lockstep_instance === installation.instance
    const ownId = isOwn ? (metadata.lockstep_refund ?? null) : null
    const named = isOwn ? metadata.lockstep_customer : undefined
    const customerId =
      named ?? (customer === null ? undefined : await entityIdOf(db, installation, 'customer', customer))
    return customerId === undefined ? null : { customerId, ownId }
  },

  needsGate: async () => false,

  async write(trx, { object, owner: { customerId, ownId } }) {
    const seen = toRefund(object)
    const known = await findRefund(trx, { id: ownId, providerId: seen.providerId })
    const invoiceId = known?.invoiceId ?? (await invoiceOf(trx, seen.invoice))
    if (invoiceId === undefined) return {}
    // Its credit note may be written down at this moment: whoever comes second sees the other.
    await lockInvoice(trx, invoiceId)
    await writeRefund(trx, seen, {
      id: known?.id ?? ownId ?? newId('refund'),
      customerId,
      invoiceId,
      creditNoteId: known?.creditNoteId ?? (await creditNoteOfRefund(trx, invoiceId, seen.providerId)),
      workflowId: known?.workflowId ?? null,
    })
    return {}
  },
}

/** A payload does not say which invoice was paid: then it is looked up. */
async function invoiceOf(trx: Trx, provider: string | null | undefined): Promise<string | undefined> {
  if (provider === undefined) throw new Incomplete()
  const [invoice] = provider === null ? [] : await invoicesOfProvider(trx, [provider])
  return invoice?.id
}
