import type Stripe from 'stripe'
import type { Shown } from '../../shown.ts'
import { change, without } from '../change.ts'

type Subscription = Shown<Stripe.Subscription>

// What releases only added. The older version does not show it and does not take it.
// https://github.com/stripe/stripe-node/blob/master/CHANGELOG.md

const CHANGELOG = 'https://github.com/stripe/stripe-node/blob/master/CHANGELOG.md'

export const disputeSubmission = change({
  since: '2026-10-28.endive',
  what: 'A dispute says how its answer is meant to be sent, and how it was.',
  source: CHANGELOG,
  show: {
    dispute: {
      drop: ['intended_submission_method'],
      give: {
        evidence_details: ({ evidence_details: details }: Pick<Shown<Stripe.Dispute>, 'evidence_details'>) =>
          without(details, 'submission_method'),
      },
    },
  },
  parameters: { 'POST /v1/disputes/:id': ['intended_submission_method'] },
})

const pausable = ['features[subscription_pause]'] as const

export const portalPauses = change({
  since: '2026-10-28.endive',
  what: 'A subscription can be paused in the portal.',
  source: CHANGELOG,
  show: {
    'billing_portal.configuration': {
      give: {
        features: ({ features }: Pick<Shown<Stripe.BillingPortal.Configuration>, 'features'>) =>
          without(features, 'subscription_pause'),
      },
    },
  },
  parameters: {
    'POST /v1/billing_portal/configurations': pausable,
    'POST /v1/billing_portal/configurations/:id': pausable,
    'POST /v1/billing_portal/sessions': ['flow_data[subscription_pause]'],
  },
})

export const pauses = change({
  since: '2026-09-30.endive',
  what: 'Subscriptions can be paused by a call, and trials say where their end moves the billing cycle.',
  source: CHANGELOG,
  operations: ['POST /v1/subscriptions/:id/pause'],
  show: {
    subscription: {
      drop: ['status_details'],
      give: {
        trial_settings: ({ trial_settings: settings }: Pick<Subscription, 'trial_settings'>) =>
          settings === null ? null : { end_behavior: without(settings.end_behavior, 'billing_cycle_anchor') },
      },
    },
    subscription_item: { drop: ['current_trial'] },
    subscription_schedule: { drop: ['pause_schedules'] },
    invoice: { drop: ['status_details'] },
    invoiceitem: { drop: ['invoicing_rules'] },
    product: { drop: ['tax_details'] },
  },
  parameters: {
    'POST /v1/subscriptions': ['trial_settings[end_behavior][billing_cycle_anchor]'],
    'POST /v1/subscriptions/:id': ['trial_settings[end_behavior][billing_cycle_anchor]'],
    'POST /v1/subscriptions/:id/resume': ['payment_behavior'],
    'POST /v1/subscription_schedules': ['pause_schedules'],
    'POST /v1/subscription_schedules/:id': ['pause_schedules'],
    'POST /v1/invoiceitems/:id': ['invoicing_rules'],
    'POST /v1/invoices/create_preview': ['subscription_details[pause]'],
  },
})

export const feedbackOptions = change({
  since: '2026-08-26.dahlia',
  what: 'A cancellation can name one of the feedback options of the account; invoice items say what of them is fixed.',
  source: CHANGELOG,
  show: {
    invoiceitem: { drop: ['frozen_fields'] },
    subscription: {
      give: {
        cancellation_details: ({
          cancellation_details: details,
        }: Pick<Subscription, 'cancellation_details'>) =>
          details === null ? null : without(details, 'feedback_option'),
      },
    },
  },
  parameters: {
    'POST /v1/subscriptions/:id': ['cancellation_details[feedback_option]'],
    'DELETE /v1/subscriptions/:id': ['cancellation_details[feedback_option]'],
  },
})

export const allowedPaymentMethodTypes = change({
  since: '2026-07-29.dahlia',
  what: 'Intents can say which payment methods are allowed without fixing the list.',
  source: CHANGELOG,
  show: {
    payment_intent: { drop: ['allowed_payment_method_types'] },
    setup_intent: { drop: ['allowed_payment_method_types'] },
  },
  parameters: {
    'POST /v1/payment_intents': ['allowed_payment_method_types'],
    'POST /v1/payment_intents/:id': ['allowed_payment_method_types'],
    'POST /v1/payment_intents/:id/confirm': ['allowed_payment_method_types'],
    'POST /v1/setup_intents': ['allowed_payment_method_types'],
    'POST /v1/setup_intents/:id': ['allowed_payment_method_types'],
    'POST /v1/invoices/create_preview': ['subscription_details[metadata]'],
  },
})

