import { formatInstant, type Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { newId } from '../ids.ts'
import { checkLimits } from '../invoice/check-limits.ts'
import { newHolder } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import { settleAdvances, turnTestClock } from '../provider/stripe/test-clocks.ts'
import {
  beginAdvance,
  clockSubscriptions,
  customersOnClock,
  endAdvance,
  moveTestClock,
  nextDue,
  readTestClock,
  type TestClock,
} from '../store/test-clocks.ts'
import { addWorkflow, findParked } from '../store/workflows.ts'
import type { WorkflowKind } from './journal.ts'
import type { LookDeps } from './look.ts'
import { refreshCustomer } from './refresh.ts'
import { isRefusal } from './sync/place.ts'
import { syncSubscription } from './sync-invoice.ts'
import type { Workflows } from './workflows.ts'

export const ADVANCE = 'advance-test-clock'

interface AdvanceInput {
  readonly testClockId: string
  readonly to: Instant
}

export interface AdvanceDeps extends LookDeps {
  /** Processes every event that waits. */
  readonly drainInbox: () => Promise<unknown>
  /** Does what is due on a clock. */
  readonly doDue: (testClockId: string) => Promise<unknown>
}

/** A clock without subscriptions may be turned this far at once. */
const LONGEST_HOP_SECONDS = 2 * 365 * 86_400
const AT_ONCE = 4

/** Sends a clock on its way. Asked again with the same goal, it goes on from where it stopped. */
export async function beginAdvanceOf(
  { db, clock, workflows }: Pick<LookDeps, 'db' | 'clock'> & { readonly workflows: Workflows },
  testClock: TestClock,
  to: Instant,
): Promise<void> {
  const { id: testClockId, frozenAt } = testClock
  if (to <= frozenAt) {
    throw new Problem(
      'test_clock_backwards',
      `The clock stands at ${formatInstant(frozenAt)} and only goes forward.`,
    )
  }
  const goal = `${testClockId}/${to}/`
  const workflow = { id: newId('workflow'), holder: newHolder() }
  const input: AdvanceInput = { testClockId, to }
  const begun = await transaction(db, async (trx) => {
    if (!(await beginAdvance(trx, testClockId, to))) return false
    await addWorkflow(trx, {
      ...workflow,
      kind: ADVANCE,
      subjectId: `${goal}${workflow.id}`,
      input,
      at: clock.now(),
    })
    return true
  })
  if (begun) return workflows.begin(workflow.id, workflow.holder)

  const stopped = await findParked(db, ADVANCE, goal)
  if (!stopped) throw new Problem('test_clock_busy', 'The clock is still advancing.')
  // Not waited for: an advance takes as long as it takes.
  void workflows.resume(stopped.id)
}

/**
 * Turns a test clock from boundary to boundary. At each one, what happened at Stripe is taken in and
 * what Stripe has to know is sent, before the clock goes on: a draft is never passed before the lines
 * of its period are on it.
 */
export function advanceClockKind(deps: AdvanceDeps): WorkflowKind {
  const { db } = deps
  return {
    kind: ADVANCE,
    async run(step, { input }) {
      const { testClockId, to } = input as AdvanceInput
      const testClock = await readTestClock(db, testClockId)
      if (!testClock?.providerId) throw new Error(`There is no test clock ${testClockId} at the provider.`)
      const clock = { id: testClockId, providerId: testClock.providerId }
      for (let now = testClock.frozenAt; ; ) {
        await step(`take in ${formatInstant(now)}`, () => takeIn(deps, testClockId))
        if (now >= to) break
        const stop = Math.min(to, now + LONGEST_HOP_SECONDS, (await nextDue(db, testClockId, now)) ?? to)
        await step(`turn to ${formatInstant(stop)}`, async () => {
          const { frozen_time: frozenAt } = await turnTestClock(deps, clock, stop)
          await moveTestClock(db, testClockId, frozenAt)
        })
        now = stop
      }
      // After a crash it may be the clock itself that tells of a call whose answer nobody got.
      await settleAdvances(deps, clock)
      await endAdvance(db, testClockId, to)
    },
    async rolledBack(trx, { input }) {
      const { testClockId, to } = input as AdvanceInput
      await endAdvance(trx, testClockId, to)
    },
  }
}

async function takeIn(deps: AdvanceDeps, testClockId: string): Promise<void> {
  await each(await customersOnClock(deps.db, testClockId), (id) => refreshCustomer(deps, id))
  await deps.drainInbox()
  await deps.doDue(testClockId)
  await checkLimits(deps, { testClock: testClockId })
  await each(await clockSubscriptions(deps.db, testClockId), (id) => sync(deps, id))
}

/** What Stripe refuses stands on the invoice and waits for a person; time goes on meanwhile, here as elsewhere. */
async function sync(deps: LookDeps, subscriptionId: string): Promise<void> {
  try {
    await syncSubscription(deps, subscriptionId, { reason: 'clock' })
  } catch (error) {
    if (!isRefusal(error)) throw error
    deps.log.warn({ err: error, subscription: subscriptionId }, 'A sync was refused.')
  }
}

/** A few at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
