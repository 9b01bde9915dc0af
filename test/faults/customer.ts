import type Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import type { Installation } from '../../packages/service/test/support/installation.ts'
import type { Deed } from './wishes.ts'

/** What of Stripe's the customer did something with: an event tells of it. */
export type Touched = {
  readonly type: 'subscription' | 'invoice' | 'checkout_session'
  readonly id: string
}

export interface Customer {
  readonly deed: Deed
  /**
   * Does it at Stripe, if there is something to do it with: perhaps before we know that we wait. The card,
   * the bank and the page are the customer's, so no fault of ours meets them there.
   */
  act(): Promise<Touched | undefined>
}

/** Whoever does nothing at Stripe, but stays away or gives up, touches nothing there either. */
export function newCustomer(
  { simulator, installation }: { readonly simulator: Simulator; readonly installation: Installation },
  externalId: string,
  deed: Deed,
): Customer {
  const { control } = simulator
  const { stripe } = installation.deps.provider

  async function act(): Promise<Touched | undefined> {
    const id = await atStripe()
    if (id === undefined) return undefined
    switch (deed) {
      case 'confirms':
        return answer(id, 'succeed')
      case 'fails to confirm':
        return answer(id, 'fail')
      case 'confirms in vain':
        return answer(id, 'succeed')
      case 'leaves a card':
        return onPage(id, async (page) => void control.completeCheckout(page, { card: 'pm_card_visa' }))
      case 'lets the page expire':
        return onPage(id, async (page) => void (await stripe.checkout.sessions.expire(page)))
      case 'stays away':
      case 'gives up':
        return undefined
    }
  }

  async function answer(customer: string, outcome: 'succeed' | 'fail'): Promise<Touched | undefined> {
    const { data: invoices } = await stripe.invoices.list({ customer, status: 'open', limit: 1 })
    const { data: intents } = await stripe.paymentIntents.list({ customer, limit: 1 })
    const [invoice, intent] = [invoices[0], intents[0]]
    if (!invoice || intent?.status !== 'requires_action') return undefined
    try {
      control.authenticate(intent.id, outcome)
    } catch (error) {
      // The bank's last word is said to the customer, too.
      if (deed !== 'confirms in vain') throw error
    }
    // Paid, its subscription changes; not paid, only the invoice tells of the attempt.
    const subscription = invoice.parent?.subscription_details?.subscription
    return typeof subscription === 'string' && deed === 'confirms'
      ? { type: 'subscription', id: subscription }
      : { type: 'invoice', id: invoice.id }
  }

  async function onPage(
    customer: string,
    leave: (page: string) => Promise<void>,
  ): Promise<Touched | undefined> {
    const { data } = await stripe.checkout.sessions.list({ customer, status: 'open', limit: 1 })
    const [page] = data
    if (!page) return undefined
    await leave(page.id)
    return { type: 'checkout_session', id: page.id }
  }

  async function atStripe(): Promise<string | undefined> {
    const { rows } = await installation.database.pool.query<{ id: string }>(
      'select id from customer where external_id = $1',
      [externalId],
    )
    const { data } = await stripe.customers.list({ limit: 5 })
    const isSame = ({ metadata }: Stripe.Customer) => metadata.lockstep_customer === rows[0]?.id
    return data.find(isSame)?.id
  }

  return {
    deed,
    async act() {
      const armed = control.faults()
      control.clearFaults()
      try {
        return await act()
      } finally {
        for (const fault of armed) control.fail(fault)
      }
    },
  }
}
