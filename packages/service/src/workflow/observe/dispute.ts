import { newId } from '../../ids.ts'
import { type DisputeOfCharge, toDispute } from '../../provider/stripe/to-dispute.ts'
import { writeDispute } from '../../store/disputes.ts'
import { invoicesOfProvider } from '../../store/invoices.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { readInstallation } from './installation.ts'
import { Incomplete, type Noun, type Owner } from './noun.ts'

interface DisputeOwner extends Owner {
  readonly customerId: string
}

/**
 * A payment of a customer of ours that was disputed. It is shown and told; nothing is done by itself. A payload does
 * not say whose it is, so it is always fetched.
 */
export const disputeNoun: Noun<DisputeOfCharge, DisputeOwner> = {
  async owner(db, object) {
    const { customer, invoice } = toDispute(object)
    if (customer === undefined) throw new Incomplete()
    const linked =
      customer === null ? undefined : await entityIdOf(db, await readInstallation(db), 'customer', customer)
    // One who was deleted at Stripe is linked to nobody; what they paid is still theirs.
    const [paid] = linked === undefined && invoice ? await invoicesOfProvider(db, [invoice]) : []
    const customerId = linked ?? paid?.customerId
    return customerId === undefined ? null : { customerId }
  },

  needsGate: async () => false,

  async write(trx, { object, owner: { customerId } }) {
    const seen = toDispute(object)
    const [invoice] = seen.invoice ? await invoicesOfProvider(trx, [seen.invoice]) : []
    await writeDispute(trx, seen, { id: newId('dispute'), customerId, invoiceId: invoice?.id ?? null })
    return {}
  },
}
