import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** A message as it arrived. */
export interface Received {
  readonly id: string
  readonly timestamp: string
  readonly signatures: readonly string[]
  readonly text: string
  readonly body: {
    readonly id: string
    readonly type: string
    readonly timestamp: string
    readonly data: Record<string, unknown>
  }
}

type Answer = (message: Received, response: ServerResponse) => void | Promise<void>

/** An application that takes webhooks: what it got, in order, and how it answers. */
export async function newReceiver() {
  const received: Received[] = []
  let answer: Answer = (_, response) => void response.writeHead(204).end()
  const server = createServer((request, response) => {
    void read(request).then(async (message) => {
      received.push(message)
      await answer(message, response)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    port,
    received,
    /** From now on it answers like this. */
    answers(how: Answer | number) {
      answer = typeof how === 'number' ? (_, response) => void response.writeHead(how).end('no') : how
    },
    types: () => received.map(({ body }) => body.type),
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

export type Receiver = Awaited<ReturnType<typeof newReceiver>>

/**
 * What the reference library of Standard Webhooks signs a message with. Its own `verify` asks the wall
 * for the time, and here time is turned.
 */
export function referenceSignature(secret: string, { id, timestamp, text }: Received): string {
  return new Webhook(secret).sign(id, new Date(Number(timestamp) * 1000), text)
}

async function read(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  const header = (name: string) => String(request.headers[name])
  return {
    id: header('webhook-id'),
    timestamp: header('webhook-timestamp'),
    signatures: header('webhook-signature').split(' '),
    text,
    body: JSON.parse(text),
  }
}
