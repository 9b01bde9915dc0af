import type Stripe from 'stripe'
import type { HeldUpdate } from './billing/pending-update.ts'
import type { PricedParams } from './resources/checkout-fields.ts'

/**
 * A Stripe object as it travels: decimals are text, and a field that can be expanded holds the id.
 * Rows are these plus `own`, what Stripe knows about an object and does not show.
 */
type Wire<T> = T extends Stripe.Decimal
  ? string
  : T extends readonly (infer E)[]
    ? (string extends E ? string : Wire<E>)[]
    : T extends object
      ? {
          readonly [K in keyof T]: string extends T[K]
            ? Extract<T[K], string | number | null | undefined>
            : Wire<T[K]>
        }
      : T

/** The test clock that an object lives by; null is wall time. */
interface OnClock {
  readonly clock: string | null
}

type RowOf<S, Joined extends keyof S, Own> = Omit<Wire<S>, Joined | 'deleted'> & { readonly own: Own }

export type Json = { [key: string]: unknown }

export type ProductRow = RowOf<
  Stripe.Product,
  never,
  {
    /** Made for one item, and on no list. */
    inline: boolean
    /** The description of the invoice items that it was made for: `resources/amount-price.ts`. */
    itemsNamed?: string
    /** Plans of it that were deleted before may still be subscribed to. */
    deleted?: boolean
  }
>
export type PriceTierRow = Wire<Stripe.Price.Tier>
export type PriceOptionRow = Wire<Stripe.Price.CurrencyOptions>
export type PriceRow = RowOf<
  Stripe.Price,
  'tiers' | 'currency_options',
  {
    inline: boolean
    tiers: PriceTierRow[] | undefined
    /** What it costs in other currencies, by their code. */
    currencies?: Record<string, PriceOptionRow>
    /** Deleted as a plan: who has it keeps it, nobody finds it. */
    deleted?: boolean
    /** Of invoice items that were given by their amount: `resources/amount-price.ts`. */
    ofAmount?: boolean
  }
>
export type CustomerRow = RowOf<
  Stripe.Customer,
  'subscriptions' | 'sources' | 'tax_ids' | 'cash_balance' | 'discount',
  OnClock & { readonly deleted: boolean }
>
export type PaymentMethodRow = RowOf<
  Stripe.PaymentMethod,
  never,
  OnClock & { readonly behavior: string; readonly setUp: boolean; readonly detached: boolean }
>
/** Stands for a card that is nobody's yet: that is a row of `paymentMethods`, by its id. */
export type TokenRow = RowOf<Stripe.Token, 'card' | 'bank_account', { readonly card: string }>
export type SubscriptionRow = RowOf<
  Stripe.Subscription,
  'items',
  OnClock & {
    /** What the incomplete first invoice waits for. */
    readonly firstInvoice: string | null
    /** While the create request runs. */
    readonly creating: boolean
    /** Whether a planned end inside a period credits the rest of it. */
    readonly proratesEnd: boolean
    /** Where a later trial began, which `trial_start` does not say in classic billing. */
    readonly trialFrom?: number
    /** A change that waits for its invoice to be paid. */
    readonly held?: HeldUpdate | null
  }
>
/** What was last debited for a stretch of an item's time: the flexible mode credits it back. */
interface Debit {
  readonly start: number
  readonly end: number
  /** Net of discounts, in the minor unit. */
  readonly amount: number
  /** For `credited_items`: the invoice item or, once invoiced, the line that debited. */
  readonly invoiceItem: string | null
  readonly invoice: string | null
  readonly line: string | null
}
export type SubscriptionItemRow = RowOf<
  Stripe.SubscriptionItem,
  'price' | 'plan',
  OnClock & {
    readonly price: string
    readonly debit: Debit | null
    readonly sequence: number
    /** Since when usage has not been billed, where that is later than the period's start. */
    readonly usageFrom?: number | undefined
  }
>
type TaxBehavior = 'exclusive' | 'inclusive' | 'unspecified'
export type LineRow = Wire<Stripe.InvoiceLineItem> & {
  readonly own: {
    readonly appliesTo: string | null
    /** After discounts, before exclusive taxes. */
    readonly net: number
    /** Its own tax rates; with none the invoice's apply. */
    readonly taxRates: readonly string[]
    /** Whether its amount includes its tax, where its price does not say. */
    readonly taxBehavior?: TaxBehavior | undefined
  }
}
export type InvoiceRow = RowOf<
  Stripe.Invoice,
  'lines' | 'payments' | 'confirmation_secret' | 'test_clock',
  OnClock & {
    readonly lines: readonly LineRow[]
    readonly paymentIntent: string | null
    /** `invoice.created` waits for its endpoints until then; null when nothing is held. */
    readonly heldUntil: number | null
    readonly createdEvent: string | null
    readonly subscription: string | null
    readonly preview: boolean
    /** Automatic attempts so far, for the retry schedule. */
    readonly retries: number
    /** Of a change that is made when this is paid, and was not made so far. */
    readonly isHeld?: boolean
  }
>
export type InvoiceItemRow = RowOf<
  Stripe.InvoiceItem,
  never,
  OnClock & {
    readonly subscription: string | null
    readonly subscriptionItem: string | null
    readonly debit: boolean
    /** Whether its amount includes its tax, where its price does not say. */
    readonly taxBehavior?: TaxBehavior | undefined
    /** Its invoice was deleted as a draft. */
    readonly deleted?: boolean
  }
>
export type InvoicePaymentRow = RowOf<
  Stripe.InvoicePayment,
  never,
  OnClock & { readonly intent: string | null }
>
export type PaymentIntentRow = RowOf<
  Stripe.PaymentIntent,
  never,
  OnClock & { readonly invoice: string | null }
