import { createHash } from 'node:crypto'
import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import { assertOutsideTransaction } from '../../postgres/transaction.ts'
import {
  type Attempt,
  beginAttempt,
  type FirstAttempt,
  giveUp,
  type Intended,
  intend,
  markUnknown,
  type Operation,
  readOperation,
  repeatAttempt,
  settle,
} from '../../store/operations.ts'
import type { Provider } from './account.ts'
import { checkedLast, TIMEOUT_MS } from './client.ts'
import { backoff } from './pace.ts'
import { requestIdOf, verdictOf, whyNotSent } from './problems.ts'

export interface CallDeps {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
  /**
   * Why nothing shall be made any more, asked before each try. What was begun is then only looked up:
   * found, it succeeded; not found, it is refused for this reason, and nothing is sent.
   */
  readonly withdrawn?: (() => Promise<Problem | undefined>) | undefined
  /** How the intention is committed; in a statement of its own unless given. */
  readonly intend?: ((intention: FirstAttempt) => Promise<Intended>) | undefined
}

/** One thing that Stripe shall do, once. */
export interface Intention<Body = unknown> {
  /** The same for every try, also after a crash; goes into the object's `lockstep_operation`. */
  readonly id: string
  readonly kind: string
  /** What of ours it is about. */
  readonly subjectId: string
  /** Everything that is sent. The same for every try. */
  readonly body: Body
  /**
   * In what other words somebody may have begun it, asked for only when somebody has. Whoever comes second says the
   * same as the first: under one key Stripe does nothing else, and two of them in flight at once are one.
   */
  readonly others?: () => Promise<readonly Body[]>
  /** Says only how things shall be, not that something be made: doing it twice is doing it once. */
  readonly repeatable?: boolean
  /** Whoever records the result marks the success too, in one commit with it (`step` in the journal). */
  readonly settledByCaller?: boolean
  /** Somebody may take away what it made: then {@link MadeAndGone} is thrown, and nobody is asked about it. */
  readonly removable?: boolean
}

/** Stripe keeps a key for at least 24 hours; an hour less leaves room for a slow last try. */
const KEY_LIFE_SECONDS = 23 * 3600
/** So long ago by the clock an attempt may have been counted when it is sent. Longer, and it is counted again first. */
const MOST_BEFORE_SENT_SECONDS = 1
/**
 * An attempt that was counted this long ago was done by now, or never will be. Instants are whole seconds: what was
 * counted in second 0 is sent before second 2, and given up before second 17.
 */
const CALL_SECONDS = MOST_BEFORE_SENT_SECONDS + TIMEOUT_MS / 1000 + 1
const MOST_TRIES = 6
const MOST_ATTEMPTS = 5

/**
 * Makes one call to Stripe that has exactly one effect, whatever breaks on the way.
 *
 * The intention is committed before the call. A refusal is thrown as a Problem. A timeout, a reset or
 * a 500 says nothing about what Stripe did: the call is repeated with its key, which Stripe answers
 * from memory; where that cannot tell (the key is old, the failure itself is what Stripe remembers),
 * `find` looks for the object by our operation id through list endpoints. Only when a complete look
 * found nothing is the call made under a new key. What was made and is gone since is never made again by itself.
 *
 * Several runs may make one call at once, each with its own reason to give it up. Whoever sends an attempt again
 * counts that first, in its row; whoever settles one as not done, or begins the next, does so only if nobody has
 * counted since it was read. Both change one row, so one of them comes second and knows. Where Stripe itself has said
 * that a key is spent, it does not matter who sends it still: of many who heard so, the first begins the next attempt.
 * Whose turn at the limiter is long in coming counts once more when it has come, just before it sends.
 */
