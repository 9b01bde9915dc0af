import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { passes } from '../passing.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { hasCommitted, transaction } from '../postgres/transaction.ts'
import { OperationParked } from '../provider/stripe/call.ts'
import { EventsExpired } from '../store/events-expired.ts'
import { type FirstAttempt, type Intended, readOperation, stepMayBeDone } from '../store/operations.ts'
import {
  type KnownStep,
  LEASE_SECONDS,
  problemOf,
  type Recorded,
  type RunToRecord,
  readSteps,
  readWorkflow,
  recordRun,
  recordUndone,
  renewLease,
  type StepRecord,
  type Stopped,
  type Turn,
  turnWorkflow,
  type Workflow,
  whereItTurned,
} from '../store/workflows.ts'

/** What a step is given to do its work with. */
export interface Run {
  /** Why the workflow shall not go on, as of now; undefined while it shall. */
  withdrawn(): Promise<Problem | undefined>
  /**
   * Handed to a call: its intention is committed in one statement with the results of the steps before, if
   * the lease is still held.
   */
  intend(intention: FirstAttempt): Promise<Intended>
  /** No earlier run can have begun this step. */
  readonly isFirst: boolean
  /** The workflow stopped and goes on: what was so when it was written may be hours ago. */
  readonly isResumed: boolean
  /**
   * Records the result in the transaction that brings it about: both are so, or neither. So is the next step's, where
   * that is done in the same transaction. Where no other step comes after them, the workflow ends with them.
   */
  record(trx: Trx, result: unknown, options?: RecordOptions): Promise<void>
}

export interface RecordOptions {
  readonly isLast?: boolean
  /** The step that comes next: begun, it is found done. */
  readonly next?: { readonly name: string; readonly result: unknown }
}

/**
 * Does one named thing once. Its result is recorded; when the workflow runs again after a crash, the
 * recorded result is returned and nothing is done. What was under way at the crash is done again, so
 * `run` must be able to tell what is there already: `key` is the same each time.
 *
 * A step that may have been under way when the workflow was withdrawn is done again before it turns back,
 * so that it is known what there is to undo. One that cannot be undone, a charge for example, hands
 * `withdrawn` to its calls: then they only look, and send nothing.
 *
 * A result is recorded as JSON and returned as such.
 */
export type Step = <T>(
  name: string,
  run: (key: string, run: Run) => Promise<T>,
  options?: StepOptions<T>,
) => Promise<T>

export interface StepOptions<T> {
  /** Takes it back when a later step is refused. */
  readonly undo?: (result: T, key: string) => Promise<void>
  /**
   * The operation that the step leaves to be marked as succeeded; see `settledByCaller`. Asked again, the
   * provider answers the same, so that the step is repeatable.
   */
  readonly operation?: (key: string) => string
  /** Done again after a crash, it changes nothing: it is recorded together with what comes next. */
  readonly repeatable?: boolean
}

/** What a step needs of earlier ones, and what it hands on to later ones, by name. */
export interface Task {
  readonly needs: readonly string[]
  readonly handsOn: readonly string[]
}

/** The customer has to do something first. Thrown by a step, which is begun again when it is done. */
export class ActionRequired extends Error {
  readonly action: unknown

  constructor(action: unknown) {
    super('The customer has to do something first.')
    this.action = action
  }
}

export interface WorkflowKind {
  readonly kind: string
  /** Its steps by name, where they are declared: none is begun before what it needs was handed on. */
  readonly tasks?: Readonly<Record<string, Task>>
  /**
   * A plain function in steps. It runs from the top each time, so everything it decides it decides by
   * its input and by what its steps returned.
   */
  run(step: Step, workflow: { readonly id: string; readonly input: unknown }): Promise<void>
  /** There is nothing that a person could decide about it: whatever fails is tried again without an end. */
  readonly neverParked?: boolean
  /** What else changes in the moment the workflow ends as undone. */
  rolledBack?(
    trx: Trx,
    workflow: { readonly id: string; readonly input: unknown },
    problem: Problem,
  ): Promise<void>
}

export interface JournalDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
}

const MOST_ATTEMPTS = 25
/** From here on the time between two tries grows no more. An outage is counted no further. */
const SLOWEST_ATTEMPT = 9

/** Stopped without a word: another run has the lease, and records what there is to record. */
class LeaseLost extends Error {}

/** The end of what was recorded, reached while looking for what there is to undo. */
class NothingFurther extends Error {}

/**
 * Runs a workflow whose lease this holder has, until it ends, has to wait, or loses the lease. `written`:
 * nobody ran it before, and these are its steps.
 */
