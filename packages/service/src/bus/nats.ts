import { Problem } from '@lockstep/core/problem'
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  JetStreamApiError,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { headers, type NatsConnection } from '@nats-io/transport-node'
import type { Log } from '../log.ts'
import type { Bus, Delivery, Listening, Take } from './bus.ts'
import { keepConnected } from './nats-connection.ts'

export interface NatsDeps {
  readonly url: string
  /** One durable consumer for all processes of an installation: each message goes to one of them. */
  readonly durable: string
  readonly log: Log
  readonly take: Take
}

/** Longer than keeping a message takes; an unacknowledged one is then delivered again. */
const ACK_SECONDS = 30
const NANOS_PER_SECOND = 1_000_000_000
const RETRY_MS = 1000
const PUBLISH_MS = 5000
const STREAM_NOT_FOUND = 10_059

/**
 * NATS JetStream. A message is acknowledged after it is kept, and delivered again until then, without
 * an end: whether it can be used is judged later, from our own row.
 *
 * Source: https://docs.nats.io/nats-concepts/jetstream/consumers
 */
export function natsBus(deps: NatsDeps): Bus {
  const connection = keepConnected(deps)
  return {
    kind: 'nats',
    publish: async (subject, body, id) => {
      const named = headers()
      named.set('content-type', 'application/json')
      try {
        const nats = await connection.within(PUBLISH_MS)
        await streamOf(nats, subject)
        await jetstream(nats).publish(subject, body, { msgID: id, headers: named, timeout: PUBLISH_MS })
      } catch (cause) {
        throw new Problem(
          'bus_unavailable',
          'The message bus did not take it. Nothing was done; send it again.',
          {
            cause,
            retryAfterSeconds: 5,
          },
        )
      }
    },
    listen: (subject) => listen(deps, connection.opened, subject),
    close: connection.close,
  }
}

function listen(
  { take, log, durable }: NatsDeps,
  opened: Promise<NatsConnection | undefined>,
  subject: string,
): Listening {
  let closed = false
  let messages: ConsumerMessages | undefined
  let wake = () => {}

  async function run(): Promise<void> {
    const connection = await opened
    while (connection && !closed) {
      try {
        messages = await (await consumerOf(connection, subject, durable)).consume({ max_messages: 100 })
        // `close` may have been called while the consumer was made.
        if (closed) await messages.close()
        for await (const message of messages) await keep(message)
      } catch (err) {
        log.warn({ err, subject }, 'The message bus cannot be listened to; it is tried again.')
      }
      if (!closed) await rest()
    }
  }

  async function keep(message: JsMsg): Promise<void> {
    try {
      await take({ subject: message.subject, body: Buffer.from(message.data), name: nameOf(message) })
    } catch (err) {
      log.warn({ err, subject }, 'A message could not be kept; the bus will deliver it again.')
      message.nak(RETRY_MS)
      return
    }
    message.ack()
  }

  const rest = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const running = run()
  return {
    close: async () => {
      closed = true
      wake()
      await messages?.close()
      await running
    },
  }
}

/**
 * The sender's own name of the message (`Nats-Msg-Id`), else its place in the stream and when it came there:
 * a stream that is deleted and made anew counts from one again.
 */
function nameOf(message: JsMsg): Delivery['name'] {
  const given = message.headers?.get('Nats-Msg-Id')
  const place = `${message.seq}@${message.timestampNanos}`
  return { source: `nats:${message.info.stream}`, id: given ? given : place }
}

async function consumerOf(connection: NatsConnection, subject: string, durable: string): Promise<Consumer> {
  const stream = await streamOf(connection, subject)
  const manager = await jetstreamManager(connection)
  await manager.consumers.add(stream, {
    durable_name: durable,
    filter_subject: subject,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: ACK_SECONDS * NANOS_PER_SECOND,
    max_deliver: -1,
  })
  return jetstream(connection).consumers.get(stream, durable)
}

/** The stream that holds the subject. Whoever wants replicas or a name of their own makes it beforehand. */
async function streamOf(connection: NatsConnection, subject: string): Promise<string> {
  const { streams } = await jetstreamManager(connection)
  try {
    return await streams.find(subject)
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND)) throw error
  }
  const name = `lockstep-${subject.replaceAll(/[^A-Za-z0-9_-]/g, '-')}`
  try {
    await streams.add({ name, subjects: [subject] })
    return name
  } catch (error) {
    // Somebody made it in the same moment, and then it is found.
    return streams.find(subject).catch(() => {
      throw error
    })
  }
}
