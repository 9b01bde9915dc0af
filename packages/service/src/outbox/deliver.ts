import { hasFailedForGood, meaningOf, nextAttemptAt } from '@lockstep/core/delivery'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import { type Claim, newHands } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import {
  type Attempt,
  type AttemptRecord,
  claimEndpoint,
  type DueDelivery,
  disableEndpoint,
  nextDelivery,
  recordAttempt,
  releaseEndpoint,
} from '../store/deliveries.ts'
import { secretsAt } from './secrets.ts'
import type { SendDeps } from './send.ts'
import { type Message, send } from './send.ts'
import { signedHeaders } from './sign.ts'

export interface DeliverDeps extends SendDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly config: Pick<Config, 'secrets'>
  /** At least 0, below 1: spreads what is tried again. */
  readonly random: () => number
}

/** Endpoints that a process sends to at the same time. A slow one holds up none of the others. */
const AT_ONCE = 16
/** Then another endpoint has its turn; who does not answer has one message in a row. */
const MOST_IN_A_ROW = 50

/** What a process has in hand of the outbox. */
export interface Deliveries {
  /** Begins with every endpoint that something is due for; each goes on by itself. Returns how many. */
  begin(): Promise<number>
  /** Until nothing is under way any more. */
  settled(): Promise<void>
}

/**
 * Sends what is due: to one endpoint one after another, in the order of what happened; to different ones
 * side by side. Any number of processes may do so: each endpoint is claimed by one of them.
 */
export function newDeliveries(deps: DeliverDeps): Deliveries {
  const inHand = newHands()
  const underWay = new Set<Promise<void>>()

  async function begin(): Promise<number> {
    let count = 0
    while (underWay.size < AT_ONCE && (await beginOne())) count += 1
    return count
  }

  /** False: nothing is due that nobody is at. */
  function beginOne(): Promise<boolean> {
    return new Promise((claimed, failed) => {
      const run: Promise<void> = inHand(async (claim) => {
        const endpointId = await claimEndpoint(deps.db, deps.clock.now(), claim)
        claimed(endpointId !== undefined)
        if (endpointId !== undefined) await serve(deps, endpointId, claim)
      })
        .catch((error: unknown) => {
          failed(error)
          deps.log.error({ err: error }, 'Webhooks could not be sent.')
        })
        .finally(() => underWay.delete(run))
      underWay.add(run)
    })
  }

  return {
    begin,
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

async function serve(deps: DeliverDeps, endpointId: string, { holder }: Claim): Promise<void> {
  const { db, clock } = deps
  for (let sent = 0; sent < MOST_IN_A_ROW; sent += 1) {
    const delivery = await nextDelivery(db, endpointId, holder, clock.now())
    if (!delivery) break
    // Killed behind this line, it is sent again under the same webhook-id: the receiver tells by that.
    const attempt = await attemptOf(deps, delivery)
    await record(deps, delivery, holder, attempt)
    if (attempt.status === null) break
  }
  await releaseEndpoint(db, endpointId, holder)
}

/** What cannot be signed counts as not taken: it waits like any other, and its endpoint is disabled in the end. */
async function attemptOf(deps: DeliverDeps, delivery: DueDelivery): Promise<Attempt> {
  let message: Message
  try {
    message = messageOf(deps, delivery)
  } catch (error) {
    const { id, endpointId } = delivery
    deps.log.error({ err: error, endpoint: endpointId, delivery: id }, 'A webhook could not be signed.')
    return { status: null, body: null, problem: 'Its secret cannot be opened; rotate it.', durationMs: 0 }
  }
  return send(deps, message)
}

function messageOf({ clock, config }: DeliverDeps, delivery: DueDelivery): Message {
  const { endpointId, url, eventId: id, type, happenedAt, data, secrets } = delivery
  const body = JSON.stringify({ id, type, timestamp: formatInstant(happenedAt), data })
  const at = clock.now()
  const headers = signedHeaders({ id, at, body }, secretsAt(secrets, config.secrets, endpointId, at))
  return { url, headers, body }
}

async function record(
  { db, clock, log, random }: DeliverDeps,
  delivery: DueDelivery,
  holder: string,
  attempt: Attempt,
): Promise<void> {
  const at = clock.now()
  const meaning = meaningOf(attempt.status)
  const end = meaning === 'taken' ? ({ state: 'delivered' } as const) : afterFailure(delivery, at, random())
  await transaction(db, async (trx) => {
    const failingSince = await recordAttempt(trx, { delivery, holder, at, end, ...attempt })
    if (meaning === 'gone') await disableEndpoint(trx, delivery.endpointId, 'gone', at)
    else if (failingSince !== null && hasFailedForGood(failingSince, at))
      await disableEndpoint(trx, delivery.endpointId, 'failing', at)
  })
  if (meaning === 'taken') return
  const { status, problem } = attempt
  log.warn(
    { endpoint: delivery.endpointId, delivery: delivery.id, status, problem },
    'A webhook was not taken.',
  )
}

function afterFailure({ attempts }: DueDelivery, at: Instant, spread: number): AttemptRecord['end'] {
  const next = nextAttemptAt(attempts + 1, at, spread)
  return next === null ? { state: 'failed' } : { state: 'waiting', nextAttemptAt: next }
}