>
export type SetupIntentRow = RowOf<Stripe.SetupIntent, never, OnClock>
export type ChargeRow = RowOf<Stripe.Charge, 'refunds', OnClock>
export type RefundRow = RowOf<
  Stripe.Refund,
  never,
  /** What a refund of a test card turns into some time later. */
  OnClock & { readonly later: 'succeeded' | 'failed' | null }
>
export type DisputeRow = RowOf<Stripe.Dispute, never, OnClock>
export type ScheduleRow = RowOf<Stripe.SubscriptionSchedule, never, OnClock>
export type CheckoutRow = RowOf<
  Stripe.Checkout.Session,
  'line_items',
  OnClock & {
    /** As they were given: what is made of them is made when the page is completed. */
    readonly params: PricedParams
    readonly items: readonly Json[]
    readonly paymentIntentData: {
      readonly description?: string | undefined
      readonly metadata: Record<string, string>
      readonly setup_future_usage?: 'off_session' | 'on_session' | undefined
    }
  }
>
export type PortalRow = RowOf<Stripe.BillingPortal.Session, never, OnClock>
export type PortalConfigurationRow = RowOf<Stripe.BillingPortal.Configuration, never, Record<never, never>>
export type TaxRateRow = RowOf<Stripe.TaxRate, never, { readonly percent: string }>
export type CreditNoteLineRow = Wire<Stripe.CreditNoteLineItem>
export type CreditNoteRow = RowOf<
  Stripe.CreditNote,
  'lines',
  OnClock & { readonly lines: readonly CreditNoteLineRow[] }
>
export type CouponRow = RowOf<
  Stripe.Coupon,
  'applies_to' | 'valid' | 'currency_options',
  {
    readonly products: string[]
    readonly percent: string | null
    /** The amount off in other currencies, by their code. */
    readonly amounts?: Record<string, number>
    readonly deleted?: boolean
    /** The id of a deleted one, where another coupon has it since. */
    readonly formerly?: string
  }
>
export type PromotionCodeRow = RowOf<
  Stripe.PromotionCode,
  never,
  {
    /** Where its coupon is kept, if that was deleted and its id used again. */
    readonly coupon?: string
    /** The least purchase in other currencies, by their code. */
    readonly minimums?: Record<string, number | null>
  }
>
export type DiscountRow = RowOf<
  Stripe.Discount,
  never,
  OnClock & { readonly coupon: string; readonly used: boolean }
>
export type BalanceTransactionRow = RowOf<Stripe.CustomerBalanceTransaction, never, OnClock>
export type TaxIdRow = RowOf<Stripe.TaxId, never, OnClock>
/** A movement of the account's balance; it is read from what moved the money, so it is no row. */
export type BalanceTransactionOf = Wire<Stripe.BalanceTransaction>
export type MeterRow = RowOf<Stripe.Billing.Meter, never, Record<never, never>>
/** One measurement. Stripe shows no id of it, and finds it by its identifier. */
export type MeterEventRow = RowOf<
  Stripe.Billing.MeterEvent,
  never,
  OnClock & {
    readonly meter: string
    readonly customer: string
    /** In picos of the meter's unit, as text; null where the meter only counts. */
    readonly value: string | null
    readonly canceled: boolean
  }
> & { readonly id: string }
export type FeatureRow = RowOf<Stripe.Entitlements.Feature, never, Record<never, never>>
export type ProductFeatureRow = RowOf<
  Stripe.ProductFeature,
  'entitlement_feature',
  { readonly product: string; readonly feature: string }
>
export type ActiveEntitlementRow = RowOf<
  Stripe.Entitlements.ActiveEntitlement,
  never,
  OnClock & { readonly customer: string }
>
export type TestClockRow = RowOf<
  Stripe.TestHelpers.TestClock,
  never,
  { readonly now: number; readonly target: number }
>
export type WebhookEndpointRow = RowOf<
  Stripe.WebhookEndpoint,
  'secret',
  { readonly secret: string; readonly ofStart?: boolean }
>
export interface EventData {
  readonly object: Json
  readonly previous_attributes?: Json
}
/** An event in the newest version; `object` is a snapshot, rendered once and never rewritten. */
export interface EventRow {
  readonly id: string
  readonly object: 'event'
  readonly api_version: string
  readonly created: number
  readonly data: EventData
  readonly livemode: false
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null }
  readonly type: string
  readonly own: OnClock & {
    readonly pending: number
    readonly failed: boolean
    /** By version: as the account and its endpoints see it that are not at the newest version. */
    readonly older?: { readonly [version: string]: EventData }
  }
}
/** Something that happens by itself when its clock reaches a time. */
export interface AlarmRow {
  /** `kind:target`: an object has one alarm of a kind. */
  readonly id: string
  readonly kind: AlarmKind
  readonly target: string
  readonly clock: string | null
  readonly at: number
}
export type AlarmKind =
  | 'subscription.due'
  | 'subscription.trial_will_end'
  | 'subscription.upcoming'
  | 'subscription.expire'
  | 'subscription.pending_update'
  | 'subscription.pending_items'
  | 'invoice.finalize'
  | 'invoice.retry'
  | 'invoice.will_be_due'
  | 'invoice.overdue'
  | 'refund.settle'
  | 'intent.expire'
  | 'intent.settle'
  | 'discount.end'
  | 'dispute.due'
  | 'schedule.due'
  | 'checkout.expire'
  | 'schedule.expiring'
  | 'clock.delete'

/** An event that an endpoint has not taken yet. */
export interface DeliveryRow {
  readonly id: string
  readonly event: string
  readonly endpoint: string
  /** So far. */
  readonly attempts: number
  /** Milliseconds of wall time; 0 is at once. */
  readonly notBefore: number
}
