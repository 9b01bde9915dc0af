import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld({ settings: { unlimitedClocks: true } })

let names = 0
async function meter(
  formula: 'sum' | 'count' | 'last',
  more: { event_time_window?: 'hour' | 'day'; value_settings?: { event_payload_key: string } } = {},
) {
  const event_name = `calls_${++names}`
  const made = await world.stripe.billing.meters.create({
    display_name: 'Calls',
    event_name,
    default_aggregation: { formula },
    ...more,
  })
  const customer = await world.customer({ card: null })
  const send = (value: string, timestamp: number, identifier?: string) =>
    world.stripe.billing.meterEvents.create({
      event_name,
      payload: { stripe_customer_id: customer.id, value },
      timestamp,
      ...(identifier === undefined ? {} : { identifier }),
    })
  const summaries = async (start_time: number, end_time: number, value_grouping_window?: 'hour' | 'day') => {
    const list = await world.stripe.billing.meters.listEventSummaries(made.id, {
      customer: customer.id,
      start_time,
      end_time,
      ...(value_grouping_window === undefined ? {} : { value_grouping_window }),
    })
    return list.data
  }
  const total = async (start: number, end: number) => (await summaries(start, end))[0]?.aggregated_value
  return { id: made.id, event_name, made, customer, send, summaries, total }
}

describe('meters', () => {
  // https://docs.stripe.com/api/billing/meter/object
  test('are created with the documented defaults', async () => {
    const { made, event_name } = await meter('sum')
    expect(made).toMatchObject({
      object: 'billing.meter',
      display_name: 'Calls',
      event_name,
      customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
      default_aggregation: { formula: 'sum' },
      event_time_window: null,
      livemode: false,
      status: 'active',
      status_transitions: { deactivated_at: null },
      value_settings: { event_payload_key: 'value' },
    })
    expect(await world.stripe.billing.meters.retrieve(made.id)).toEqual(made)
  })

  // https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure
  test('change only their name, rest and come back, and say so', async () => {
    const { id, event_name } = await meter('sum')
    const types = await world.typesDuring(async () => {
      await world.stripe.billing.meters.update(id, { display_name: 'API calls' })
      const resting = await world.stripe.billing.meters.deactivate(id)
      expect(resting.status).toBe('inactive')
      expect(resting.status_transitions.deactivated_at).toBeGreaterThan(0)
      expect(
        (await world.stripe.billing.meters.list({ status: 'inactive' })).data.map((row) => row.id),
      ).toContain(id)
      const back = await world.stripe.billing.meters.reactivate(id)
      expect(back).toMatchObject({ status: 'active', status_transitions: { deactivated_at: null } })
    })
    expect(types).toEqual(['billing.meter.updated', 'billing.meter.deactivated', 'billing.meter.reactivated'])
    const [updated] = (await world.events(['billing.meter.updated'])).slice(-1)
    expect(updated?.data.previous_attributes).toEqual({ display_name: 'Calls' })
    const twice = await refusal(
      world.stripe.billing.meters.create({
        display_name: 'Again',
        event_name,
        default_aggregation: { formula: 'sum' },
      }),
    )
    expect(twice).toMatchObject({ statusCode: 400, param: 'event_name' })
  })

  test('refuse events while they rest, and know no other name', async () => {
    const { id, send, customer } = await meter('sum')
    await world.stripe.billing.meters.deactivate(id)
    expect(await refusal(send('1', JAN_1))).toMatchObject({ statusCode: 400, code: 'archived_meter' })
    const unknown = world.stripe.billing.meterEvents.create({
      event_name: 'nothing_counts_this',
      payload: { stripe_customer_id: customer.id, value: '1' },
    })
    expect(await refusal(unknown)).toMatchObject({ statusCode: 400, code: 'no_meter' })
  })
})

