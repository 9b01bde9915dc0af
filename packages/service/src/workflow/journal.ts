import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { OperationParked } from '../provider/stripe/call.ts'
import {
  LEASE_SECONDS,
  problemOf,
  readSteps,
  recordStep,
  recordUndone,
  renewLease,
  type Turn,
  turnWorkflow,
  type Workflow,
} from '../store/workflows.ts'

/**
 * Does one named thing once. Its result is recorded; when the workflow runs again after a crash, the
 * recorded result is returned and nothing is done. What was under way at the crash is done again, so
 * `run` must be able to tell what is there already: `key` is the same each time.
 *
 * A result is recorded as JSON and returned as such.
 */
export type Step = <T>(name: string, run: (key: string) => Promise<T>, options?: StepOptions<T>) => Promise<T>

export interface StepOptions<T> {
  /** Takes it back when a later step is refused. */
  readonly undo?: (result: T, key: string) => Promise<void>
  /** The operation that the step leaves to be marked as succeeded; see `settledByCaller`. */
  readonly operation?: (key: string) => string
}

export interface WorkflowKind {
  readonly kind: string
  /**
   * A plain function in steps. It runs from the top each time, so everything it decides it decides by
   * its input and by what its steps returned.
   */
  run(step: Step, workflow: { readonly id: string; readonly input: unknown }): Promise<void>
  /** What else changes in the moment the workflow ends as undone. */
  rolledBack?(trx: Trx, workflow: { readonly id: string; readonly input: unknown }): Promise<void>
}

export interface JournalDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
}

const MOST_ATTEMPTS = 25

/** Stopped without a word: another run has the lease, and records what there is to record. */
class LeaseLost extends Error {}

/** The end of what was recorded, reached while looking for what there is to undo. */
class NothingFurther extends Error {}

/** Runs a workflow whose lease this holder has, until it ends, has to wait, or loses the lease. */
export async function runWorkflow(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
): Promise<void> {
  const { db, log } = deps
  const renewal = setInterval(
    () => {
      renewLease(db, workflow.id, holder).catch(() => {})
    },
    (LEASE_SECONDS * 1000) / 3,
  )
  try {
    await (workflow.state === 'compensating'
      ? compensate(deps, kind, workflow, holder)
      : advance(deps, kind, workflow, holder))
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error
    log.info({ workflow: workflow.id }, 'Another run of this workflow took over.')
  } finally {
    clearInterval(renewal)
  }
}

/** Runs forward, and turns back when it is refused. */
async function advance(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
): Promise<void> {
  const journal = await openJournal(deps, workflow, holder, 'forward')
  try {
    await kind.run(journal.step, workflow)
  } catch (error) {
    if (error instanceof LeaseLost) throw error
    const problem = problemFrom(deps, workflow, error)
    const stage = journal.stage()
    if (!isRefusal(error)) return later(deps, workflow, holder, stage, problem)
    if (journal.undos.length > 0)
      await turn(deps, workflow, holder, { state: 'compensating', stage, problem })
    return undo(deps, kind, workflow, holder, journal, problem)
  }
  await turn(deps, workflow, holder, { state: 'completed' })
}

/** Goes on undoing: plays what is recorded, to learn how each step is taken back. */
async function compensate(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
): Promise<void> {
  const journal = await openJournal(deps, workflow, holder, 'backward')
  try {
    await kind.run(journal.step, workflow)
  } catch (error) {
    if (!(error instanceof NothingFurther)) throw error
  }
  const problem = problemOf(workflow.refusal) ?? new Problem('internal_error', 'The reason was not recorded.')
  await undo(deps, kind, workflow, holder, journal, problem)
}

/** Takes the steps back, last first. What cannot be taken back is left for a person. */
async function undo(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
  journal: Journal,
  problem: Problem,
): Promise<void> {
  const stage = workflow.state === 'compensating' ? workflow.stage : journal.stage()
  for (const { name, takeBack } of journal.undos.toReversed()) {
    try {
      await takeBack()
    } catch (error) {
      if (error instanceof LeaseLost) throw error
      const failed = problemFrom(deps, workflow, error)
      if (isRefusal(error))
        return turn(deps, workflow, holder, { state: 'parked', stage: name, problem: failed })
      return later(deps, workflow, holder, stage, failed)
    }
    const at = deps.clock.now()
    if (!(await recordUndone(deps.db, { workflowId: workflow.id, holder, name, at }))) throw new LeaseLost()
  }
  await transaction(deps.db, async (trx) => {
    if (!(await turnWorkflow(trx, workflow.id, holder, { state: 'rolledBack', stage, problem })))
      throw new LeaseLost()
    await kind.rolledBack?.(trx, workflow)
  })
}

interface Journal {
  readonly step: Step
  readonly undos: { name: string; takeBack: () => Promise<void> }[]
  /** The step that runs, failed, or was last finished. */
  stage(): string | null
}

async function openJournal(
  { db, clock }: JournalDeps,
  workflow: Workflow,
  holder: string,
  direction: 'forward' | 'backward',
): Promise<Journal> {
  const recorded = workflow.attempts === 1 && workflow.stage === null ? [] : await readSteps(db, workflow.id)
  const known = new Map(recorded.map((step) => [step.name, step]))
  const undos: Journal['undos'] = []
  let stage = workflow.stage
  let ordinal = recorded.length

  const step: Step = async (name, run, options = {}) => {
    const key = `${workflow.id}/${name.replaceAll(' ', '-')}`
    const before = known.get(name)
    if (!before && direction === 'backward') throw new NothingFurther()
    const result = before ? (before.result as Awaited<ReturnType<typeof run>>) : await first()
    const { undo: takeBack } = options
    if (takeBack && before?.state !== 'undone') undos.push({ name, takeBack: () => takeBack(result, key) })
    return result

    async function first() {
      stage = name
      const made = await run(key)
      ordinal += 1
      const record = { workflowId: workflow.id, holder, name, ordinal, result: made, at: clock.now() }
      if (!(await recordStep(db, { ...record, operation: options.operation?.(key) }))) throw new LeaseLost()
      return made
    }
  }
  return { step, undos, stage: () => stage }
}

/** Said once and for all: the same again would be refused again. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.status < 500 && error.code !== 'rate_limited'
}

/** Tried again after a while, longer each time; in the end a person has to look. */
async function later(
  deps: JournalDeps,
  workflow: Workflow,
  holder: string,
  stage: string | null,
  problem: Problem,
): Promise<void> {
  if (problem instanceof OperationParked || workflow.attempts >= MOST_ATTEMPTS)
    return turn(deps, workflow, holder, { state: 'parked', stage, problem })
  const seconds = problem.retryAfterSeconds ?? Math.min(300, 2 ** Math.min(workflow.attempts, 9))
  await turn(deps, workflow, holder, { state: 'waiting', stage, problem, seconds })
}

async function turn({ db }: JournalDeps, { id }: Workflow, holder: string, how: Turn): Promise<void> {
  if (!(await turnWorkflow(db, id, holder, how))) throw new LeaseLost()
}

function problemFrom({ log }: JournalDeps, { id, kind }: Workflow, error: unknown): Problem {
  if (error instanceof Problem) {
    log.warn({ workflow: id, kind, code: error.code, detail: error.detail }, 'A workflow stopped.')
    return error
  }
  log.error({ err: error, workflow: id, kind }, 'A workflow broke.')
  return new Problem('internal_error', `Something broke; the log has it under ${id}.`, { cause: error })
}
