import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { settleSeenOf } from '../../store/operations.ts'
import { type CallDeps, callStripe, readStripe } from './call.ts'

export interface TestClockToMake {
  readonly id: string
  readonly name: string | null
  readonly frozenTime: Instant
}

export const testClockOperation = (id: string): string => `${id}/create`

/** Makes a test clock at Stripe. Clocks have no metadata: our id stands in the name. */
export function makeTestClock(deps: CallDeps, clock: TestClockToMake): Promise<Stripe.TestHelpers.TestClock> {
  const id = testClockOperation(clock.id)
  const name = [clock.name, `[${clock.id}]`].filter((part) => part !== null).join(' ')
  const body = { frozen_time: clock.frozenTime, name }
  return callStripe(
    deps,
    { id, kind: 'test_clock.create', subjectId: clock.id, body, settledByCaller: true },
    (stripe, options) => stripe.testHelpers.testClocks.create(body, options),
    async (stripe) => {
      for await (const found of stripe.testHelpers.testClocks.list({ limit: 100 })) {
        if (found.name?.endsWith(`[${clock.id}]`)) return found
      }
      return undefined
    },
  )
}

const ADVANCE = 'test_clock.advance'

const POLL_MS = [20, 50, 100, 250, 500, 1000]
/** Longer than Stripe takes for a year of many subscriptions. */
const MOST_POLLS = 600

/** Turns a clock to `to` and returns when everything that was due by then has happened at Stripe. */
export async function turnTestClock(
  deps: CallDeps,
  clock: { readonly id: string; readonly providerId: string },
  to: Instant,
): Promise<Stripe.TestHelpers.TestClock> {
  const { id, providerId } = clock
  let state = await readTestClock(deps, providerId)
  if (state.status === 'ready' && state.frozen_time < to) {
    const operation = { id: `${id}/advance/${to}`, kind: ADVANCE, subjectId: id }
    const body = { frozen_time: to }
    state = await callStripe(
      deps,
      { ...operation, body },
      (stripe, options) => stripe.testHelpers.testClocks.advance(providerId, body, options),
      async (stripe) => {
        const found = await stripe.testHelpers.testClocks.retrieve(providerId)
        return found.status === 'advancing' || found.frozen_time >= to ? found : undefined
      },
    )
  }
  // The answer of the advance may be Stripe's memory of it: how the clock is now is asked.
  for (let polls = 0; ; polls += 1) {
    state = await readTestClock(deps, providerId)
    if (state.status === 'ready' && state.frozen_time >= to) return state
    if (state.status === 'internal_failure') {
      throw new Problem('provider_refused', 'The test clock broke at the payment provider. Make a new one.')
    }
    if (polls === MOST_POLLS) throw new Problem('provider_unavailable', 'The test clock is still advancing.')
    await deps.provider.pace.wait(POLL_MS[Math.min(polls, POLL_MS.length - 1)] ?? 1000)
  }
}

/** The clock stands where it was to be turned to: whatever calls that took, they were done. */
export async function settleAdvances(
  { db, clock }: Pick<CallDeps, 'db' | 'clock'>,
  { id, providerId }: { readonly id: string; readonly providerId: string },
): Promise<void> {
  await settleSeenOf(db, { kind: ADVANCE, subjectId: id }, providerId, clock.now())
}

function readTestClock(deps: CallDeps, providerId: string): Promise<Stripe.TestHelpers.TestClock> {
  return readStripe(deps, (stripe) => stripe.testHelpers.testClocks.retrieve(providerId))
}
