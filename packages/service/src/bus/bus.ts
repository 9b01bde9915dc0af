/** A message as a bus hands it over, before anybody looked into it. */
export interface Delivery {
  readonly subject: string
  readonly body: Buffer
  /**
   * The bus's own name of the message, the same when it is delivered again. Used where the body does
   * not name itself as a CloudEvent does.
   */
  readonly name: { readonly source: string; readonly id: string }
}

/** Keeps one message. It may be acknowledged when this returns, and not before. */
export type Take = (delivery: Delivery) => Promise<void>

export interface Listening {
  /** Takes no more messages, and ends with those in hand. */
  close(): Promise<void>
}

/**
 * The way messages of other services come in. A driver delivers every message at least once and repeats
 * what was not kept; that it counts once is our own doing (`bus/receive.ts`).
 */
export interface Bus {
  readonly kind: 'nats' | 'local'
  /** Hands a message to the bus; it is safe there when this returns. */
  publish(subject: string, body: Buffer, id: string): Promise<void>
  /** Returns at once; what does not answer yet is tried until it does. */
  listen(subject: string): Listening
  close(): Promise<void>
}