export async function callStripe<T extends { readonly id: string }, Body>(
  deps: CallDeps,
  call: Intention<Body>,
  send: (stripe: Stripe, options: { idempotencyKey: string }, body: Body) => Promise<T>,
  find?: (stripe: Stripe) => Promise<T | undefined>,
): Promise<T> {
  assertOutsideTransaction()
  const { db, provider } = deps
  const { id, kind, subjectId } = call
  let { body } = call
  const attemptOf = (number: number): Attempt => ({
    idempotencyKey: `${provider.instance}/${id}/${number}`,
    bodyHash: hashOf(body),
    at: deps.clock.now(),
  })

  const [named, first] = [{ id, kind, subjectId }, attemptOf(1)]
  const intended = await (deps.intend?.({ ...named, ...first }) ?? intend(db, named, first))
  const { isNew, observation } = intended
  let { operation } = intended
  let next: 'send' | 'look' = 'send'
  // Stripe has said that nothing comes of this key any more, whoever sends it.
  let isSpent = false
  // It was sent, and nobody knows what came of that.
  let isInDoubt = false
  // A row that we did not write is of a run that died, or of a twin at this moment.
  if (!isNew) await goOn()

  for (let tries = 1; ; tries += 1) {
    const isFirst = isNew && tries === 1
    const told = isFirst ? intended.withdrawal : undefined
    const withdrawal = told === undefined ? await deps.withdrawn?.() : told
    if (withdrawal) {
      const found = isFirst ? undefined : await lookOnly(deps, operation, find)
      if (found) return succeed(found)
      const isGivenUp = await giveUp(db, operation, withdrawal, deps.clock.now())
      // A twin has sent it: of what we have not sent it is all the same to us what becomes of it.
      if (!isGivenUp && !isFirst) throw underWay(CALL_SECONDS)
      throw withdrawal
    }
    if (next === 'look') {
      const asked = deps.clock.now()
      const found = await look(deps, call, operation, find)
      if (found) return succeed(found)
      if (!isSpent && !isSettled(operation)) refuseIfYoung(operation, asked)
    }
    const begun = isFirst ? operation : await begin()
    if (!begun) {
      operation = await readOperation(db, id)
      await goOn()
      continue
    }
    operation = begun
    let answer: T
    try {
      const options = { idempotencyKey: operation.idempotencyKey }
      answer = await checkedLast(countIfOld, () => send(provider.stripe, options, body))
    } catch (error) {
      if (whyNotSent(error) instanceof Overtaken) {
        operation = await readOperation(db, id)
        await goOn()
      } else next = await afterFailure(error, tries)
      continue
    }
    return succeed(answer)
  }

  /** Nothing is sent before it is written down that it is. Undefined: what we know of it is not so any more. */
  function begin(): Promise<Operation | undefined> {
    if (next === 'send') return repeatAttempt(db, operation, deps.clock.now())
    return beginAttempt(db, operation, attemptOf(operation.attempt + 1), { isSpent })
  }

  /** It waited for its turn: who looked at it meanwhile may have taken it for dead, and it for theirs. */
  async function countIfOld(): Promise<void> {
    if (isJustCounted()) return
    if (await deps.withdrawn?.()) throw new Overtaken()
    const counted = await repeatAttempt(db, operation, deps.clock.now(), { wasSent: false })
    if (!counted) throw new Overtaken()
    operation = counted
    if (!isJustCounted())
      throw new Problem('provider_unavailable', 'The database is too slow to make a call.')
  }

  function isJustCounted(): boolean {
    return deps.clock.now() - countedAt(operation) <= MOST_BEFORE_SENT_SECONDS
  }

  /** With what somebody has begun, in the words in which it was: under one key Stripe does nothing else. */
  async function goOn(): Promise<void> {
    body = call.body
    if (operation.state !== 'refused') body = await asBegun()
    next = mayRepeat(deps, operation, hashOf(body)) ? 'send' : 'look'
    isSpent = false
    isInDoubt ||= operation.state !== 'refused'
  }

  /** The words in which the last attempt was begun, if they are known; our own otherwise. */
  async function asBegun(): Promise<Body> {
    if (!call.others || hashOf(body).equals(operation.bodyHash)) return body
    const others = await call.others()
    return others.find((other) => hashOf(other).equals(operation.bodyHash)) ?? body
  }

  async function afterFailure(error: unknown, tries: number): Promise<'send' | 'look'> {
    const verdict = verdictOf(error)
    isSpent = verdict.kind === 'unknown' && verdict.replayed
    const requestId = requestIdOf(error)
    if (verdict.kind === 'refused') throw await refuse(verdict.problem, requestId)
    isInDoubt ||= verdict.kind !== 'later'
    const isOver = verdict.kind !== 'unknown' || verdict.isOver
    operation = (await markUnknown(db, operation, verdict.problem, { requestId, isOver })) ?? operation
    if (verdict.kind === 'closed') throw verdict.problem
    if (verdict.kind === 'mismatch') return 'look'
    if (tries >= MOST_TRIES)
      throw verdict.kind === 'later' ? verdict.problem : outcomeUnknown(verdict.problem)
    if (isSpent) return 'look'
    await pause(deps, tries, verdict.problem)
    return 'send'
  }

  async function refuse(problem: Problem, requestId: string | null): Promise<Problem> {
    const at = deps.clock.now()
    // What is not repeatable is looked for before the next attempt, and of one attempt its key tells.
    const isDoubtful = call.repeatable === true && isInDoubt
    await settle(db, operation, { state: 'refused', problem, requestId, at, isInDoubt: isDoubtful })
    return problem
  }

  async function succeed(answer: T): Promise<T> {
    observations.set(answer, observation)
    if (call.settledByCaller !== true && operation.state !== 'succeeded') {
      const requestId = responseOf(answer)?.requestId ?? null
      await settle(db, operation, {
        state: 'succeeded',
        objectId: answer.id,
        requestId,
        at: deps.clock.now(),
      })
    }
    return answer
  }
}

