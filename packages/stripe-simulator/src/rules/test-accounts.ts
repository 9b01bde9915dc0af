/** The kinds of payment methods that the simulator plays; every other is refused by name. */
export const METHOD_TYPES = ['card', 'us_bank_account'] as const

/** The others that Stripe has. https://docs.stripe.com/api/payment_methods/create#create_payment_method-type */
export const UNPLAYED_TYPES =
  `acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit bancontact billie bizum blik
   boleto cashapp crypto custom customer_balance eps fpx giropay grabpay ideal kakao_pay klarna konbini kr_card link
   mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal paypay payto pix
   promptpay revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish twint upi wechat_pay
   zip`.split(/\s+/)

/** A bank account whose debits succeed, or come back days later with this code. */
export interface TestAccount {
  readonly number: string
  readonly failure: string | null
}

/**
 * The test accounts of ACH Direct Debit that have a token.
 * https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-account-numbers
 */
const accounts = new Map<string, TestAccount>(
  Object.entries({
    pm_usBankAccount_success: { number: '000123456789', failure: null },
    pm_usBankAccount_accountClosed: { number: '000111111113', failure: 'account_closed' },
    pm_usBankAccount_noAccount: { number: '000111111116', failure: 'no_account' },
    pm_usBankAccount_insufficientFunds: { number: '000222222227', failure: 'insufficient_funds' },
    pm_usBankAccount_debitNotAuthorized: { number: '000333333335', failure: 'debit_not_authorized' },
  }),
)

export function accountOfToken(token: string): TestAccount | undefined {
  return accounts.get(token)
}

const MESSAGES: Record<string, string> = {
  account_closed: "The customer's bank account has been closed.",
  no_account: "The customer's bank account could not be located.",
  insufficient_funds: "The customer's account has insufficient funds to cover this payment.",
  debit_not_authorized: 'The customer has notified their bank that this payment was unauthorized.',
}

/** What the bank says of a debit that came back, for people. */
export function returnMessage(code: string): string {
  return MESSAGES[code] ?? 'The payment failed.'
}
