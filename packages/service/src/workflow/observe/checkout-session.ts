import type Stripe from 'stripe'
import { ownReference } from '../../provider/stripe/field.ts'
import { wakeWorkflow } from '../../store/workflows.ts'
import { readInstallation } from './installation.ts'
import type { Noun, Owner } from './noun.ts'

interface PageOwner extends Owner {
  readonly workflowId: string
}

/** A page that we opened: what happens on it is a reason for whoever waits for it to look. */
export const checkoutSessionNoun: Noun<Stripe.Checkout.Session, PageOwner> = {
  async owner(db, object) {
    const { instance } = await readInstallation(db)
    const own = ownReference(object.metadata)
    if (own.instance !== instance || own.customer === null || own.workflow === null) return null
    return { customerId: own.customer, workflowId: own.workflow }
  },
  needsGate: async () => false,
  async write(trx, { object, owner }) {
    if (object.status !== 'open') await wakeWorkflow(trx, owner.workflowId)
    return {}
  },
}