/** Reads from Stripe. What passes by itself is tried again a few times. */
export async function readStripe<T>(
  deps: Pick<CallDeps, 'provider'>,
  read: (stripe: Stripe) => Promise<T>,
): Promise<T> {
  assertOutsideTransaction()
  for (let tries = 1; ; tries += 1) {
    try {
      return await read(deps.provider.stripe)
    } catch (error) {
      const { kind, problem } = verdictOf(error)
      if (kind === 'refused' || kind === 'closed' || tries === MOST_TRIES) throw problem
      await pause(deps, tries, problem)
    }
  }
}

/**
 * Whether an answer is Stripe's memory of an earlier try. It tells what was made, not how it is now.
 */
export function wasReplayed(answer: object): boolean {
  return responseOf(answer)?.headers['idempotent-replayed'] === 'true'
}

/** When an answer was asked for, in the order in which we learn things: drawn before the call was first sent. */
export function observationOf(answer: object): bigint {
  const observation = observations.get(answer)
  if (observation === undefined) throw new Error('It is no answer of a call.')
  return observation
}

const observations = new WeakMap<object, bigint>()

/** The same key with the same body is answered from Stripe's memory while it has one. */
function mayRepeat({ clock }: CallDeps, operation: Operation, bodyHash: Buffer): boolean {
  if (operation.state === 'refused') return false
  const young = clock.now() - operation.preparedAt < KEY_LIFE_SECONDS
  return young && operation.bodyHash.equals(bodyHash)
}

/** What became of an operation that its key cannot tell about; undefined: certainly nothing. */
async function look<T>(
  deps: CallDeps,
  intention: Intention,
  operation: Operation,
  find: ((stripe: Stripe) => Promise<T | undefined>) | undefined,
): Promise<T | undefined> {
  const repeat = operation.state === 'refused' || intention.repeatable === true
  const found = repeat || !find ? undefined : await readStripe(deps, find)
  if (found) return found
  if (!repeat) {
    if (!find) throw await park(deps, operation, 'It cannot be told whether the payment provider did it.')
    if (operation.state === 'succeeded') {
      if (intention.removable === true) throw new MadeAndGone(operation.id)
      throw await park(deps, operation, 'What the payment provider made is not there any more.')
    }
  }
  // Once parked, it is here again because a person said so: that is worth one attempt more.
  const mayGoOn = operation.state === 'refused' || operation.state === 'parked'
  if (!mayGoOn && operation.attempt >= MOST_ATTEMPTS) {
    throw await park(deps, operation, 'The payment provider failed too often.')
  }
  return undefined
}

