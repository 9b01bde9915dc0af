import type * as rows from '../rows.ts'
import { type Journal, Table } from './table.ts'

/** Remembers how to take back what a transaction did so far. */
export class UndoLog {
  depth = 0
  entries: (() => void)[] = []

  readonly journal: Journal = (undo) => {
    if (this.depth > 0) this.entries.push(undo)
  }

  /** Takes everything back that was done since `mark`. */
  rollback(mark: number): void {
    while (this.entries.length > mark) this.entries.pop()?.()
  }
}

/** Where a meter's events of a customer are found together. */
export function usageKey(meter: string, customer: string): string {
  return `${meter}/${customer}`
}

/** The rows of every resource. */
export class Tables {
  readonly products: Table<rows.ProductRow, 'itemsNamed'>
  readonly prices: Table<rows.PriceRow, 'product' | 'lookup_key' | 'amount'>
  readonly customers: Table<rows.CustomerRow, 'clock' | 'email' | 'prefix'>
  readonly paymentMethods: Table<rows.PaymentMethodRow, 'customer'>
  readonly tokens: Table<rows.TokenRow>
  readonly subscriptions: Table<rows.SubscriptionRow, 'customer' | 'clock'>
  readonly subscriptionItems: Table<rows.SubscriptionItemRow, 'subscription'>
  readonly invoices: Table<rows.InvoiceRow, 'customer' | 'subscription' | 'number' | 'prefix'>
  readonly invoiceItems: Table<rows.InvoiceItemRow, 'customer' | 'invoice' | 'pending'>
  readonly invoicePayments: Table<rows.InvoicePaymentRow, 'invoice' | 'intent'>
  readonly paymentIntents: Table<rows.PaymentIntentRow, 'customer'>
  readonly setupIntents: Table<rows.SetupIntentRow, 'customer'>
  readonly charges: Table<rows.ChargeRow, 'customer' | 'payment_intent' | 'balance_transaction'>
  readonly refunds: Table<rows.RefundRow, 'charge' | 'balance_transaction' | 'failure_balance_transaction'>
  readonly disputes: Table<rows.DisputeRow, 'charge'>
  readonly taxRates: Table<rows.TaxRateRow>
  readonly schedules: Table<rows.ScheduleRow, 'customer'>
  readonly checkouts: Table<rows.CheckoutRow>
  readonly portals: Table<rows.PortalRow>
  readonly portalConfigurations: Table<rows.PortalConfigurationRow>
  readonly creditNotes: Table<rows.CreditNoteRow, 'invoice' | 'customer'>
  readonly coupons: Table<rows.CouponRow>
  readonly promotionCodes: Table<rows.PromotionCodeRow, 'code'>
  readonly discounts: Table<rows.DiscountRow, 'customer'>
  readonly balanceTransactions: Table<rows.BalanceTransactionRow, 'customer'>
  readonly taxIds: Table<rows.TaxIdRow, 'customer'>
  readonly meters: Table<rows.MeterRow, 'event_name'>
  readonly meterEvents: Table<rows.MeterEventRow, 'identifier' | 'usage'>
  readonly features: Table<rows.FeatureRow, 'lookup_key'>
  readonly productFeatures: Table<rows.ProductFeatureRow, 'product'>
  readonly activeEntitlements: Table<rows.ActiveEntitlementRow, 'customer'>
  readonly testClocks: Table<rows.TestClockRow>
  readonly webhookEndpoints: Table<rows.WebhookEndpointRow>
  readonly events: Table<rows.EventRow, 'type'>
  readonly alarms: Table<rows.AlarmRow, 'clock' | 'target'>
  readonly deliveries: Table<rows.DeliveryRow, 'event'>

