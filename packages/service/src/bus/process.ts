import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { passes } from '../passing.ts'
import type { Db } from '../postgres/connect.ts'
import { newHands } from '../postgres/presence.ts'
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

/**
 * Registrations of the bus that a process has under way. A burst of profiles waits in its table and not in
 * memory, and whoever signs up by a request meanwhile finds room.
 */
const AT_ONCE = 16
/** Longer than beginning so many takes. */
const CLAIM_SECONDS = 60
/** A full house is looked at again after this long, by the next round. */
const FULL_MS = 500
/** Tries of a message that breaks something. What passes by itself is tried for ever. */
const MOST_TRIES = 8
const LONGEST_WAIT_SECONDS = 300

const inHand = newHands()
/** What this process has under way; each goes when its run stops, whether it ended or has to wait. */
const underWay = new Set<Promise<void>>()

/**
 * Processes the messages that wait, until none is due or the house is full, and those whose registrations
 * ended. Any number of processes may do so at once.
 */
export async function drainBus(deps: BusDeps): Promise<number> {
  for (let total = 0; ; ) {
    const count = await beginSome(deps, AT_ONCE - underWay.size)
    total += count + (await follow(deps))
    if (underWay.size >= AT_ONCE) await Promise.race([...underWay, pause(FULL_MS, undefined, { ref: false })])
    if (count === 0 || underWay.size >= AT_ONCE) return total
  }
}

function beginSome(deps: BusDeps, limit: number): Promise<number> {
  if (limit <= 0) return Promise.resolve(0)
  return inHand(async (claim) => {
    const wanted = { now: deps.clock.now(), limit, seconds: CLAIM_SECONDS }
    const messages = await claimBusMessages(deps.db, wanted, claim)
    for (const message of messages) {
      const end = await attempt(deps, message)
      await endAttempt(deps.db, { id: message.id, holder: claim.holder }, deps.clock.now(), end)
    }
    return messages.length
  })
}

/**
 * A new profile is registered exactly as a request would register it: the same function, the same
 * checks. The message is done when its registration is, and not before.
 */
async function attempt(deps: BusDeps, message: Row<'busMessage'>): Promise<BusMessageEnd> {
  try {
    const asked = { operation: nameOf(message), mayGivePlans: true }
    const { registrationId, workflow } = await beginRegistration(deps, wantedOf(message), asked)
    if (workflow) {
      deps.workflows.begin(workflow.id, workflow.holder)
      const run: Promise<void> = deps.workflows.stopped(workflow.id).finally(() => underWay.delete(run))
      underWay.add(run)
    }
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
  const profile = content as Pick<
    WantedRegistration,
    'externalId' | 'email' | 'name' | 'testClock' | 'address'
  > & {
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
