import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { passes } from '../passing.ts'
import type { Db } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import {
  type BusMessageEnd,
  claimBusMessages,
  endAttempt,
  followRegistrations,
} from '../store/bus-messages.ts'
import type { Row } from '../store/schema.ts'
import { beginRegistration } from '../workflow/begin-registration.ts'
import type { WantedRegistration } from '../workflow/wanted-registration.ts'
import type { Workflows } from '../workflow/workflows.ts'

export interface BusDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly provider: Provider
  readonly workflows: Workflows
}

const BATCH = 50
/** Longer than beginning a registration takes. */
const CLAIM_SECONDS = 60
/** Tries of a message that breaks something. What passes by itself is tried for ever. */
const MOST_TRIES = 8
const LONGEST_WAIT_SECONDS = 300

/**
 * Processes the messages that wait, until none is due, and those whose registrations ended. Any number of
 * processes may do so at once.
 */
export async function drainBus(deps: BusDeps): Promise<number> {
  for (let total = 0; ; ) {
    const claim = { now: deps.clock.now(), limit: BATCH, seconds: CLAIM_SECONDS }
    const messages = await claimBusMessages(deps.db, claim)
    for (const message of messages)
      await endAttempt(deps.db, message.id, deps.clock.now(), await attempt(deps, message))
    total += messages.length
    if (messages.length === 0) return total + (await follow(deps))
  }
}

/**
 * A new profile is registered exactly as a request would register it: the same function, the same
 * checks. The message is done when its registration is, and not before.
 */
async function attempt(deps: BusDeps, message: Row<'busMessage'>): Promise<BusMessageEnd> {
  try {
    const asked = { operation: nameOf(message), mayGivePlans: true }
    const { registrationId, workflow } = await beginRegistration(deps, wantedOf(message), asked)
    if (workflow) deps.workflows.begin(workflow.id, workflow.holder)
    return { state: 'registering', registrationId }
  } catch (error) {
    return failure(deps, message, error)
  }
}

/**
 * The request goes by the message's own name, so looking at it twice begins nothing new. After a
 * registration that came to nothing and a person's word, it is another request.
 */
function nameOf({ id, registrationId }: Row<'busMessage'>): string {
  return registrationId === null ? `bus/${id}` : `bus/${id}/${registrationId}`
}

async function follow({ db, clock, log }: BusDeps): Promise<number> {
  const followed = await followRegistrations(db, clock.now())
  for (const { id, state, registrationId } of followed)
    if (state === 'parked')
      log.error({ message: id, registration: registrationId }, 'The registration of a message was undone.')
  return followed.length
}

function wantedOf({ content }: Row<'busMessage'>): WantedRegistration {
  const profile = content as Pick<WantedRegistration, 'externalId' | 'email' | 'name' | 'testClock'> & {
    readonly plan?: string
  }
  // Without a plan it is the one that the catalogue has for signing up.
  return { ...profile, quantity: 1 }
}

function failure(
  { clock, log }: BusDeps,
  { id, attempts }: Row<'busMessage'>,
  error: unknown,
): BusMessageEnd {
  // Two services told of one profile, or somebody was faster: what the message wants is there.
  if (error instanceof Problem && error.code === 'subscription_exists')
    return { state: 'processed', outcome: 'subscribed before' }
  const tries = attempts + 1
  const problem =
    error instanceof Problem
      ? error
      : new Problem('internal_error', `Something broke; the log has it under ${id}.`, { cause: error })
  const mayPass = passes(error) || (error instanceof Problem && error.code === 'registration_in_progress')
  const isRefusal = error instanceof Problem && error.status < 500 && !mayPass
  const givenUp = isRefusal || (tries >= MOST_TRIES && !mayPass)
  log[givenUp ? 'error' : 'warn']({ err: error, message: id, tries }, 'A message could not be processed.')
  if (givenUp) return { state: 'parked', problem }
  // A registration in the way may be parked for days, whatever it says of the next seconds.
  const backoff = Math.min(LONGEST_WAIT_SECONDS, 2 ** Math.min(tries, 10))
  const wait = Math.max(problem.retryAfterSeconds ?? 0, backoff)
  return { state: 'received', problem, nextAttemptAt: clock.now() + wait }
}
