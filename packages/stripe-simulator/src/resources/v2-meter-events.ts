import type Stripe from 'stripe'
import { invalid } from '../errors.ts'
import { post } from '../http/route.ts'
import { type Kind, oneOf, required, shape, text, textMap } from '../http/schema.ts'
import type { Shown } from '../shown.ts'
import { cancelMeterEvent } from './meter-event-adjustments.ts'
import { recordMeterEvent } from './meter-events.ts'

const URL = '/v2/billing'

/** A moment in RFC 3339, as v2 writes them; fractions of a second are dropped, for meters count in whole ones. */
const moment: Kind<number> = {
  parse(raw, path) {
    const at = typeof raw === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(raw) ? Date.parse(raw) : Number.NaN
    if (Number.isNaN(at)) throw invalid(`Invalid timestamp: ${path} must be in RFC 3339 format.`, path)
    return Math.floor(at / 1000)
  },
}

/** The same meters, asked in JSON. https://docs.stripe.com/api/v2/billing-meter */
export const v2MeterRoutes = [
  post(
    `${URL}/meter_events`,
    shape({
      event_name: required(text(100)),
      payload: required(textMap),
      identifier: text(100),
      timestamp: moment,
    }),
    ({ world, params }) => {
      const event = recordMeterEvent(world, params)
      const shown: Shown<Stripe.V2.Billing.MeterEvent> = {
        object: 'v2.billing.meter_event',
        created: shownMoment(event.created),
        event_name: event.event_name,
        identifier: event.identifier,
        livemode: false,
        payload: event.payload,
        timestamp: shownMoment(event.timestamp),
      }
      return shown
    },
  ),
  post(
    `${URL}/meter_event_adjustments`,
    shape({
      event_name: required(text(100)),
      type: required(oneOf(['cancel'] as const)),
      cancel: required(shape({ identifier: required(text(100)) })),
    }),
    ({ world, params }) => {
      const event = cancelMeterEvent(world, params.event_name, params.cancel.identifier)
      const shown: Shown<Stripe.V2.Billing.MeterEventAdjustment> = {
        id: world.ids.next('mtrevtadj_test'),
        object: 'v2.billing.meter_event_adjustment',
        cancel: params.cancel,
        created: shownMoment(world.now(event.own.clock)),
        event_name: params.event_name,
        livemode: false,
        status: 'pending',
        type: params.type,
      }
      return shown
    },
  ),
]

function shownMoment(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