export async function runWorkflow(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
  written?: readonly KnownStep[],
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
      : advance(deps, kind, workflow, holder, written))
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
  written: readonly KnownStep[] | undefined,
): Promise<void> {
  const journal = await openJournal(deps, kind, workflow, holder, 'forward', written)
  try {
    await kind.run(journal.step, workflow)
    await journal.flush({ completes: true })
  } catch (error) {
    if (error instanceof LeaseLost) throw error
    const stopped = journal.stopped()
    await journal.flush()
    if (error instanceof ActionRequired) {
      return turn(deps, workflow, holder, { state: 'requiresAction', action: error.action, ...stopped })
    }
    const problem = problemFrom(deps, workflow, error)
    if (!isRefusal(error)) return later(deps, kind, workflow, holder, { stopped, error, problem })
    if (journal.undos.length > 0)
      await turn(deps, workflow, holder, { state: 'compensating', problem, ...stopped })
    return undo(deps, kind, workflow, holder, { journal, stopped, problem })
  }
}

/** Goes on undoing: plays what is recorded, to learn how each step is taken back. */
async function compensate(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
): Promise<void> {
  const journal = await openJournal(deps, kind, workflow, holder, 'backward')
  try {
    await kind.run(journal.step, workflow)
  } catch (error) {
    if (error instanceof LeaseLost) throw error
    if (!(error instanceof NothingFurther)) {
      const problem = problemFrom(deps, workflow, error)
      return later(deps, kind, workflow, holder, { stopped: whereItTurned(workflow), error, problem })
    }
  }
  const problem = problemOf(workflow.refusal) ?? new Problem('internal_error', 'The reason was not recorded.')
  await undo(deps, kind, workflow, holder, { journal, stopped: whereItTurned(workflow), problem })
}

/** Takes the steps back, last first. What cannot be taken back is left for a person. */
async function undo(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
  { journal, stopped, problem }: { journal: Journal; stopped: Stopped; problem: Problem },
): Promise<void> {
  for (const { name, takeBack } of journal.undos.toReversed()) {
    try {
      await takeBack()
    } catch (error) {
      if (error instanceof LeaseLost) throw error
      const failed = notUndone(name, problemFrom(deps, workflow, error))
      const parkedAt = { stage: name, startedAt: null, withdrawn: true }
      if (isRefusal(error))
        return turn(deps, workflow, holder, { state: 'parked', problem: failed, ...parkedAt })
      return later(deps, kind, workflow, holder, { stopped, parkedAt, error, problem: failed })
    }
    const at = deps.clock.now()
    if (!(await recordUndone(deps.db, { workflowId: workflow.id, holder, name, at }))) throw new LeaseLost()
  }
  await transaction(deps.db, async (trx) => {
    if (!(await turnWorkflow(trx, workflow.id, holder, { state: 'rolledBack', problem, ...stopped })))
      throw new LeaseLost()
    await kind.rolledBack?.(trx, workflow, problem)
  })
}

/** Says which step it is about: a workflow that is being undone keeps naming the one at which it was refused. */
function notUndone(name: string, { code, detail, retryAfterSeconds, cause }: Problem): Problem {
  return new Problem(code, `The step '${name}' is not undone: ${detail}`, { retryAfterSeconds, cause })
}

interface Journal {
  readonly step: Step
  readonly undos: { name: string; takeBack: () => Promise<void> }[]
  /** The step that runs, failed, or was last finished; with its beginning, if it was not finished. */
  stopped(): Stopped
  /** Records what is not recorded yet, and the end, if it is that. */
  flush(how?: { readonly completes: boolean }): Promise<void>
}

