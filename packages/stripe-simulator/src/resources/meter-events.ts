import type Stripe from 'stripe'
import { checkThresholds } from '../billing/thresholds.ts'
import { invalid } from '../errors.ts'
import { post } from '../http/route.ts'
import { required, shape, text, textMap, timestamp } from '../http/schema.ts'
import type { CustomerRow, MeterEventRow, MeterRow } from '../rows.ts'
import { parseDecimal } from '../rules/decimal.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { activeMeter } from './meters.ts'

const DAY_SECONDS = 86_400
const PAST_SECONDS = 35 * DAY_SECONDS
const AHEAD_SECONDS = 5 * 60
const MAX_DIGITS = 15

/** A measurement as it is sent, in whichever form. */
interface MeterEventParams {
  readonly event_name: string
  readonly payload: Record<string, string>
  readonly identifier?: string | undefined
  readonly timestamp?: number | undefined
}

/** https://docs.stripe.com/api/billing/meter-event/create */
export const meterEventRoutes = [
  post(
    '/v1/billing/meter_events',
    shape({
      event_name: required(text(100)),
      payload: required(textMap),
      identifier: text(100),
      timestamp,
    }),
    ({ world, params }) => world.render(recordMeterEvent(world, params)),
  ),
]

/**
 * Takes a measurement, or refuses it at once with the code that Stripe gives for it (Stripe finds some of these
 * later and reports them by thin event). Time is the customer's: on a test clock the window lies around its now.
 * https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api
 */
export function recordMeterEvent(world: World, params: MeterEventParams): MeterEventRow {
  const meter = meterOf(world, params.event_name)
  const customer = customerOf(world, meter, params.payload)
  const now = world.now(customer.own.clock)
  const at = params.timestamp ?? now
  checkTime(at, now)
  if (params.identifier !== undefined) refuseRepeated(world, params.identifier)
  const id = world.ids.next('mtrevt')
  const event = world.meterEvents.insert({
    id,
    object: 'billing.meter_event',
    created: now,
    event_name: params.event_name,
    identifier: params.identifier ?? id,
    livemode: false,
    payload: params.payload,
    timestamp: at,
    own: {
      clock: customer.own.clock,
      meter: meter.id,
      customer: customer.id,
      value: valueIn(meter, params.payload),
      canceled: false,
    },
  })
  checkThresholds(world, customer.id)
  return event
}

function meterOf(world: World, eventName: string): MeterRow {
  const meter = activeMeter(world, eventName)
  if (meter !== undefined) return meter
  const archived = world.meters.by('event_name', eventName).length > 0
  throw archived
    ? invalid(`The meter for the event name \`${eventName}\` is inactive.`, 'event_name', 'archived_meter')
    : invalid(`No active meter found for the event name \`${eventName}\`.`, 'event_name', 'no_meter')
}

function customerOf(world: World, meter: MeterRow, payload: Record<string, string>): CustomerRow {
  const key = meter.customer_mapping.event_payload_key
  const id = payload[key]
  if (id === undefined) {
    throw invalid(
      `Customer mapping key ${key} not found in payload.`,
      'payload',
      'meter_event_no_customer_defined',
    )
  }
  const customer = world.customers.get(id)
  if (customer === undefined || customer.own.deleted) {
    throw invalid(`No such customer: '${id}'`, `payload[${key}]`, 'meter_event_customer_not_found')
  }
  return customer
}

function checkTime(at: number, now: number): void {
  if (at < now - PAST_SECONDS) {
    throw invalid(
      `The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to ${now - PAST_SECONDS}.`,
      'timestamp',
      'timestamp_too_far_in_past',
    )
  }
  if (at > now + AHEAD_SECONDS) {
    throw invalid(
      'The timestamp cannot be more than 5 minutes in the future.',
      'timestamp',
      'timestamp_in_future',
    )
  }
}

/** "Stripe enforces uniqueness within a rolling period of at least 24 hours": here of exactly that. */
function refuseRepeated(world: World, identifier: string): void {
  if (recentEvent(world, identifier) === undefined) return
  throw invalid(
    `An event already exists with identifier ${identifier}.`,
    'identifier',
    'duplicate_meter_event',
  )
}

/** The event with this identifier that was received less than 24 hours ago, by its customer's time. */
export function recentEvent(world: World, identifier: string): MeterEventRow | undefined {
  return world.meterEvents
    .by('identifier', identifier)
    .find((event) => world.now(event.own.clock) - event.created < DAY_SECONDS)
}

/**
 * The value in picos; a meter that counts needs none. More than 15 digits are refused since 2026-04-22.
 * https://docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation
 */
function valueIn(meter: MeterRow, payload: Record<string, string>): string | null {
  if (meter.default_aggregation.formula === 'count') return null
  const key = meter.value_settings.event_payload_key
  const value = payload[key]
  const param = `payload[${key}]`
  if (value === undefined) {
    throw invalid(`Value key ${key} not found in payload.`, 'payload', 'meter_event_invalid_value')
  }
  if (!/^-?\d+(\.\d{1,12})?$/.test(value)) {
    throw invalid(
      `The value in the event payload must be a number: ${value}.`,
      param,
      'meter_event_invalid_value',
    )
  }
  if (significantDigits(value) > MAX_DIGITS) {
    throw invalid(
      `The value in the event payload can have at most ${MAX_DIGITS} digits. Received ${value}.`,
      param,
      'meter_event_value_too_many_digits',
    )
  }
  return parseDecimal(value).toString()
}

/** Zeros that only hold the place do not count: 0.05 has one digit. */
function significantDigits(value: string): number {
  return value.replace(/[-.]/g, '').replace(/^0+/, '').length
}

/** Without the id that the row has: Stripe shows none. */
export function renderMeterEvent(
  _world: World,
  { own: _own, id: _id, ...event }: MeterEventRow,
): Shown<Stripe.Billing.MeterEvent> {
  return event
}