describe('meter events', () => {
  // https://docs.stripe.com/api/billing/meter-event/object
  test('show what was sent, and no id', async () => {
    const { send, event_name, customer } = await meter('sum')
    const event = await send('25', JAN_1 - HOUR, 'identifier_123')
    expect(event).toMatchObject({
      object: 'billing.meter_event',
      created: JAN_1,
      event_name,
      identifier: 'identifier_123',
      livemode: false,
      payload: { value: '25', stripe_customer_id: customer.id },
      timestamp: JAN_1 - HOUR,
    })
    expect(event).not.toHaveProperty('id')
  })

  test('are summed exactly: ten times a tenth is one', async () => {
    const { send, total } = await meter('sum')
    for (let i = 0; i < 10; i++) await send('0.1', JAN_1 - HOUR + i)
    expect(await total(JAN_1 - DAY, JAN_1)).toBe(1)
  })

  test('belong to [start, end)', async () => {
    const { send, total } = await meter('sum')
    await send('1', JAN_1 - HOUR)
    await send('20', JAN_1 - 1)
    await send('300', JAN_1)
    expect(await total(JAN_1 - HOUR, JAN_1)).toBe(21)
    expect(await total(JAN_1, JAN_1 + HOUR)).toBe(300)
  })

  // "Count: the number of events; Last: the last event's value" docs: usage-based/meters/configure
  test('are counted, or the last by its time is taken', async () => {
    const counting = await meter('count')
    await counting.send('7', JAN_1 - 30)
    await counting.send('7', JAN_1 - 20)
    expect(await counting.total(JAN_1 - HOUR, JAN_1)).toBe(2)
    const last = await meter('last')
    expect(await last.total(JAN_1 - HOUR, JAN_1)).toBe(0)
    await last.send('9', JAN_1 - 20)
    await last.send('4', JAN_1 - 30)
    expect(await last.total(JAN_1 - HOUR, JAN_1)).toBe(9)
  })

  // "Stripe only uses the most recent meter event within the hourly or daily window" docs: recording-usage
  test('of a meter for finished hours replace what the hour had', async () => {
    const { send, total } = await meter('sum', { event_time_window: 'hour' })
    await send('100', JAN_1 - HOUR)
    await send('120', JAN_1 - HOUR + 60)
    await send('5', JAN_1 - 2 * HOUR)
    expect(await total(JAN_1 - DAY, JAN_1)).toBe(125)
  })

  // "within the past 35 calendar days or up to 5 minutes in the future" docs: api/billing/meter-event/create
  test('are taken 35 days back and 5 minutes ahead of the time of their customer', async () => {
    const { send } = await meter('sum')
    await send('1', JAN_1 - 35 * DAY)
    await send('1', JAN_1 + 300)
    // The sentence as it was met: github.com/the-answerai/theanswer/pull/624. JAN_1 less 35 days of 86,400 s.
    expect(await refusal(send('1', JAN_1 - 35 * DAY - 1))).toMatchObject({
      message:
        'The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to 1764201600.',
      code: 'timestamp_too_far_in_past',
      param: 'timestamp',
    })
    expect(await refusal(send('1', JAN_1 + 301))).toMatchObject({ code: 'timestamp_in_future' })
  })

  test('are refused a second time under one identifier for 24 hours', async () => {
    const { send, total, customer } = await meter('sum')
    await send('3', JAN_1, 'once')
    expect(await refusal(send('3', JAN_1, 'once'))).toMatchObject({
      statusCode: 400,
      message: 'An event already exists with identifier once.',
    })
    await world.advance(customer.clock, JAN_1 + DAY - 1)
    expect(await refusal(send('3', JAN_1, 'once'))).toMatchObject({ code: 'duplicate_meter_event' })
    await world.advance(customer.clock, JAN_1 + DAY)
    await send('4', JAN_1, 'once')
    expect(await total(JAN_1, JAN_1 + HOUR)).toBe(7)
  })

  // https://docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation
  test.each([
    ['123456789012345', null],
    ['-5', null],
    ['0.000000000001', null],
    ['1234567890123456', 'meter_event_value_too_many_digits'],
    ['12345678901234.56', 'meter_event_value_too_many_digits'],
    ['many', 'meter_event_invalid_value'],
    ['1e3', 'meter_event_invalid_value'],
    ['', 'meter_event_invalid_value'],
  ])('value %j: %s', async (value, code) => {
    const { send } = await meter('sum')
    if (code === null) await send(value, JAN_1)
    else expect(await refusal(send(value, JAN_1))).toMatchObject({ statusCode: 400, code })
  })

  test('name a customer that exists, by the key of the meter', async () => {
    const { event_name } = await meter('sum', { value_settings: { event_payload_key: 'tokens' } })
    const nobody = world.stripe.billing.meterEvents.create({ event_name, payload: { tokens: '1' } })
    expect(await refusal(nobody)).toMatchObject({
      code: 'meter_event_no_customer_defined',
      message: 'Customer mapping key stripe_customer_id not found in payload.',
    })
    const stranger = world.stripe.billing.meterEvents.create({
      event_name,
      payload: { tokens: '1', stripe_customer_id: 'cus_nobody' },
    })
    expect(await refusal(stranger)).toMatchObject({ code: 'meter_event_customer_not_found' })
  })
})

