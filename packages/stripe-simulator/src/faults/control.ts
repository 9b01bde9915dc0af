import { setTimeout as wait } from 'node:timers/promises'
import { authenticateIntent, authenticateSetup } from '../billing/confirm.ts'
import { invalid, StripeError } from '../errors.ts'
import type { Attempt } from '../events/attempt-log.ts'
import type { Deliveries } from '../events/deliveries.ts'
import type { DeliverySettings } from '../events/delivery-settings.ts'
import type { IdempotencyKeys } from '../http/idempotency.ts'
import { actInPortal, type PortalDeed } from '../resources/act-in-portal.ts'
import type { Completion } from '../resources/checkout-form.ts'
import { completeCheckout } from '../resources/complete-checkout.ts'
import { discountCustomer } from '../resources/discounts.ts'
import { liveCustomer } from '../resources/lookup.ts'
import { payOnPage } from '../resources/pay-on-page.ts'
import { recoverCheckout } from '../resources/recover-checkout.ts'
import type { Json } from '../rows.ts'
import type { Time } from '../time.ts'
import { NOBODY, type World } from '../world.ts'
import type { Fault } from './fault.ts'
import type { Faults } from './faults.ts'
import type { RequestLog } from './request-log.ts'

export interface ControlParts {
  readonly world: World
  readonly deliveries: Deliveries
  readonly time: Time
  readonly faults: Faults
  readonly log: RequestLog
  readonly keys: IdempotencyKeys
}

export interface IdleAnswer {
  readonly idle: boolean
  readonly queued: number
  readonly running: number
  readonly retrying: number
}

/** What a test may do to the simulator, by library call; `http/control-routes.ts` offers the same over HTTP. */
export class Control {
  readonly #parts: ControlParts

  constructor(parts: ControlParts) {
    this.#parts = parts
  }

  /** Arms a fault for the next requests, attempts to charge or deliveries that match. */
  fail(fault: Fault): void {
    this.#parts.faults.add(fault)
  }

  faults(): Fault[] {
    return this.#parts.faults.list()
  }

  clearFaults(): void {
    this.#parts.faults.clear()
  }

  /** Declines the next charge attempts, whatever the card. */
  declineNext(declineCode = 'generic_decline', times = 1): void {
    this.fail({ kind: 'decline', decline_code: declineCode, times })
  }

  /** Lets the bank ask the holder (3-D Secure) at the next charge attempts, whatever the card. */
  challengeNext(times = 1): void {
    this.fail({ kind: 'challenge', times })
  }

  /** Forgets idempotency keys, as Stripe does some time after 24 hours: one, or all. Answers how many. */
  pruneKeys(key?: string): number {
    return this.#parts.keys.forget(key)
  }

  /** Where an event was sent and what was answered, oldest first; the last 10,000 attempts are remembered. */
  attempts(event: string): readonly Attempt[] {
    return this.#parts.deliveries.attempts.of(event)
  }

  /** Answers the 3-D Secure challenge of a payment or setup intent, as its holder would. */
  authenticate(intent: string, outcome: 'succeed' | 'fail'): Json {
    const { world } = this.#parts
    if (!['succeed', 'fail'].includes(outcome)) {
      throw invalid('outcome must be one of succeed, fail', 'outcome')
    }
    return world.transaction(NOBODY, () =>
      world.render(
        intent.startsWith('seti_')
          ? authenticateSetup(world, intent, outcome)
          : authenticateIntent(world, intent, outcome),
      ),
    )
  }

  /** Completes a Checkout page, as a person with that card would. */
  completeCheckout(session: string, how: Completion = {}): Json {
    const { world } = this.#parts
    return world.transaction(NOBODY, () => world.render(completeCheckout(world, session, how)))
  }

  /** Opens the address that an expired Checkout session left: a copy of it. */
  recoverCheckout(session: string): Json {
    const { world } = this.#parts
    return world.transaction(NOBODY, () => world.render(recoverCheckout(world, session)))
  }

  /** Pays an open invoice on its hosted page. */
  payInvoice(invoice: string, card = 'pm_card_visa'): Json {
    const { world } = this.#parts
    return world.transaction(NOBODY, () => world.render(payOnPage(world, invoice, card)))
  }

  /** Gives a customer a coupon in the dashboard, in the place of the one that they had; null takes that away. */
  discountCustomer(customer: string, coupon: string | null): void {
    const { world } = this.#parts
    world.transaction(NOBODY, () => discountCustomer(world, liveCustomer(world, customer), coupon))
  }

  /** Does on a portal page what its customer can do there. */
  actInPortal(session: string, deed: PortalDeed): Json {
    const { world } = this.#parts
    return world.transaction(NOBODY, () => actInPortal(world, session, deed))
  }

  /** Search finds everything that was written so far. */
  settleSearch(): void {
    this.#parts.world.settleSearch()
  }

  requests(): ReturnType<RequestLog['read']> {
    return this.#parts.log.read()
  }

  clearRequests(): void {
    this.#parts.log.clear()
  }

  setDelivery(settings: Partial<DeliverySettings>): DeliverySettings {
    this.#parts.deliveries.configure(settings)
    return this.#parts.deliveries.settings
  }

  /** Sends an event again, to one endpoint or to all that want it. */
  redeliver(event: string, endpoint?: string): void {
    const row = this.#parts.world.events.get(event)
    if (row === undefined) {
      throw new StripeError(404, { type: 'invalid_request_error', message: `No such event: '${event}'` })
    }
    this.#parts.deliveries.resend(row, endpoint)
  }

  retryDeliveriesNow(): void {
    this.#parts.deliveries.retryNow()
  }

  /** Resolves when no clock is advancing and every event was attempted; with `retries`, also retried. */
  async idle({ timeoutMs = 30_000, retries = false } = {}): Promise<IdleAnswer> {
    const { deliveries, time } = this.#parts
    const until = performance.now() + timeoutMs
    for (;;) {
      const counts = deliveries.counts
      const waiting = deliveries.settings.mode === 'off' ? 0 : counts.queued
      const idle = !time.busy && waiting + counts.running + (retries ? counts.retrying : 0) === 0
      if (idle || performance.now() >= until) return { idle, ...counts }
      await Promise.race([deliveries.change(), wait(time.busy ? 5 : 50, undefined, { ref: false })])
    }
  }
}