async function openJournal(
  { db, clock }: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
  direction: 'forward' | 'backward',
  written?: readonly KnownStep[],
): Promise<Journal> {
  const recorded = written ?? (await readSteps(db, workflow.id))
  const known = new Map(recorded.map((step) => [step.name, step]))
  const undos: Journal['undos'] = []
  const handedOn = new Set<string>()
  const unrecorded: StepRecord[] = []
  let { stage, stageStartedAt: startedAt, withdrawal } = workflow
  let ordinal = recorded.length
  const isResumed = written === undefined
  let isFirst = !isResumed
  let isOver = false

  const step: Step = async (name, run, options = {}) => {
    const key = `${workflow.id}/${name.replaceAll(' ', '-')}`
    const task = kind.tasks?.[name]
    const missing = task?.needs.find((need) => !handedOn.has(need))
    if (missing !== undefined) throw new Error(`The step ${name} needs ${missing}, which nobody handed on.`)
    const before = known.get(name)
    if (isOver && !before) throw new Error(`The step ${name} comes after the last one.`)
    if (!before && direction === 'backward') throw new NothingFurther()
    const result = before ? (before.result as Awaited<ReturnType<typeof run>>) : await first()
    for (const thing of task?.handsOn ?? []) handedOn.add(thing)
    const { undo: takeBack } = options
    if (takeBack && before?.state !== 'undone') undos.push({ name, takeBack: () => takeBack(result, key) })
    return result

    async function first() {
      const operation = options.operation?.(key)
      await turnBackIfWithdrawn(operation, key)
      stage = name
      const began = clock.now()
      startedAt = began
      const done = (result: unknown): StepRecord => ({
        ...{ name, ordinal: ordinal + 1, result, operation },
        ...{ startedAt: began, endedAt: clock.now() },
      })
      let committed: Recorded = null
      let completes = false
      let also: KnownStep | undefined
      let within: Trx | undefined
      const record: Run['record'] = async (trx, result, { isLast = false, next } = {}) => {
        within = trx
        completes = isLast
        also = next && { ...next, state: 'done' }
        const after = next
          ? [{ ...done(next.result), name: next.name, ordinal: ordinal + 2, operation: undefined }]
          : []
        committed = await write(trx, { steps: [...unrecorded, done(result), ...after], completes })
      }
      const made = await run(key, { withdrawn, intend: intendNext, isFirst, isResumed, record }).catch(
        turnBackInsteadOfWaiting,
      )
      isFirst = true
      // A transaction that was begun again may have recorded the first time only, when it did not stand.
      const stands = within !== undefined && hasCommitted(within)
      if (committed && stands) finish(committed, completes)
      else unrecorded.push(done(made))
      ordinal += 1
      if (committed && stands && also) {
        known.set(also.name, also)
        stage = also.name
        ordinal += 1
      }
      const mayWait = operation !== undefined || options.repeatable === true
      if (!mayWait) await flush()
      return made
    }
  }

  /** Throws if the lease is lost. */
  async function write(
    where: Db | Trx,
    what: Pick<RunToRecord, 'steps' | 'intention' | 'completes'>,
  ): Promise<NonNullable<Recorded>> {
    const held = await recordRun(where, { workflowId: workflow.id, holder, ...what })
    if (!held) throw new LeaseLost()
    return held
  }

  async function flush({ completes } = { completes: false }): Promise<void> {
    if (isOver || (unrecorded.length === 0 && !completes)) return
    finish(await write(db, { steps: [...unrecorded], completes }), completes)
  }

  function finish(held: NonNullable<Recorded>, completes = false): void {
    unrecorded.length = 0
    startedAt = null
    withdrawal = held.withdrawal
    isOver = completes
  }

  async function intendNext(intention: FirstAttempt): Promise<Intended> {
    const held = await write(db, { steps: [...unrecorded], intention })
    unrecorded.length = 0
    withdrawal = held.withdrawal
    const { intended, observation } = held
    const operation = intended ?? (await readOperation(db, intention.id))
    return {
      operation,
      isNew: intended !== undefined,
      observation,
      withdrawal: problemOf(withdrawal) ?? null,
    }
  }

  async function withdrawn(): Promise<Problem | undefined> {
    withdrawal ??= (await readWorkflow(db, workflow.id))?.withdrawal ?? null
    return problemOf(withdrawal)
  }

  /** Nobody waits for the customer of what was given up. */
  function turnBackInsteadOfWaiting(error: unknown): never {
    throw (error instanceof ActionRequired && problemOf(withdrawal)) || error
  }

  /** Only between steps: what one may have done is found out first, so that it can be taken back. */
  async function turnBackIfWithdrawn(operation: string | undefined, key: string): Promise<void> {
    const reason = problemOf(withdrawal)
    if (!reason || (await stepMayBeDone(db, operation === undefined ? [] : [operation], key))) return
    throw reason
  }

  const stopped = () => ({ stage, startedAt, withdrawn: problemOf(withdrawal) !== undefined })
  return { step, undos, stopped, flush }
}

/** Said once and for all: the same again would be refused again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.status < 500 && !passes(error)
}

interface Failure {
  readonly stopped: Stopped
  /** Where it is left for a person, if that is another step. */
  readonly parkedAt?: Stopped
  readonly error: unknown
  readonly problem: Problem
}

/**
 * Tried again after a while, longer each time; in the end a person has to look. What passes by itself
 * is waited for without an end: an outage, however long, leaves nothing for a person to do.
 */
async function later(
  deps: JournalDeps,
  kind: WorkflowKind,
  workflow: Workflow,
  holder: string,
  { stopped, parkedAt = stopped, error, problem }: Failure,
): Promise<void> {
  const isOutage = passes(error) && !(error instanceof OperationParked)
  const isHopeless = error instanceof OperationParked || workflow.attempts >= MOST_ATTEMPTS
  if (isHopeless && !isOutage && kind.neverParked !== true)
    return turn(deps, workflow, holder, { state: 'parked', problem, ...parkedAt })
  const attempts = isOutage ? Math.min(workflow.attempts, SLOWEST_ATTEMPT) : workflow.attempts
  const backoff = Math.min(300, 2 ** Math.min(attempts, SLOWEST_ATTEMPT))
  const seconds = Math.max(problem.retryAfterSeconds ?? 0, backoff)
  await turn(deps, workflow, holder, { state: 'waiting', problem, seconds, attempts, ...stopped })
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
  if (error instanceof EventsExpired) return error.problem
  return new Problem('internal_error', `Something broke; the log has it under ${id}.`, { cause: error })
}