  /**
   * `searchMs` is how far search lies behind, so that the tables that it reads can look back.
   *
   * Each table has a function of its own that copies its rows: where the engine meets the rows of one table only, it
   * copies one of 75 columns in 0.1 µs, and in 1.4 µs where it meets those of all.
   */
  constructor(journal: Journal, searchMs: number) {
    this.products = new Table(
      journal,
      (row) => ({ ...row }),
      { itemsNamed: (row) => row.own.itemsNamed },
      searchMs,
    )
    this.prices = new Table(
      journal,
      (row) => ({ ...row }),
      {
        product: (row) => row.product,
        lookup_key: (row) => row.lookup_key,
        amount: (row) => (row.own.ofAmount === true ? amountKey(row) : null),
      },
      searchMs,
    )
    this.customers = new Table(
      journal,
      (row) => ({ ...row }),
      {
        clock: (row) => row.own.clock ?? 'wall',
        email: (row) => row.email,
        prefix: (row) => row.invoice_prefix,
      },
      searchMs,
    )
    this.paymentMethods = new Table(journal, (row) => ({ ...row }), {
      customer: (row) => row.customer,
    })
    this.tokens = new Table(journal, (row) => ({ ...row }))
    this.subscriptions = new Table(
      journal,
      (row) => ({ ...row }),
      {
        customer: (row) => row.customer,
        clock: (row) => row.own.clock ?? 'wall',
      },
      searchMs,
    )
    this.subscriptionItems = new Table(journal, (row) => ({ ...row }), {
      subscription: (row) => row.subscription,
    })
    this.invoices = new Table(
      journal,
      (row) => ({ ...row }),
      {
        customer: (row) => row.customer,
        subscription: (row) => row.own.subscription,
        number: (row) => row.number,
        prefix: (row) => row.number?.split('-')[0] ?? null,
      },
      searchMs,
    )
    this.invoiceItems = new Table(journal, (row) => ({ ...row }), {
      customer: (row) => (row.own.deleted === true ? null : row.customer),
      invoice: (row) => (row.own.deleted === true ? null : row.invoice),
      pending: (row) => (row.invoice === null ? row.customer : null),
    })
    this.invoicePayments = new Table(journal, (row) => ({ ...row }), {
      invoice: (row) => row.invoice,
      intent: (row) => row.own.intent,
    })
    this.paymentIntents = new Table(
      journal,
      (row) => ({ ...row }),
      {
        customer: (row) => row.customer,
      },
      searchMs,
    )
    this.setupIntents = new Table(journal, (row) => ({ ...row }), {
      customer: (row) => row.customer,
    })
    this.charges = new Table(
      journal,
      (row) => ({ ...row }),
      {
        customer: (row) => row.customer,
        payment_intent: (row) => row.payment_intent,
        balance_transaction: (row) => row.balance_transaction,
      },
      searchMs,
    )
    this.refunds = new Table(journal, (row) => ({ ...row }), {
      charge: (row) => row.charge,
      balance_transaction: (row) => row.balance_transaction,
      failure_balance_transaction: (row) => row.failure_balance_transaction,
    })
    this.disputes = new Table(journal, (row) => ({ ...row }), { charge: (row) => row.charge })
    this.taxRates = new Table(journal, (row) => ({ ...row }))
    this.schedules = new Table(journal, (row) => ({ ...row }), { customer: (row) => row.customer })
    this.checkouts = new Table(journal, (row) => ({ ...row }))
    this.portals = new Table(journal, (row) => ({ ...row }))
    this.portalConfigurations = new Table(journal, (row) => ({ ...row }))
    this.creditNotes = new Table(journal, (row) => ({ ...row }), {
      invoice: (row) => row.invoice,
      customer: (row) => row.customer,
    })
    this.coupons = new Table(journal, (row) => ({ ...row }))
    this.promotionCodes = new Table(journal, (row) => ({ ...row }), {
      code: (row) => row.code.toLowerCase(),
    })
    this.discounts = new Table(journal, (row) => ({ ...row }), {
      customer: (row) => row.customer,
    })
    this.balanceTransactions = new Table(journal, (row) => ({ ...row }), {
      customer: (row) => row.customer,
    })
    this.taxIds = new Table(journal, (row) => ({ ...row }), { customer: (row) => row.customer })
    this.meters = new Table(journal, (row) => ({ ...row }), { event_name: (row) => row.event_name })
    this.meterEvents = new Table(journal, (row) => ({ ...row }), {
      identifier: (row) => row.identifier,
      usage: (row) => usageKey(row.own.meter, row.own.customer),
    })
    this.features = new Table(journal, (row) => ({ ...row }), { lookup_key: (row) => row.lookup_key })
    this.productFeatures = new Table(journal, (row) => ({ ...row }), { product: (row) => row.own.product })
    this.activeEntitlements = new Table(journal, (row) => ({ ...row }), {
      customer: (row) => row.own.customer,
    })
    this.testClocks = new Table(journal, (row) => ({ ...row }))
    this.webhookEndpoints = new Table(journal, (row) => ({ ...row }))
    this.events = new Table(journal, (row) => ({ ...row }), { type: (row) => row.type })
    this.alarms = new Table(journal, (row) => ({ ...row }), {
      clock: (row) => row.clock ?? 'wall',
      target: (row) => row.target,
    })
    this.deliveries = new Table(journal, (row) => ({ ...row }), { event: (row) => row.event })
  }

  /** Every table by name: what a state file holds. */
  tables() {
    return {
      products: this.products,
      prices: this.prices,
      customers: this.customers,
      paymentMethods: this.paymentMethods,
      tokens: this.tokens,
      subscriptions: this.subscriptions,
      subscriptionItems: this.subscriptionItems,
      invoices: this.invoices,
      invoiceItems: this.invoiceItems,
      invoicePayments: this.invoicePayments,
      paymentIntents: this.paymentIntents,
      setupIntents: this.setupIntents,
      charges: this.charges,
      refunds: this.refunds,
      disputes: this.disputes,
      taxRates: this.taxRates,
      schedules: this.schedules,
      checkouts: this.checkouts,
      portals: this.portals,
      portalConfigurations: this.portalConfigurations,
      creditNotes: this.creditNotes,
      coupons: this.coupons,
      promotionCodes: this.promotionCodes,
      discounts: this.discounts,
      balanceTransactions: this.balanceTransactions,
      taxIds: this.taxIds,
      meters: this.meters,
      meterEvents: this.meterEvents,
      features: this.features,
      productFeatures: this.productFeatures,
      activeEntitlements: this.activeEntitlements,
      testClocks: this.testClocks,
      webhookEndpoints: this.webhookEndpoints,
      events: this.events,
      alarms: this.alarms,
      deliveries: this.deliveries,
    }
  }
}

/** What makes two prices of amounts the same one. */
export function amountKey(
  of: Pick<rows.PriceRow, 'product' | 'currency' | 'tax_behavior' | 'unit_amount_decimal'>,
): string {
  return `${of.product} ${of.currency} ${of.tax_behavior} ${of.unit_amount_decimal}`
}
