import { createHash } from 'node:crypto'
import type Stripe from 'stripe'
import { aggregate, usageEvents } from '../billing/usage.ts'
import { invalid } from '../errors.ts'
import { pageOf, paging } from '../http/list.ts'
import { get } from '../http/route.ts'
import { oneOf, required, shape, text, timestamp } from '../http/schema.ts'
import type { MeterEventRow, MeterRow } from '../rows.ts'
import { formatDecimal } from '../rules/decimal.ts'
import type { Shown } from '../shown.ts'
import { liveCustomer } from './lookup.ts'
import { findMeter } from './meters.ts'

const URL = '/v1/billing/meters'
const SECONDS = { minute: 60, hour: 3600, day: 86_400 }

/** What a meter shows of a customer's usage. https://docs.stripe.com/api/billing/meter-event-summary/list */
export const meterSummaryRoutes = [
  get(
    `${URL}/:id/event_summaries`,
    shape({
      ...paging,
      customer: required(text()),
      start_time: required(timestamp),
      end_time: required(timestamp),
      value_grouping_window: oneOf(['day', 'hour'] as const),
    }),
    ({ world, params, path }) => {
      const meter = findMeter(world, path())
      const customer = liveCustomer(world, params.customer, 'customer')
      const { start_time: start, end_time: end, value_grouping_window: window } = params
      checkAligned(start, end, window ?? 'minute')
      const events = usageEvents(world, meter.id, customer.id, { start, end })
      const groups =
        window === undefined
          ? [{ start, end, events }]
          : grouped(events, SECONDS[window]).map((group) => ({
              ...group,
              end: group.start + SECONDS[window],
            }))
      const summaries = groups.map((group) => summary(meter, customer.id, group)).reverse()
      return pageOf(summaries, params, {
        noun: 'meter event summary',
        url: `${URL}/${meter.id}/event_summaries`,
        render: (shown) => shown,
      })
    },
  ),
]

function checkAligned(start: number, end: number, unit: keyof typeof SECONDS): void {
  for (const [param, at] of [
    ['start_time', start],
    ['end_time', end],
  ] as const) {
    if (at % SECONDS[unit] !== 0) throw invalid(`${param} must be aligned with ${unit} boundaries.`, param)
  }
  if (end <= start) throw invalid('end_time must be after start_time.', 'end_time')
}

/** Events by the windows they fall in, oldest first. A window without events has no summary. */
function grouped(events: readonly MeterEventRow[], seconds: number) {
  const windows = new Map<number, MeterEventRow[]>()
  for (const event of events) {
    const start = event.timestamp - (event.timestamp % seconds)
    const known = windows.get(start)
    if (known === undefined) windows.set(start, [event])
    else known.push(event)
  }
  return [...windows].map(([start, inside]) => ({ start, events: inside }))
}

function summary(
  meter: MeterRow,
  customer: string,
  { start, end, events }: { start: number; end: number; events: readonly MeterEventRow[] },
): Shown<Stripe.Billing.MeterEventSummary> {
  // Made anew for each request, so the id is made of what it stands for: cursors must find it again.
  const name = createHash('sha256').update(`${meter.id}/${customer}/${start}/${end}`).digest('hex')
  return {
    id: `mtrusg_test_${name}`,
    object: 'billing.meter_event_summary',
    // A float at Stripe too; what an invoice bills stays exact, in billing/usage.ts.
    aggregated_value: Number(formatDecimal(aggregate(meter, events))),
    end_time: end,
    livemode: false,
    meter: meter.id,
    start_time: start,
  }
}
