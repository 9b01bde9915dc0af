import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'

interface Received {
  readonly event: Stripe.Event
  readonly body: string
  readonly signature: string
}

/** A webhook endpoint that verifies as a user of the client would, and answers what it is told to. */
export async function newReceiver(secret: string) {
  const received: Received[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  let answer: (event: Stripe.Event) => number | Promise<number> = () => 200
  const stripe = new Stripe('sk_test_x')
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    const finish = async () => {
      const body = Buffer.concat(chunks).toString()
      const signature = String(request.headers['stripe-signature'])
      const event = stripe.webhooks.constructEvent(body, signature, secret)
      const status = await answer(event)
      received.push({ event, body, signature })
      response.writeHead(status).end()
      for (const waiter of waiting) if (received.length >= waiter.count) waiter.resolve()
    }
    request.on('end', () => void finish())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    types: () => received.map(({ event }) => event.type as string),
    ids: () => received.map(({ event }) => event.id),
    answerWith(next: typeof answer) {
      answer = next
    },
    /** Resolves when that many deliveries have arrived. */
    arrived: (count: number) =>
      new Promise<void>((resolve) => {
        if (received.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
