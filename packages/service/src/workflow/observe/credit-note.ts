import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import { toCreditNote } from '../../provider/stripe/to-credit-note.ts'
import { findCreditNote, writeCreditNote } from '../../store/credit-notes.ts'
import { invoicesOfProvider } from '../../store/invoices.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { lockInvoice } from '../../store/money-back.ts'
import { readInstallation } from './installation.ts'
import { Incomplete, type Noun, type Owner } from './noun.ts'

interface CreditNoteOwner extends Owner {
  readonly customerId: string
  /** Our id of it, if we made it. */
  readonly ownId: string | null
}

/** What takes an amount off an invoice, whoever wrote it. Of an invoice that is none of ours nothing is kept. */
export const creditNoteNoun: Noun<Stripe.CreditNote, CreditNoteOwner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const { customer, metadata } = toCreditNote(object)
    const isOwn = metadata.lockstep_instance === installation.instance
    const ownId = isOwn ? (metadata.lockstep_credit_note ?? null) : null
    const customerId =
      customer === null ? undefined : await entityIdOf(db, installation, 'customer', customer)
    return customerId === undefined ? null : { customerId, ownId }
  },

  needsGate: async () => false,

  async write(trx, { object, owner: { customerId, ownId }, source }) {
    const seen = toCreditNote(object)
    const known = await findCreditNote(trx, { id: ownId, providerId: seen.providerId })
    const [invoice] = await invoicesOfProvider(trx, [seen.invoice])
    const invoiceId = known?.invoiceId ?? invoice?.id
    // It may be heard of before its invoice: whoever looks it up looks at the invoice first.
    if (invoiceId === undefined && source === 'event') throw new Incomplete()
    if (invoiceId === undefined) return {}
    await lockInvoice(trx, invoiceId)
    const id = known?.id ?? ownId ?? newId('credit_note')
    await writeCreditNote(trx, seen, { id, customerId, invoiceId, workflowId: known?.workflowId ?? null })
    return {}
  },
}