describe('adjustments', () => {
  // "You can only cancel events within 24 hours of Stripe receiving them." docs: api/billing/meter-event-adjustment
  test('cancel one event within 24 hours, once', async () => {
    const { send, total, event_name, customer } = await meter('sum')
    await send('3', JAN_1, 'right')
    await send('500', JAN_1, 'wrong')
    const cancel = (identifier: string) =>
      world.stripe.billing.meterEventAdjustments.create({
        event_name,
        type: 'cancel',
        cancel: { identifier },
      })
    expect(await cancel('wrong')).toMatchObject({
      object: 'billing.meter_event_adjustment',
      cancel: { identifier: 'wrong' },
      event_name,
      livemode: false,
      type: 'cancel',
    })
    expect(await total(JAN_1, JAN_1 + HOUR)).toBe(3)
    expect((await refusal(cancel('wrong'))).statusCode).toBe(400)
    expect((await refusal(cancel('never_sent'))).statusCode).toBe(400)
    await world.advance(customer.clock, JAN_1 + DAY)
    expect((await refusal(cancel('right'))).statusCode).toBe(400)
  })
})

describe('summaries', () => {
  // https://docs.stripe.com/api/billing/meter-event-summary/list
  test('group by hour and by day, newest first, and page by their ids', async () => {
    const { id, send, summaries, customer } = await meter('sum')
    await send('1', JAN_1 - 25 * HOUR)
    await send('2', JAN_1 - 2 * HOUR)
    await send('3', JAN_1 - 2 * HOUR + 60)
    await send('4', JAN_1 - HOUR)
    const shown = async (window: 'hour' | 'day') =>
      (await summaries(JAN_1 - 2 * DAY, JAN_1, window)).map((row) => [
        row.start_time - JAN_1,
        row.aggregated_value,
      ])
    expect(await shown('hour')).toEqual([
      [-HOUR, 4],
      [-2 * HOUR, 5],
      [-25 * HOUR, 1],
    ])
    expect(await shown('day')).toEqual([
      [-DAY, 9],
      [-2 * DAY, 1],
    ])
    const paged = await world.stripe.billing.meters
      .listEventSummaries(id, {
        customer: customer.id,
        start_time: JAN_1 - 2 * DAY,
        end_time: JAN_1,
        value_grouping_window: 'hour',
        limit: 1,
      })
      .autoPagingToArray({ limit: 10 })
    expect(paged.map((row) => row.aggregated_value)).toEqual([4, 5, 1])
  })

  test('want times on the boundaries of what they group by', async () => {
    const { summaries } = await meter('sum')
    expect(await refusal(summaries(JAN_1 + 1, JAN_1 + HOUR))).toMatchObject({ param: 'start_time' })
    expect(await refusal(summaries(JAN_1, JAN_1 + 90 * 60, 'hour'))).toMatchObject({ param: 'end_time' })
    expect(await refusal(summaries(JAN_1 + HOUR, JAN_1 + DAY, 'day'))).toMatchObject({ param: 'start_time' })
    expect(await refusal(summaries(JAN_1, JAN_1))).toMatchObject({ param: 'end_time' })
  })
})

// https://docs.stripe.com/api/v2/billing-meter and https://docs.stripe.com/api/v2/billing-meter-stream
describe('meters by v2', () => {
  test('take events in JSON and RFC 3339, and cancel them, for the same sums', async () => {
    const { event_name, customer, total } = await meter('sum')
    const send = (value: string, identifier: string) =>
      world.stripe.v2.billing.meterEvents.create({
        event_name,
        payload: { stripe_customer_id: customer.id, value },
        identifier,
        timestamp: '2025-12-31T23:30:00.000Z',
      })
    expect(await send('25', 'json-1')).toMatchObject({
      object: 'v2.billing.meter_event',
      created: '2026-01-01T00:00:00.000Z',
      event_name,
      identifier: 'json-1',
      livemode: false,
      payload: { stripe_customer_id: customer.id, value: '25' },
      timestamp: '2025-12-31T23:30:00.000Z',
    })
    await send('4', 'json-2')
    expect(await total(JAN_1 - HOUR, JAN_1)).toBe(29)
    const adjustment = await world.stripe.v2.billing.meterEventAdjustments.create({
      event_name,
      type: 'cancel',
      cancel: { identifier: 'json-1' },
    })
    expect(adjustment).toMatchObject({
      object: 'v2.billing.meter_event_adjustment',
      cancel: { identifier: 'json-1' },
      created: '2026-01-01T00:00:00.000Z',
      type: 'cancel',
    })
    expect(await total(JAN_1 - HOUR, JAN_1)).toBe(4)
    expect(await refusal(send('4', 'json-2'))).toMatchObject({ code: 'duplicate_meter_event' })
  })

  test('have no stream yet, and say so', async () => {
    const stream = world.stripe.v2.billing.meterEventSession.create()
    expect(await refusal(stream)).toMatchObject({ statusCode: 404, code: 'simulator_gap' })
  })
})
