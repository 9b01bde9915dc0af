import { hideCardNumbers } from './card-number.ts'

/**
 * Every way we say no. The code is part of the API: never renamed, never reused. The title is the
 * same each time; what happened this time stands in `detail`. Each code has a page,
 * `docs/problems/<code>.md`.
 */
export const problems = {
  // 400: the message itself is broken.
  invalid_request: { status: 400, title: 'The request is not valid.' },
  empty_change: { status: 400, title: 'Nothing would change.' },
  webhook_signature_invalid: { status: 400, title: 'The webhook signature does not match.' },
  webhook_malformed: { status: 400, title: 'The webhook is not an event of the provider.' },

  // 401 and 403: who asks, and what they may.
  unauthorized: { status: 401, title: 'The request carries no valid key or token.' },
  forbidden: { status: 403, title: 'This caller may not do that.' },
  addon_not_allowed: { status: 403, title: 'This add-on may not be chosen by this caller.' },
  plan_not_allowed: { status: 403, title: 'This plan may not be chosen by this caller.' },
  direction_closed: { status: 403, title: 'This is made at the payment provider, not here.' },
  live_mode_refused: { status: 403, title: 'This is not done in live mode.' },
  system_property_read_only: { status: 403, title: 'This property is not the caller’s to change.' },

  // 402 and not 409: nothing conflicts, the customer's bank said no.
  card_declined: { status: 402, title: 'The card was declined.' },
  payment_method_required: { status: 402, title: 'A payment method is needed.' },
  payment_not_confirmed: { status: 402, title: 'The customer did not confirm the payment.' },
  payment_action_required: { status: 402, title: 'The customer has to confirm the payment.' },

  // 404: reads of what is not there. Another customer's things answer exactly the same.
  route_not_found: { status: 404, title: 'There is no such address.' },
  addon_not_found: { status: 404, title: 'There is no such add-on.' },
  adjustment_not_found: { status: 404, title: 'There is no such adjustment.' },
  api_key_not_found: { status: 404, title: 'There is no such API key.' },
  contract_not_found: { status: 404, title: 'There is no such contract.' },
  coupon_not_found: { status: 404, title: 'There is no such coupon.' },
  customer_not_found: { status: 404, title: 'There is no such customer.' },
  feature_not_found: { status: 404, title: 'There is no such feature.' },
  import_not_found: { status: 404, title: 'There is no such import.' },
  invoice_not_found: { status: 404, title: 'There is no such invoice.' },
  plan_roll_not_found: { status: 404, title: 'There is no such plan roll.' },
  mapping_not_found: { status: 404, title: 'There is no such mapping.' },
  meter_not_found: { status: 404, title: 'There is no such meter.' },
  plan_not_found: { status: 404, title: 'There is no such plan.' },
  plan_change_not_found: { status: 404, title: 'There is no such plan change.' },
  bus_message_not_found: { status: 404, title: 'There is no such message.' },
  delivery_not_found: { status: 404, title: 'There is no such delivery.' },
  webhook_endpoint_not_found: { status: 404, title: 'There is no such webhook endpoint.' },
  provider_event_not_found: { status: 404, title: 'There is no such provider event.' },
  refund_not_found: { status: 404, title: 'There is no such refund.' },
  registration_not_found: { status: 404, title: 'There is no such registration.' },
  spend_limit_not_found: { status: 404, title: 'There is no such spend limit.' },
  subscription_not_found: { status: 404, title: 'There is no such subscription.' },
  usage_event_not_found: { status: 404, title: 'There is no such usage event.' },
  test_clock_not_found: { status: 404, title: 'There is no such test clock.' },
  method_not_allowed: { status: 405, title: 'This address does not take that method.' },

  // 409: right in itself, but the world stands otherwise.
  adjustment_billed: { status: 409, title: 'The adjustment is on a final invoice already.' },
  adjustment_withdrawn: { status: 409, title: 'The adjustment was withdrawn already.' },
  bus_message_unreadable: { status: 409, title: 'Nothing of the message was kept.' },
  customer_in_use: { status: 409, title: 'Something of this customer is still under way.' },
  customer_exists: { status: 409, title: 'There is a customer with this external id already.' },
  idempotency_key_in_use: { status: 409, title: 'A request with this idempotency key is still running.' },
  idempotency_key_reused: { status: 409, title: 'The idempotency key was used for another request.' },
  import_in_progress: { status: 409, title: 'An import of this account is still running.' },
  invoice_frozen: { status: 409, title: 'The invoice is finalized and does not change.' },
  price_not_overridable: { status: 409, title: 'A subscription cannot have its own price there.' },
  invoice_not_adjustable: { status: 409, title: 'The invoice takes no more adjustments.' },
  invoice_not_final: { status: 409, title: 'The invoice is not final yet.' },
  mapping_exists: { status: 409, title: 'One of the two is linked to another.' },
  mapping_needed: { status: 409, title: 'What it belongs to is linked to nothing here.' },
  mapping_in_use: { status: 409, title: 'What is linked is still in use.' },
  money_back_in_progress: { status: 409, title: 'Money of this invoice is being given back already.' },
  plan_change_abandoned: { status: 409, title: 'The customer did not complete the change.' },
  plan_change_canceled: { status: 409, title: 'The change was given up.' },
  plan_change_ended: { status: 409, title: 'There is nothing of the change to give up any more.' },
  plan_change_in_progress: { status: 409, title: 'Another change of the subscription is still running.' },
  preview_stale: { status: 409, title: 'What was previewed is not what would be done now.' },
  refund_not_stuck: { status: 409, title: 'The refund needs nobody.' },
  registration_abandoned: { status: 409, title: 'The customer did not complete the registration.' },
  registration_canceled: { status: 409, title: 'The registration was canceled.' },
  registration_ended: { status: 409, title: 'The registration has ended.' },
  registration_in_progress: { status: 409, title: 'A registration of this customer is still running.' },
  subscription_exists: { status: 409, title: 'The customer has a live subscription already.' },
  trial_used: { status: 409, title: 'The customer had a trial of this product.' },
  subscription_not_changeable: { status: 409, title: 'The subscription cannot be changed as it stands.' },
  meter_billed_already: { status: 409, title: 'Another subscription of the customer bills the same usage.' },
  subscription_live: { status: 409, title: 'The subscription has not ended.' },
  subscription_over: { status: 409, title: 'The subscription is over.' },
  subscription_changing: { status: 409, title: 'Something else is being done to the subscription.' },
  nothing_to_resume: { status: 409, title: 'Nothing keeps the subscription from going on.' },
  usage_event_voided: { status: 409, title: 'The usage event was voided already.' },
  usage_events_expired: { status: 409, title: 'Usage events of that time are no longer kept.' },
  usage_identity_known: { status: 409, title: 'The identity of a usage event was used before.' },
  test_clock_busy: { status: 409, title: 'The test clock is still advancing.' },

  // 413 and 415: not even read.
  batch_too_large: { status: 413, title: 'The batch holds too many events.' },
  body_too_large: { status: 413, title: 'The body is too large.' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported.' },

  // 422: well formed, but it asks for what cannot be.
  webhook_url_refused: { status: 422, title: 'Webhooks are not sent to this address.' },
  catalog_invalid: { status: 422, title: 'The catalogue is not valid.' },
  addon_mismatch: { status: 422, title: 'The add-on does not go with the plan.' },
  addon_not_published: { status: 422, title: 'The add-on is not yet known to the provider.' },
  addon_unknown: { status: 422, title: 'The request names an add-on that does not exist.' },
  agreed_terms_differ: { status: 422, title: 'What was agreed is not what the catalogue says.' },
  coupon_expired: { status: 422, title: 'The coupon can no longer be redeemed.' },
  coupon_unknown: { status: 422, title: 'The request names a coupon that does not exist.' },
  credit_note_exceeds_invoice: { status: 422, title: 'More cannot be credited than was billed.' },
  currency_mismatch: { status: 422, title: 'The currencies differ.' },
  customer_unknown: { status: 422, title: 'The request names a customer that does not exist.' },
  mapping_invalid: { status: 422, title: 'The two cannot be linked.' },
  meter_unknown: { status: 422, title: 'The request names a meter that does not exist.' },
  coupon_unreadable: { status: 422, title: 'The coupon at the provider cannot be written as one here.' },
  price_unreadable: { status: 422, title: 'The price at the provider cannot be written as one here.' },
  plan_not_published: { status: 422, title: 'The plan is not yet known to the provider.' },
  plan_unknown: { status: 422, title: 'The request names a plan that does not exist.' },
  provider_refused: { status: 422, title: 'The payment provider refused.' },
  purchase_not_offered: { status: 422, title: 'The plan is not bought like that.' },
  purchase_unknown: { status: 422, title: 'The request names a way to buy that does not exist.' },
  quantity_invalid: { status: 422, title: 'The quantity is not valid.' },
  refund_exceeds_payment: { status: 422, title: 'More cannot be given back than was paid.' },
  tax_address_invalid: { status: 422, title: 'The tax provider does not find the address.' },
  tax_address_required: { status: 422, title: 'The tax depends on where the customer is.' },
  test_clock_backwards: { status: 422, title: 'A test clock only goes forward.' },
  usage_event_invalid: { status: 422, title: 'A usage event is not valid.' },
  usage_time_in_future: { status: 422, title: 'A usage event lies in the future.' },
  usage_time_too_late: { status: 422, title: 'A usage event comes too late.' },

  // 429 and up: later, or ours to mend.
  rate_limited: { status: 429, title: 'Too many requests.' },
  configuration_invalid: { status: 500, title: 'The configuration is not valid.' },
  internal_error: { status: 500, title: 'Something broke on our side.' },
  bus_unavailable: { status: 503, title: 'The message bus cannot be reached.' },
  database_unavailable: { status: 503, title: 'The database cannot be reached.' },
  overloaded: { status: 503, title: 'The service has more to do than it can take.' },
  provider_unavailable: { status: 503, title: 'The payment provider cannot be reached.' },
  sign_in_unavailable: { status: 503, title: 'Nobody can be signed in at the moment.' },
  tax_unavailable: { status: 503, title: 'The tax provider cannot be reached.' },
  provider_unknown_outcome: { status: 503, title: 'It is not yet known what the payment provider did.' },
} as const

export type ProblemCode = keyof typeof problems

export interface Fault {
  /** JSON Pointer (RFC 6901) into the request body, as a URI fragment: `#/items/0/price`. */
  readonly pointer: string
  readonly code: string
  readonly detail: string
}

export interface ProblemOptions {
  /** Everything that is wrong, at once. */
  readonly faults?: readonly Fault[]
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
  /** More that the caller is told, by name: members of the document beside the usual ones (RFC 9457, section 3.2). */
  readonly members?: Readonly<Record<string, unknown>>
}

/** A refusal, thrown. A bug is a plain `Error`, and the caller sees nothing of it. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  /** This time's sentence, for the developer who reads it. Never a card, a token or an e-mail address. */
  readonly detail: string
  readonly faults: readonly Fault[]
  readonly retryAfterSeconds: number | undefined
  readonly members: Readonly<Record<string, unknown>>

  constructor(code: ProblemCode, sentence: string, options: ProblemOptions = {}) {
    // What a caller wrote may be quoted: it is stored, logged and shown, and a card must be in none of these.
    const detail = hideCardNumbers(sentence)
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = problems[code].status
    this.title = problems[code].title
    this.detail = detail
    this.faults = (options.faults ?? []).map(withoutCardNumbers)
    this.retryAfterSeconds = options.retryAfterSeconds
    this.members = options.members ?? {}
  }
}

function withoutCardNumbers(fault: Fault): Fault {
  return {
    ...fault,
    pointer: hideCardNumbers(fault.pointer),
    detail: hideCardNumbers(fault.detail),
  }
}
