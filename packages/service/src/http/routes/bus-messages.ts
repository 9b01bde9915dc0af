import * as api from '@lockstep/api/bus-messages'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Bell } from '../../bell.ts'
import type { Bus } from '../../bus/bus.ts'
import type { Clock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { Db } from '../../postgres/connect.ts'
import { listBusMessages, readBusMessage, requeueBusMessage } from '../../store/bus-messages.ts'
import { pageOf } from '../../store/page.ts'
import type { Row } from '../../store/schema.ts'
import { type App, route } from '../route.ts'
import { problemToApi } from './invoice-to-api.ts'

interface BusMessageParts {
  readonly config: Pick<Config, 'bus'>
  readonly db: Db
  readonly clock: Clock
  readonly bell: Bell
  readonly bus: Bus
}

/** What the message bus delivered, and the way to publish to it and to have a message looked at again. */
export function busMessageRoutes(app: App, { config, db, clock, bell, bus }: BusMessageParts): void {
  route(
    app,
    api.publishBusMessage,
  )(async ({ body }) => {
    const name = `${body.source} ${body.id}`
    await bus.publish(config.bus.profileSubject, Buffer.from(JSON.stringify(body)), name)
    return { status: 202, body: { accepted: true } }
  })

  route(
    app,
    api.listBusMessages,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listBusMessages(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(messageToApi) } }
  })

  route(
    app,
    api.readBusMessage,
  )(async ({ params }) => ({ status: 200, body: messageToApi(await existing(db, params.id)) }))

  route(
    app,
    api.retryBusMessage,
  )(async ({ params }) => {
    const requeued = await requeueBusMessage(db, params.id, clock.now())
    if (requeued) bell.emit('bus')
    const message = requeued ?? (await existing(db, params.id))
    if (message.state === 'parked') {
      const detail = `Nothing of ${message.id} was kept, because it could not be read. Send it again, corrected.`
      throw new Problem('bus_message_unreadable', detail)
    }
    return { status: 202, body: messageToApi(message) }
  })
}

async function existing(db: Db, id: string): Promise<Row<'busMessage'>> {
  const message = await readBusMessage(db, id)
  if (!message) throw new Problem('bus_message_not_found', `There is no message ${id}.`)
  return message
}

function messageToApi(message: Row<'busMessage'>) {
  const { id, subject, source, messageId, state, outcome, registrationId, attempts } = message
  const time = (at: number | null) => (at === null ? null : formatInstant(at))
  return {
    id,
    subject,
    source,
    messageId,
    state,
    outcome,
    registration: registrationId,
    attempts,
    problem: problemToApi(message.problem),
    sentAt: time(message.sentAt),
    receivedAt: formatInstant(message.receivedAt),
    processedAt: time(message.processedAt),
  }
}
