import type Stripe from 'stripe'
import { deleteClock } from '../billing/clocks.ts'
import { invalid } from '../errors.ts'
import { page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { required, shape, text, timestamp } from '../http/schema.ts'
import type { TestClockRow } from '../rows.ts'
import { boundary } from '../rules/billing-cycle.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { findAs } from './lookup.ts'

const URL = '/v1/test_helpers/test_clocks'
const DAY = 86_400
/** What Stripe calls a clock that is not there. */
const CLOCK = 'billingclock'

export const testClockRoutes = [
  post(URL, shape({ frozen_time: required(timestamp), name: text(300) }), ({ world, params }) => {
    const now = world.now(null)
    const clock = world.testClocks.insert({
      id: world.ids.next('clock'),
      object: 'test_helpers.test_clock',
      created: now,
      deletes_after: now + 30 * DAY,
      frozen_time: params.frozen_time,
      livemode: false,
      name: params.name ?? null,
      status: 'ready',
      status_details: {},
      own: { now: params.frozen_time, target: params.frozen_time },
    })
    world.alarm('clock.delete', clock.id, null, clock.deletes_after)
    world.emit('test_helpers.test_clock.created', clock)
    return world.render(clock)
  }),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(clockAt(world, path()))),
  get(URL, shape(paging), ({ world, params }) =>
    page(world.testClocks, params, {
      noun: CLOCK,
      url: URL,
      where: null,
      render: (row) => world.render(row),
    }),
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const clock = clockAt(world, path())
    deleteClock(world, clock.id)
    return { id: clock.id, object: 'test_helpers.test_clock', deleted: true }
  }),
  post(`${URL}/:id/advance`, shape({ frozen_time: required(timestamp) }), ({ world, params, path }) =>
    world.render(advanceClock(world, path(), params.frozen_time)),
  ),
]

function clockAt(world: World, id: string): TestClockRow {
  return findAs('test_clock', world.testClocks, CLOCK, id)
}

/** Begins to turn a clock; it is ready when everything up to then has happened. */
export function advanceClock(world: World, id: string, to: number): TestClockRow {
  const clock = clockAt(world, id)
  if (to <= clock.frozen_time) {
    throw invalid(
      `You can only advance a test clock forward. The frozen time of this clock is ${clock.frozen_time} (${iso(clock.frozen_time)}).`,
      'frozen_time',
    )
  }
  if (!world.settings.unlimitedClocks) refuseTooFar(world, clock, to)
  const advancing = world.testClocks.patch(clock.id, {
    status: 'advancing',
    status_details: { advancing: { target_frozen_time: to } },
    own: { ...clock.own, target: to },
  })
  world.emit('test_helpers.test_clock.advancing', advancing)
  return advancing
}

/** Two intervals of the shortest subscription on the clock, one that is still to begin included; two years where there is none. */
function refuseTooFar(world: World, clock: TestClockRow, to: number): void {
  const running = world.subscriptions.by('clock', clock.id).flatMap((subscription) => {
    if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired') return []
    return world.subscriptionItems.by('subscription', subscription.id).map((item) => item.own.price)
  })
  const planned = world.schedules
    .all()
    .filter((schedule) => schedule.own.clock === clock.id && schedule.status === 'not_started')
    .flatMap((schedule) => schedule.phases.flatMap((phase) => phase.items.map((item) => item.price)))
  const limits = [...running, ...planned].flatMap((price) => {
    const rhythm = world.prices.must(price).recurring
    return rhythm === null ? [] : [boundary(clock.frozen_time, rhythm, 2)]
  })
  const limit =
    limits.length > 0
      ? Math.min(...limits)
      : boundary(clock.frozen_time, { interval: 'year', interval_count: 1 }, 2)
  if (to <= limit) return
  throw invalid(
    `The frozen time of this clock is ${clock.frozen_time} (${iso(clock.frozen_time)}). You can only advance it up to ${limit} (${iso(limit)}). You can only advance a test clock up to two intervals from the current frozen time at a time, based on the shortest subscription interval in the test clock. For example, if a test clock has a monthly and yearly subscription, you may only advance up to two months at a time. If the test clock has no subscriptions or subscription schedules, you can advance up to 2 years from the current frozen time.`,
    'frozen_time',
  )
}

/** `2026-01-01 00:00:00 UTC` */
function iso(at: number): string {
  return new Date(at * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC')
}

export function renderTestClock(
  _world: World,
  { own: _own, ...clock }: TestClockRow,
): Shown<Stripe.TestHelpers.TestClock> {
  return clock
}
