import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Db } from '../postgres/connect.ts'
import { newHolder } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { makeTestClock, testClockOperation } from '../provider/stripe/test-clocks.ts'
import { link } from '../store/mappings.ts'
import {
  addTestClock,
  linkTestClock,
  readTestClock,
  removeTestClock,
  type TestClock,
} from '../store/test-clocks.ts'
import { addWorkflow, findWorkflow, problemOf } from '../store/workflows.ts'
import type { WorkflowKind } from './journal.ts'
import type { Workflows } from './workflows.ts'

export const MAKE_TEST_CLOCK = 'make-test-clock'

interface MakeInput {
  readonly testClockId: string
  readonly name: string | null
  readonly frozenTime: Instant
}

const PATIENCE_SECONDS = 20

/** Makes a test clock here and at Stripe. The same operation makes it once. */
export async function newTestClock(
  deps: { readonly db: Db; readonly clock: Clock; readonly workflows: Workflows },
  { name, frozenTime }: Omit<MakeInput, 'testClockId'>,
  operation: string,
): Promise<TestClock> {
  const { db, clock, workflows } = deps
  // Named after the operation, so that a repetition finds it.
  const testClockId = operation.replace(/^operation/, 'test_clock')
  const begun = await findWorkflow(db, MAKE_TEST_CLOCK, testClockId)
  const id = begun?.id ?? newId('workflow')
  if (!begun) {
    const holder = newHolder()
    const input: MakeInput = { testClockId, name, frozenTime }
    await transaction(db, async (trx) => {
      const at = clock.now()
      await addTestClock(trx, { id: testClockId, name, frozenAt: frozenTime, at })
      await addWorkflow(trx, { id, kind: MAKE_TEST_CLOCK, subjectId: testClockId, input, holder, at })
    })
    workflows.begin(id, holder)
  }
  const { state, problem } = await workflows.settled(id, PATIENCE_SECONDS)
  const made = await readTestClock(db, testClockId)
  if (state === 'completed' && made) return made
  const detail = 'The test clock is not made yet at the payment provider.'
  throw problemOf(problem) ?? new Problem('provider_unavailable', detail, { retryAfterSeconds: 5 })
}

export function makeTestClockKind(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
}): WorkflowKind {
  const { db, clock, provider } = deps
  return {
    kind: MAKE_TEST_CLOCK,
    async run(step, { input }) {
      const { testClockId, name, frozenTime } = input as MakeInput
      const made = await step(
        'create test clock at provider',
        async () => ({ id: (await makeTestClock(deps, { id: testClockId, name, frozenTime })).id }),
        { operation: () => testClockOperation(testClockId) },
      )
      await step('link test clock', async () => {
        await linkTestClock(db, testClockId, made.id)
        await link(db, provider, {
          entityType: 'test_clock',
          entityId: testClockId,
          providerType: 'test_helpers.test_clock',
          providerId: made.id,
          origin: 'outbound',
          at: clock.now(),
        })
      })
    },
    rolledBack: (trx, { input }) => removeTestClock(trx, (input as MakeInput).testClockId),
  }
}
