import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { Log } from '../log.ts'

export interface NatsLink {
  /** Undefined: closed before it came about. */
  readonly opened: Promise<NatsConnection | undefined>
  /** The connection, if it is there within this time. */
  within(milliseconds: number): Promise<NatsConnection>
  /** Sends what is in hand, then closes. */
  close(): Promise<void>
}

const RETRY_MS = 1000

/**
 * Connects in the background until it works: the API must not be down because the bus is. Once open, the
 * client reconnects by itself, without an end.
 */
export function keepConnected({ url, log }: { readonly url: string; readonly log: Log }): NatsLink {
  const closing = new AbortController()
  const opened = open(url, log, closing.signal)
  return {
    opened,
    within: async (milliseconds) => {
      const late = new Promise<undefined>((resolve) => {
        setTimeout(() => resolve(undefined), milliseconds).unref()
      })
      const connection = await Promise.race([opened, late])
      if (!connection) throw new Error('There is no connection to the message bus.')
      return connection
    },
    close: async () => {
      closing.abort()
      await (await opened)?.drain()
    },
  }
}

async function open(url: string, log: Log, closing: AbortSignal): Promise<NatsConnection | undefined> {
  while (!closing.aborted) {
    try {
      const connection = await connect({ ...addressOf(url), name: 'lockstep', maxReconnectAttempts: -1 })
      void report(connection, log)
      return connection
    } catch (err) {
      log.warn({ err }, 'The message bus does not answer; it is tried again.')
      await pause(closing)
    }
  }
  return undefined
}

function pause(closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      closing.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, RETRY_MS)
    closing.addEventListener('abort', end)
  })
}

/** The client takes a name and a password beside the address, not within it. A name alone is a token. */
export function addressOf(url: string): { servers: string; user?: string; pass?: string; token?: string } {
  const { protocol, host, username, password } = new URL(url)
  const servers = `${protocol}//${host}`
  if (username === '') return { servers }
  const user = decodeURIComponent(username)
  return password === '' ? { servers, token: user } : { servers, user, pass: decodeURIComponent(password) }
}

async function report(connection: NatsConnection, log: Log): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'disconnect' || type === 'reconnect') log.warn({ status: type }, 'message bus')
  }
}
