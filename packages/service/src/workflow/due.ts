import { type Due, dueNow, postponeDue, settleDue, type WaitingDue } from '../store/due.ts'
import { wokenOn } from '../store/registrations.ts'
import { cutShort } from './cut-short.ts'
import { eraseWhenFinal } from './delete-customer.ts'
import { detachLeftMethods } from './left-methods.ts'
import type { LookDeps } from './look.ts'
import { itemKnown, numbersUnread } from './look-again.ts'
import { customerTime } from './observe/customer-time.ts'
import { plannedChange } from './plan-change/planned-change.ts'
import { plannedTerms } from './plan-change/planned-terms.ts'
import { registrationDeadline } from './registration-deadline.ts'
import { trialEnd } from './trial-end.ts'
import { usageInvoiceMissing, usagePeriodEnd, usageTell } from './usage-period.ts'
import type { Workflows } from './workflows.ts'

export interface DueDeps extends LookDeps {
  readonly workflows: Workflows
  /** Has a subscription synchronised soon, by somebody else: whatever becomes of that keeps nothing waiting here. */
  readonly requestSync: (subscriptionId: string) => Promise<void>
}

/** What happens when something of one kind is due. Doing it twice is doing it once. */
export interface DueKind {
  readonly kind: string
  /** Returns what was done, in a few words; kept with the row. Null: it stays due, and is tried again after a pause. */
  run(deps: DueDeps, due: Due): Promise<string | null>
}

/** Everything that becomes due in a customer's own time: the index of it. */
const kinds: readonly DueKind[] = [
  registrationDeadline,
  trialEnd,
  plannedChange,
  plannedTerms,
  cutShort,
  usageTell,
  usagePeriodEnd,
  usageInvoiceMissing,
  eraseWhenFinal,
  detachLeftMethods,
  numbersUnread,
  itemKnown,
]

const BATCH = 100

/**
 * Does what is due, by each customer's own time. What fails, or waits for the provider, stays due and is tried again
 * after a pause, which grows each time; it keeps nothing else waiting.
 */
export async function doDue(deps: DueDeps, { testClock }: { testClock?: string } = {}): Promise<number> {
  const { db, clock, workflows } = deps
  // On a clock that turns, whoever was woken goes on before time does.
  if (testClock !== undefined) for (const id of await wokenOn(db, testClock)) await workflows.resume(id)
  const now = clock.now()
  let count = 0
  let after: Due | undefined
  // To the last one: however many stay due, whoever comes behind them has a turn in every round.
  do {
    const rows = await dueNow(db, { now, limit: BATCH, testClock, after })
    for (const due of rows) if (await isDone(deps, due)) count += 1
    after = rows.length < BATCH ? undefined : rows.at(-1)
  } while (after !== undefined)
  return count
}

async function isDone(deps: DueDeps, due: WaitingDue): Promise<boolean> {
  const { db, clock, log } = deps
  const kind = kinds.find((candidate) => candidate.kind === due.kind)
  // Of a newer version perhaps: left alone.
  if (!kind) return false
  try {
    const outcome = await kind.run(deps, due)
    if (outcome !== null) {
      await settleDue(db, due.id, outcome, await customerTime(db, clock, due.customerId))
      return true
    }
  } catch (error) {
    log.warn({ err: error, due: due.id, kind: due.kind }, 'What is due could not be done yet.')
  }
  await postponeDue(db, due, clock.now())
  return false
}
