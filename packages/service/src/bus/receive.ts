import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import { insertBusMessage } from '../store/bus-messages.ts'
import type { Delivery } from './bus.ts'
import { readMessage } from './read-message.ts'

export interface ReceiveDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  /** Tells the worker that there is something to do. */
  readonly nudge: () => void
}

/**
 * Keeps one message. When this returns it is stored, once, and may be acknowledged. A message that cannot
 * be read is kept too, as a parked row without a body: delivering it again would not make it better.
 */
export async function receive({ db, clock, log, nudge }: ReceiveDeps, delivery: Delivery): Promise<void> {
  const { content, ...message } = readMessage(delivery)
  const problem = content instanceof Problem ? content : null
  const id = newId('bus_message')
  const row = { id, subject: delivery.subject, ...message, content, problem, at: clock.now() }
  if (!(await insertBusMessage(db, row))) return
  if (problem) log.error({ message: id, source: row.source, messageId: row.messageId }, problem.detail)
  else nudge()
}