export const subscriptionInvoiceTexts = change({
  since: '2026-06-24.dahlia',
  what: 'A subscription keeps texts for its invoices.',
  source: CHANGELOG,
  show: {
    subscription: {
      give: {
        invoice_settings: ({ invoice_settings: settings }: Pick<Subscription, 'invoice_settings'>) =>
          without(settings, 'custom_fields', 'description', 'footer'),
      },
    },
  },
  parameters: {
    'POST /v1/subscriptions': [
      'invoice_settings[custom_fields]',
      'invoice_settings[description]',
      'invoice_settings[footer]',
    ],
    'POST /v1/subscriptions/:id': [
      'invoice_settings[custom_fields]',
      'invoice_settings[description]',
      'invoice_settings[footer]',
    ],
  },
})

export const billingSchedules = change({
  since: '2026-05-27.dahlia',
  what: 'Several periods can be billed in advance.',
  source: CHANGELOG,
  show: {
    subscription: { drop: ['billing_schedules'] },
    subscription_item: { drop: ['billed_until'] },
    invoice: { drop: ['amount_paid_off_stripe'] },
  },
  parameters: {
    'POST /v1/subscriptions': ['billing_schedules', 'add_invoice_items[][discountable]'],
    'POST /v1/subscriptions/:id': ['billing_schedules', 'add_invoice_items[][discountable]'],
    'POST /v1/invoices/create_preview': ['subscription_details[billing_schedules]'],
  },
})

export const managedPayments = change({
  since: '2026-04-22.dahlia',
  what: 'Stripe can be the merchant of record.',
  source: CHANGELOG,
  show: {
    'checkout.session': { drop: ['managed_payments'] },
    payment_intent: { drop: ['managed_payments'] },
    setup_intent: { drop: ['managed_payments'] },
    subscription: { drop: ['managed_payments'] },
  },
  parameters: { 'POST /v1/checkout/sessions': ['managed_payments'] },
})

export const decimalQuantities = change({
  since: '2026-03-25.dahlia',
  what: 'Quantities of invoices can have decimals, and lines of credit notes metadata.',
  source: CHANGELOG,
  show: {
    invoiceitem: { drop: ['quantity_decimal'] },
    line_item: { drop: ['quantity_decimal'] },
    credit_note_line_item: { drop: ['metadata'] },
    'checkout.session': { drop: ['integration_identifier'] },
  },
  parameters: {
    'POST /v1/invoiceitems': ['quantity_decimal'],
    'POST /v1/invoiceitems/:id': ['quantity_decimal'],
    'POST /v1/invoices/:id/add_lines': ['lines[][quantity_decimal]'],
    'POST /v1/invoices/:id/update_lines': ['lines[][quantity_decimal]'],
    'POST /v1/invoices/:id/lines/:line': ['quantity_decimal'],
    'POST /v1/invoices/create_preview': ['invoice_items[][quantity_decimal]'],
    'POST /v1/credit_notes': ['lines[][metadata]'],
    'GET /v1/credit_notes/preview': ['lines[][metadata]'],
    'GET /v1/credit_notes/preview/lines': ['lines[][metadata]'],
    'POST /v1/checkout/sessions': ['integration_identifier'],
  },
})

type OrNull<T> = Exclude<T, undefined> | null

export const flowDirections = change({
  since: '2026-03-25.dahlia',
  what: 'The directions of a set-up may be absent; they were null.',
  source: CHANGELOG,
  show: {
    setup_intent: {
      give: {
        flow_directions: ({
          flow_directions: directions,
        }: Pick<Shown<Stripe.SetupIntent>, 'flow_directions'>): OrNull<typeof directions> =>
          directions ?? null,
      },
    },
  },
})

export const absentForNull = change({
  since: '2025-12-15.clover',
  what: 'The tax code of a product and the transfer of an intent may be absent; they were null.',
  source: CHANGELOG,
  show: {
    payment_intent: {
      give: {
        transfer_data: ({
          transfer_data: transfer,
        }: Pick<Shown<Stripe.PaymentIntent>, 'transfer_data'>): OrNull<typeof transfer> => transfer ?? null,
      },
    },
    product: {
      give: {
        tax_code: ({ tax_code: code }: Pick<Shown<Stripe.Product>, 'tax_code'>): OrNull<typeof code> =>
          code ?? null,
      },
    },
  },
})

export const itemsTakenOff = change({
  since: '2026-02-25.clover',
  what: 'What is paid at once can be said where an item is taken off.',
  source: CHANGELOG,
  parameters: { 'DELETE /v1/subscription_items/:id': ['payment_behavior'] },
})

export const listedByDate = change({
  since: '2025-11-17.clover',
  what: 'Balance transactions and invoice payments are listed by their date, balance transactions by their invoice.',
  source: CHANGELOG,
  parameters: {
    'GET /v1/customers/:id/balance_transactions': ['created', 'invoice'],
    'GET /v1/invoice_payments': ['created'],
  },
})

const names = ['business_name', 'individual_name'] as const

export const customerNames = change({
  since: '2025-09-30.clover',
  what: 'A customer has the names of a business and of a person.',
  source: 'https://docs.stripe.com/changelog/clover/2025-09-30/customer-business-individual-names',
  show: { customer: { drop: names } },
  parameters: { 'POST /v1/customers': names, 'POST /v1/customers/:id': names },
})

