import type Stripe from 'stripe'

/** Somebody new pays this price, made at Stripe and not here. */
export async function subscribeThere(stripe: Stripe, price: string): Promise<Stripe.Subscription> {
  const customer = await stripe.customers.create({ name: 'Somebody' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items: [{ price }],
  })
}
