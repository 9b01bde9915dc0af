import type Stripe from 'stripe'
import { idOf } from './field.ts'

type Terms = Partial<Stripe.InvoiceCreateParams>
type Settings = NonNullable<Stripe.Subscription['payment_settings']>
type Options = NonNullable<Settings['payment_method_options']>

/** Of these methods an invoice takes what a subscription says. Of the others that is about mandates, which an invoice has none of. */
const SAME_OPTIONS = [
  'acss_debit',
  'bancontact',
  'customer_balance',
  'konbini',
  'sepa_debit',
  'us_bank_account',
] as const satisfies readonly (keyof Options)[]

/**
 * What an invoice that belongs to no subscription has to be told, so that it is taxed, issued, worded and paid as those that Stripe
 * makes of this one. What the customer's own settings say comes by itself. A share of what is paid (`application_fee_percent`,
 * `transfer_data.amount_percent`) is not among it: an invoice takes an amount there, and what it comes to is not known before
 * its lines stand on it.
 * https://docs.stripe.com/api/invoices/create
 */
export function restTerms(subscription: Partial<Stripe.Subscription>): Terms {
  return {
    ...collection(subscription),
    ...taxes(subscription),
    ...wording(subscription),
    ...payment(subscription),
    ...parties(subscription),
  }
}

/** An invoice that says nothing of it charges the customer's own default. */
function collection({
  collection_method: method,
  days_until_due: days,
  default_payment_method: card,
  default_source: source,
}: Partial<Stripe.Subscription>): Terms {
  return {
    ...(method === 'send_invoice' ? { collection_method: method } : {}),
    ...(method === 'send_invoice' && days != null ? { days_until_due: days } : {}),
    ...(card == null ? {} : { default_payment_method: idOf(card) }),
    ...(source == null ? {} : { default_source: idOf(source) }),
  }
}

function taxes({ default_tax_rates: rates, automatic_tax: tax }: Partial<Stripe.Subscription>): Terms {
  return {
    ...(rates == null || rates.length === 0 ? {} : { default_tax_rates: rates.map(({ id }) => id) }),
    ...(tax?.enabled === true
      ? {
          automatic_tax: {
            enabled: true,
            ...(account(tax.liability) && { liability: account(tax.liability) }),
          },
        }
      : {}),
  }
}

function wording({ invoice_settings: settings }: Partial<Stripe.Subscription>): Terms {
  const { custom_fields: fields, description, footer, account_tax_ids: taxIds } = settings ?? {}
  return {
    ...(fields == null || fields.length === 0 ? {} : { custom_fields: fields }),
    ...(description ? { description } : {}),
    ...(footer ? { footer } : {}),
    ...(taxIds == null || taxIds.length === 0 ? {} : { account_tax_ids: taxIds.map(idOf) }),
  }
}

function payment({ payment_settings: settings }: Partial<Stripe.Subscription>): Terms {
  const types = settings?.payment_method_types ?? []
  const options = methodOptions(settings?.payment_method_options ?? {})
  const told = {
    ...(types.length === 0 ? {} : { payment_method_types: types }),
    ...(Object.keys(options).length === 0 ? {} : { payment_method_options: options }),
  }
  return Object.keys(told).length === 0 ? {} : { payment_settings: told }
}

function methodOptions(
  options: Partial<Options>,
): Stripe.InvoiceCreateParams.PaymentSettings.PaymentMethodOptions {
  const same = SAME_OPTIONS.flatMap((name) => (options[name] == null ? [] : [[name, said(options[name])]]))
  const secure = options.card?.request_three_d_secure
  return {
    ...Object.fromEntries(same),
    ...(secure == null ? {} : { card: { request_three_d_secure: secure } }),
  }
}

/** Without what is shown as not said. */
function said(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (one === null ? [] : [[name, said(one)]])),
  )
}

function parties({
  on_behalf_of: behalf,
  transfer_data: transfer,
  invoice_settings,
}: Partial<Stripe.Subscription>): Terms {
  const issuer = account(invoice_settings?.issuer)
  return {
    ...(issuer && { issuer }),
    ...(behalf == null ? {} : { on_behalf_of: idOf(behalf) }),
    ...(transfer == null || transfer.amount_percent !== null
      ? {}
      : { transfer_data: { destination: idOf(transfer.destination) } }),
  }
}

/** Whose it is where that is another account; our own is what an invoice has anyway. */
function account(
  of: { readonly type: string; readonly account?: string | Stripe.Account } | null | undefined,
): { type: 'account'; account: string } | undefined {
  return of?.type === 'account' && of.account !== undefined
    ? { type: 'account', account: idOf(of.account) }
    : undefined
}