export const extraItemPeriods = change({
  since: '2025-08-27.basil',
  what: 'What a subscription bills once has metadata and a period, and a portal configuration a name.',
  source: 'https://docs.stripe.com/changelog/basil/2025-08-27/add_invoice_items_metadata_and_period',
  show: { 'billing_portal.configuration': { drop: ['name'] } },
  parameters: {
    'POST /v1/subscriptions': ['add_invoice_items[][metadata]', 'add_invoice_items[][period]'],
    'POST /v1/subscriptions/:id': ['add_invoice_items[][metadata]', 'add_invoice_items[][period]'],
    'POST /v1/billing_portal/configurations': ['name'],
    'POST /v1/billing_portal/configurations/:id': ['name'],
  },
})

export const removableMethods = change({
  since: '2025-05-28.basil',
  what: 'On a Checkout page a customer can remove a saved method.',
  source: 'https://docs.stripe.com/changelog/basil/2025-05-28/checkout-payment-method-remove',
  parameters: { 'POST /v1/checkout/sessions': ['saved_payment_method_options[payment_method_remove]'] },
})

export const phaseDurations = change({
  since: '2025-07-30.basil',
  what: 'A phase of a schedule can last a duration.',
  source: 'https://docs.stripe.com/changelog/basil/2025-07-30/add-schedule-phase-duration',
  parameters: {
    'POST /v1/subscription_schedules': ['phases[][duration]'],
    'POST /v1/subscription_schedules/:id': ['phases[][duration]'],
    'POST /v1/invoices/create_preview': ['schedule_details[phases][][duration]'],
  },
})

const account = { drop: ['customer_account'] } as const

export const customerAccounts = change({
  since: '2025-12-15.clover',
  what: 'A customer can be an account of the second version of Accounts.',
  source: CHANGELOG,
  show: {
    'billing_portal.session': account,
    'checkout.session': account,
    credit_note: account,
    customer: account,
    customer_balance_transaction: account,
    discount: account,
    invoice: account,
    invoiceitem: account,
    payment_intent: account,
    payment_method: account,
    promotion_code: account,
    setup_intent: account,
    subscription: account,
    subscription_schedule: account,
  },
  parameters: { 'GET /v1/payment_methods': ['allow_redisplay'] },
})

export const excludedPaymentMethodTypes = change({
  since: '2025-08-27.basil',
  what: 'Payment methods can be left out of an intent by name.',
  source: CHANGELOG,
  show: { payment_intent: { drop: ['excluded_payment_method_types'] } },
  parameters: { 'POST /v1/payment_intents': ['excluded_payment_method_types'] },
})

export const adjustableShown = change({
  since: '2026-01-28.clover',
  what: 'An item of a Checkout page says whether its quantity can be changed there.',
  source: CHANGELOG,
  show: { item: { drop: ['adjustable_quantity'] } },
})

type Session = Shown<Stripe.Checkout.Session>

export const nameCollection = change({
  since: '2025-09-30.clover',
  what: 'A Checkout page can ask for the names of a business and of a person.',
  source: 'https://docs.stripe.com/changelog/clover/2025-09-30/checkout-name-collection',
  show: {
    'checkout.session': {
      drop: ['name_collection'],
      give: {
        collected_information: ({ collected_information: part }: Pick<Session, 'collected_information'>) =>
          part === null ? null : without(part, 'business_name', 'individual_name'),
        customer_details: ({ customer_details: part }: Pick<Session, 'customer_details'>) =>
          part === null ? null : without(part, 'business_name', 'individual_name'),
      },
    },
  },
  parameters: { 'POST /v1/checkout/sessions': ['name_collection'] },
})

export const optionalItems = change({
  since: '2025-03-31.basil',
  what: 'A Checkout page can offer more than it sells at first.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/optional-items',
  show: { 'checkout.session': { drop: ['optional_items'] } },
  parameters: { 'POST /v1/checkout/sessions': ['optional_items'] },
})

export const collectedInformation = change({
  since: '2025-02-24.acacia',
  what: 'A session tells what its page collected under one name.',
  source: CHANGELOG,
  show: { 'checkout.session': { drop: ['collected_information'] } },
})

export const requiredTaxId = change({
  since: '2024-09-30.acacia',
  what: 'A Checkout page can insist on a tax id.',
  source:
    'https://docs.stripe.com/changelog/acacia/2024-09-30/requiring-customer-tax-id-checkout-session-paymentlink',
  show: {
    'checkout.session': {
      give: {
        tax_id_collection: ({ tax_id_collection: part }: Pick<Session, 'tax_id_collection'>) =>
          part === undefined ? undefined : without(part, 'required'),
      },
    },
  },
  parameters: { 'POST /v1/checkout/sessions': ['tax_id_collection[required]'] },
})

export const itemLabels = change({
  since: '2025-12-15.clover',
  what: 'Items of a Checkout page have metadata.',
  source: CHANGELOG,
  show: { item: { drop: ['metadata'] } },
  parameters: { 'POST /v1/checkout/sessions': ['line_items[][metadata]'] },
})
