import type { PaymentMethodRow } from '../rows.ts'
import type { World } from '../world.ts'

type Card = NonNullable<PaymentMethodRow['card']>

/**
 * The bank looks at a card's security code and its holder's address when it is first attached or charged; of what was
 * not given there is nothing to check. https://docs.stripe.com/api/payment_methods/object#payment_method_object-card-checks
 */
export function checkedCard(world: World, method: PaymentMethodRow, declined?: string): PaymentMethodRow {
  const { card } = method
  const given = card?.checks
  if (card === undefined || given == null || !Object.values(given).includes('unchecked')) return method
  const passed = (check: string | null) => (check === 'unchecked' ? 'pass' : check)
  const checks = {
    address_line1_check: passed(given.address_line1_check),
    address_postal_code_check: passed(given.address_postal_code_check),
    cvc_check:
      declined === 'incorrect_cvc' && given.cvc_check === 'unchecked' ? 'fail' : passed(given.cvc_check),
  }
  return world.paymentMethods.patch(method.id, { card: { ...card, checks } })
}

/**
 * The card as a charge shows it, which is not as its method does. What only a network knows (an authorization's code,
 * a transaction's id) is null. As recorded: github.com/Kiln-AI/stripe_world, cassette 04 (2026-08-26.dahlia).
 */
export function chargedCard(card: Card, amount: number, authorized: boolean) {
  const { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4, regulated_status } = card
  return {
    amount_authorized: authorized ? amount : null,
    authorization_code: null,
    brand,
    checks,
    country,
    electronic_commerce_indicator: null,
    exp_month,
    exp_year,
    extended_authorization: { status: 'disabled' },
    fingerprint,
    funding,
    incremental_authorization: { status: 'unavailable' },
    installments: null,
    last4,
    mandate: null,
    multicapture: { status: 'unavailable' },
    network: brand,
    network_token: { used: false },
    network_transaction_id: null,
    overcapture: { maximum_amount_capturable: amount, status: 'unavailable' },
    regulated_status,
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  }
}
