import { plainCards } from './plain-cards.ts'

/**
 * What a card does. `declines` fails every charge and cannot be attached to a customer; `fails_later`
 * attaches and then fails every charge. The 3-D Secure ones differ in when they ask.
 */
export type CardBehavior =
  | {
      readonly on: 'succeeds'
      /** What its refunds turn into later: pending ones succeed, succeeded ones fail. */
      readonly refunds?: 'succeeded' | 'failed'
      /** What the holder says to the bank after it was charged. */
      readonly disputes?: 'fraudulent' | 'product_not_received' | 'inquiry'
    }
  | { readonly on: 'fails_later'; readonly declineCode?: string }
  /** A bank account: what becomes of a debit is known days later. */
  | { readonly on: 'debits'; readonly failure: string | null }
  | {
      readonly on: 'declines'
      readonly code: string
      readonly declineCode: string | null
      /** Risk rules stopped it before the bank saw it. */
      readonly blocked?: boolean
    }
  | {
      readonly on: 'asks'
      /** `always`; `unless_set_up` for later off-session use; `on_session` only. */
      readonly when: 'always' | 'unless_set_up' | 'on_session'
      readonly afterwards: { readonly code: string; readonly declineCode: string | null } | null
    }

export interface TestCard {
  readonly number: string
  readonly brand: string
  readonly funding: 'credit' | 'debit' | 'prepaid'
  /** ISO 3166-1, in capitals. */
  readonly country: string
  readonly tokens: readonly string[]
  readonly behavior: CardBehavior
}

function declined(declineCode: string): CardBehavior {
  return { on: 'declines', code: 'card_declined', declineCode }
}

function asks(when: 'always' | 'unless_set_up' | 'on_session', after: string | null = null): CardBehavior {
  return {
    on: 'asks',
    when,
    afterwards: after === null ? null : { code: 'card_declined', declineCode: after },
  }
}

function card(number: string, brand: string, tokens: string, behavior: CardBehavior): TestCard {
  return { number, brand, country: 'US', funding: 'credit', behavior, tokens: tokens.split(' ') }
}

/** https://docs.stripe.com/testing */
const testCards: readonly TestCard[] = [
  ...plainCards.map(({ token, ...known }) => ({
    ...known,
    tokens: token === null ? [] : [token],
    behavior: { on: 'succeeds' } as const,
  })),
  card('4000000000000002', 'visa', 'visa_chargeDeclined chargeDeclined', declined('generic_decline')),
  card(
    '4000000000009995',
    'visa',
    'visa_chargeDeclinedInsufficientFunds chargeDeclinedInsufficientFunds',
    declined('insufficient_funds'),
  ),
  card(
    '4000000000009987',
    'visa',
    'visa_chargeDeclinedLostCard chargeDeclinedLostCard',
    declined('lost_card'),
  ),
  card(
    '4000000000009979',
    'visa',
    'visa_chargeDeclinedStolenCard chargeDeclinedStolenCard',
    declined('stolen_card'),
  ),
  card('4000000000000069', 'visa', 'visa_chargeDeclinedExpiredCard chargeDeclinedExpiredCard', {
    on: 'declines',
    code: 'expired_card',
    declineCode: 'expired_card',
  }),
  card('4000000000000127', 'visa', 'visa_chargeDeclinedIncorrectCvc chargeDeclinedIncorrectCvc', {
    on: 'declines',
    code: 'incorrect_cvc',
    declineCode: 'incorrect_cvc',
  }),
  card('4000000000000119', 'visa', 'visa_chargeDeclinedProcessingError chargeDeclinedProcessingError', {
    on: 'declines',
    code: 'processing_error',
    declineCode: 'processing_error',
  }),
  card(
    '4000000000006975',
    'visa',
    'visa_chargeDeclinedVelocityLimitExceeded chargeDeclinedVelocityLimitExceeded',
    declined('card_velocity_exceeded'),
  ),
  card('4000000000000341', 'visa', 'chargeCustomerFail visa_chargeCustomerFail', { on: 'fails_later' }),
  card('4000000000000341', 'visa', 'visa_chargeCustomerFailLostCard', {
    on: 'fails_later',
    declineCode: 'lost_card',
  }),
  card('4000000000000341', 'visa', 'visa_chargeCustomerFailStolenCard', {
    on: 'fails_later',
    declineCode: 'stolen_card',
  }),
  card('4000002500003155', 'visa', 'authenticationRequiredOnSetup', asks('unless_set_up')),
  card('4000002760003184', 'visa', 'authenticationRequired', asks('always')),
  card('4000003800000446', 'visa', 'authenticationRequiredSetupForOffSession', asks('on_session')),
  card(
    '4000008260003178',
    'visa',
    'authenticationRequiredChargeDeclinedInsufficientFunds',
    asks('always', 'insufficient_funds'),
  ),
  card('4000008400001629', 'visa', 'threeDSecureRequiredChargeDeclined', asks('always', 'generic_decline')),
  card('4000000000003220', 'visa', 'threeDSecure2Required', asks('always')),
  card('4000000000003055', 'visa', 'threeDSecureOptional', { on: 'succeeds' }),
  card('378282246310005', 'amex', 'amex_threeDSecureNotSupported', { on: 'succeeds' }),
  card('4100000000000019', 'visa', 'radarBlock visa_chargeDeclinedFraudulent chargeDeclinedFraudulent', {
    on: 'declines',
    code: 'card_declined',
    declineCode: 'fraudulent',
    blocked: true,
  }),
  card('4000000000000259', 'visa', 'createDispute visa_createDispute', {
    on: 'succeeds',
    disputes: 'fraudulent',
  }),
  card('4000000000002685', 'visa', 'createDisputeProductNotReceived visa_createDisputeProductNotReceived', {
    on: 'succeeds',
    disputes: 'product_not_received',
  }),
  card('4000000000001976', 'visa', 'createDisputeInquiry visa_createDisputeInquiry', {
    on: 'succeeds',
    disputes: 'inquiry',
  }),
  card('4000000000007726', 'visa', 'pendingRefund', { on: 'succeeds', refunds: 'succeeded' }),
  card('4000000000005126', 'visa', 'refundFail', { on: 'succeeds', refunds: 'failed' }),
]