/** What became of an operation that shall not be made any more; undefined: certainly nothing. */
async function lookOnly<T>(
  deps: CallDeps,
  operation: Operation,
  find: ((stripe: Stripe) => Promise<T | undefined>) | undefined,
): Promise<T | undefined> {
  if (operation.state === 'refused') return undefined
  if (!find) throw await park(deps, operation, 'It cannot be told whether the payment provider did it.')
  const asked = deps.clock.now()
  const found = await readStripe(deps, find)
  if (!found && isAwaited(operation)) refuseIfYoung(operation, asked)
  return found
}

/** Somebody has sent it who has not said that it is over: it is on its way still, their connection broke, or they died. */
function isAwaited({ state, repeats, answered }: Operation): boolean {
  // Parked, it may have been sent once more because a person said so.
  const isUnanswered = (state === 'unknown' || state === 'parked') && answered !== repeats + 1
  return state === 'prepared' || isUnanswered
}

/** Whoever sent it said what came of it. */
function isSettled({ state }: Operation): boolean {
  return state === 'succeeded' || state === 'refused'
}

/** It may have been on its way still when the look began that did not find it, and so was done after it. */
function refuseIfYoung(operation: Operation, asked: Instant): void {
  const seconds = countedAt(operation) + CALL_SECONDS - asked
  if (seconds > 0) throw underWay(seconds)
}

/** When it was written down last that it is sent. */
function countedAt({ preparedAt, repeatedAt }: Operation): Instant {
  return repeatedAt ?? preparedAt
}

function underWay(seconds: number): Problem {
  const detail = 'The payment provider may still be at work on this call.'
  return new Problem('provider_unknown_outcome', detail, { retryAfterSeconds: seconds })
}

/**
 * While it waited to be sent it was given up, or the next attempt begun, and nothing is sent under its key any more; or it
 * shall not be made any more, which is said once it is known that nobody has sent it.
 */
class Overtaken extends Error {
  constructor() {
    super('It was given up, withdrawn or begun anew meanwhile.')
    this.name = 'Overtaken'
  }
}

/** The call was made and succeeded, and what it made is not at the provider any more: a complete look did not find it. */
export class MadeAndGone extends Error {
  constructor(operation: string) {
    super(`What the operation ${operation} made is not there any more.`)
    this.name = 'MadeAndGone'
  }
}

/** It is left for a person, who finds the reason and the request's id on the operation. */
export class OperationParked extends Problem {
  constructor(operation: string, detail: string) {
    super('provider_unknown_outcome', `${detail} Operation ${operation} is parked.`)
    this.name = 'OperationParked'
  }
}

async function park(deps: CallDeps, operation: Operation, detail: string): Promise<OperationParked> {
  const problem = new OperationParked(operation.id, detail)
  const requestId = operation.providerRequestId
  await settle(deps.db, operation, { state: 'parked', problem, requestId, at: deps.clock.now() })
  return problem
}

function outcomeUnknown(cause: Problem): Problem {
  const detail = 'The payment provider did not say whether it was done. It is being looked up.'
  return new Problem('provider_unknown_outcome', detail, { cause, retryAfterSeconds: 10 })
}

async function pause({ provider: { pace } }: Pick<CallDeps, 'provider'>, tries: number, problem: Problem) {
  const asked = problem.retryAfterSeconds
  await pace.wait(asked === undefined ? backoff(pace, tries, 200, 5000) : asked * 1000)
}

/** Of equal bodies equal, whatever order their keys were written in. */
function hashOf(body: unknown): Buffer {
  const canonical = JSON.stringify(body, (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
  return createHash('sha256').update(canonical).digest()
}

interface LastResponse {
  readonly requestId: string
  readonly headers: Readonly<Record<string, string>>
}

function responseOf(answer: object): LastResponse | undefined {
  return 'lastResponse' in answer ? (answer.lastResponse as LastResponse) : undefined
}
