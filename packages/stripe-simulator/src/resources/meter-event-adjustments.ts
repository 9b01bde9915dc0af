import { invalid } from '../errors.ts'
import { post } from '../http/route.ts'
import { oneOf, required, shape, text } from '../http/schema.ts'
import type { MeterEventRow } from '../rows.ts'
import type { World } from '../world.ts'
import { recentEvent } from './meter-events.ts'

/** Takes a measurement back. https://docs.stripe.com/api/billing/meter-event-adjustment */
export const meterAdjustmentRoutes = [
  post(
    '/v1/billing/meter_event_adjustments',
    shape({
      event_name: required(text(100)),
      type: required(oneOf(['cancel'] as const)),
      cancel: shape({ identifier: text(100) }),
    }),
    ({ world, params }) => {
      const identifier = params.cancel?.identifier
      if (identifier === undefined) {
        throw invalid(
          'Missing required param: cancel[identifier].',
          'cancel[identifier]',
          'parameter_missing',
        )
      }
      cancelMeterEvent(world, params.event_name, identifier)
      return {
        object: 'billing.meter_event_adjustment',
        cancel: { identifier },
        event_name: params.event_name,
        livemode: false,
        // What Stripe answers, though here it is done: an adjustment cannot be read again.
        status: 'pending',
        type: params.type,
      }
    },
  ),
]

/** "You can only cancel events within 24 hours of Stripe receiving them." */
export function cancelMeterEvent(world: World, eventName: string, identifier: string): MeterEventRow {
  const event = recentEvent(world, identifier)
  if (event === undefined || event.event_name !== eventName) {
    throw invalid(
      `No meter event with the identifier '${identifier}' was received for \`${eventName}\` in the last 24 hours.`,
      'cancel[identifier]',
      'resource_missing',
    )
  }
  if (event.own.canceled) {
    throw invalid(`The meter event '${identifier}' is already canceled.`, 'cancel[identifier]')
  }
  return world.meterEvents.patch(event.id, { own: { ...event.own, canceled: true } })
}