const byToken = new Map(
  testCards.flatMap((testCard) => testCard.tokens.map((token) => [token, testCard] as const)),
)
// The first of a number is the one that it stands for.
const byNumber = new Map(testCards.toReversed().map((testCard) => [testCard.number, testCard] as const))

/** `pm_card_visa` and `tok_visa` are templates: each use makes a new payment method. */
export function cardOfToken(token: string): TestCard | undefined {
  return byToken.get(nameOfToken(token))
}

/** What `pm_card_` and `tok_` have in common. */
export function nameOfToken(token: string): string {
  return token.replace(/^(pm_card_|tok_)/, '')
}

export function cardOfNumber(number: string): TestCard | undefined {
  return byNumber.get(number)
}

export type Attempt =
  | { readonly result: 'succeeded' }
  | { readonly result: 'declined'; readonly code: string; readonly declineCode: string | null }
  | { readonly result: 'requires_action' }
  | { readonly result: 'processing' }

/** What happens when the card is charged. `authenticated` says that the challenge was passed just now. */
export function attempt(
  behavior: CardBehavior,
  { offSession, setUp, authenticated }: { offSession: boolean; setUp: boolean; authenticated: boolean },
): Attempt {
  switch (behavior.on) {
    case 'succeeds':
      return { result: 'succeeded' }
    case 'debits':
      return { result: 'processing' }
    case 'fails_later':
      return {
        result: 'declined',
        code: 'card_declined',
        declineCode: behavior.declineCode ?? 'generic_decline',
      }
    case 'declines':
      return { result: 'declined', code: behavior.code, declineCode: behavior.declineCode }
    case 'asks': {
      const satisfied =
        authenticated ||
        (behavior.when === 'unless_set_up' && setUp && offSession) ||
        (behavior.when === 'on_session' && offSession)
      if (!satisfied) return { result: 'requires_action' }
      return behavior.afterwards === null
        ? { result: 'succeeded' }
        : { result: 'declined', ...behavior.afterwards }
    }
  }
}

/**
 * What the network and Stripe say of a decline beside its code, as far as it was recorded in test mode: of the general
 * one. zulip/zulip corporate/tests/stripe_fixtures/replace_payment_method--Invoice.pay.2.json (2025-11-17.clover), and
 * Kiln-AI/stripe_world, cassette 06 (2026-08-26.dahlia).
 */
export function adviceOf(declineCode: string | null) {
  return declineCode === 'generic_decline'
    ? { advice_code: 'try_again_later', network_decline_code: '01' }
    : undefined
}

/** The message of a declined card, for people. */
export function declineMessage(code: string, declineCode: string | null): string {
  if (declineCode === 'insufficient_funds') return 'Your card has insufficient funds.'
  if (code === 'expired_card') return 'Your card has expired.'
  if (code === 'incorrect_cvc') return "Your card's security code is incorrect."
  if (code === 'processing_error')
    return 'An error occurred while processing your card. Try again in a little bit.'
  if (code === 'invoice_payment_intent_requires_action') {
    return 'This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice. For more details see this page: https://stripe.com/docs/billing/subscriptions/overview#requires-action'
  }
  if (code === 'authentication_required')
    return 'Your card was declined. This transaction requires authentication.'
  return 'Your card was declined.'
}
