import { wallNow } from './clock.ts'
import { diff } from './events/diff.ts'
import type { Ids } from './ids.ts'
import type { Random } from './random.ts'
import type * as rows from './rows.ts'
import type { Settings } from './settings.ts'
import { DueHeap } from './store/due-heap.ts'
import { Table } from './store/table.ts'

/** Objects that have `*.updated` events, which compare with what the object's last event showed. */
const UPDATING = new Set([
  'product',
  'price',
  'customer',
  'payment_method',
  'subscription',
  'invoice',
  'coupon',
  'promotion_code',
  'refund',
])

/** Who caused a change: a request, or nobody when Stripe itself acts. */
export interface Cause {
  readonly request: string | null
  readonly idempotencyKey: string | null
}

export const NOBODY: Cause = { request: null, idempotencyKey: null }
const API_VERSION = '2026-10-28.endive'

export type Renderer = (world: World, row: never) => rows.Json

export interface WorldParts {
  readonly ids: Ids
  readonly random: Random
  readonly settings: Settings
  readonly renderers: Record<string, Renderer>
}

/**
 * Everything that the simulated Stripe holds, and the only way to change it: {@link transaction}. A
 * transaction is synchronous, so no two requests ever see each other half done.
 */
export class World {
  readonly ids: Ids
  readonly random: Random
  readonly settings: Settings
  /** Where the simulator itself is reached, for the addresses of invoice pages. */
  baseUrl = 'http://127.0.0.1'
  /** Called after a transaction, with the events it made. */
  onCommit: (events: rows.EventRow[]) => void = () => {}
  /** Called when the earliest alarm of a clock may have changed. */
  onAlarm: (clock: string | null) => void = () => {}

  readonly #renderers: Record<string, Renderer>
  readonly #heaps = new Map<string | null, DueHeap>()
  readonly #seen = new Map<string, rows.Json>()
  #undo: (() => void)[] = []
  #emitted: rows.EventRow[] = []
  #depth = 0
  #cause = NOBODY
  #alarmSeq = 0
  /** While an alarm of wall time rings: the time it was set for, so that a late timer bills on time. */
  wall: number | null = null
  /** Lines of the last previews, which nothing else keeps. */
  readonly previews = new Map<string, readonly rows.LineRow[]>()
  readonly #declines: string[] = []
  /** True while a preview plays the future: nothing is collected, no event is made. */
  preview = false

  readonly #journal = (undo: () => void) => {
    if (this.#depth > 0) this.#undo.push(undo)
  }

  readonly products = new Table<rows.ProductRow>(this.#journal)
  readonly prices = new Table<rows.PriceRow, 'product' | 'lookup_key'>(this.#journal, {
    product: (row) => row.product,
    lookup_key: (row) => row.lookup_key,
  })
  readonly customers = new Table<rows.CustomerRow, 'clock' | 'email'>(this.#journal, {
    clock: (row) => row.own.clock ?? 'wall',
    email: (row) => row.email,
  })
  readonly paymentMethods = new Table<rows.PaymentMethodRow, 'customer'>(this.#journal, {
    customer: (row) => row.customer,
  })
  readonly subscriptions = new Table<rows.SubscriptionRow, 'customer' | 'clock'>(this.#journal, {
    customer: (row) => row.customer,
    clock: (row) => row.own.clock ?? 'wall',
  })
  readonly subscriptionItems = new Table<rows.SubscriptionItemRow, 'subscription'>(this.#journal, {
    subscription: (row) => row.subscription,
  })
  readonly invoices = new Table<rows.InvoiceRow, 'customer' | 'subscription'>(this.#journal, {
    customer: (row) => row.customer,
    subscription: (row) => row.own.subscription,
  })
  readonly invoiceItems = new Table<rows.InvoiceItemRow, 'customer' | 'invoice' | 'pending'>(this.#journal, {
    customer: (row) => row.customer,
    invoice: (row) => row.invoice,
    pending: (row) => (row.invoice === null ? row.customer : null),
  })
  readonly invoicePayments = new Table<rows.InvoicePaymentRow, 'invoice' | 'intent'>(this.#journal, {
    invoice: (row) => row.invoice,
    intent: (row) => row.own.intent,
  })
  readonly paymentIntents = new Table<rows.PaymentIntentRow, 'customer'>(this.#journal, {
    customer: (row) => row.customer,
  })
  readonly setupIntents = new Table<rows.SetupIntentRow, 'customer'>(this.#journal, {
    customer: (row) => row.customer,
  })
  readonly charges = new Table<rows.ChargeRow, 'customer' | 'payment_intent'>(this.#journal, {
    customer: (row) => row.customer,
    payment_intent: (row) => row.payment_intent,
  })
  readonly refunds = new Table<rows.RefundRow, 'charge'>(this.#journal, { charge: (row) => row.charge })
  readonly coupons = new Table<rows.CouponRow>(this.#journal)
  readonly promotionCodes = new Table<rows.PromotionCodeRow, 'code'>(this.#journal, {
    code: (row) => row.code.toLowerCase(),
  })
  readonly discounts = new Table<rows.DiscountRow, 'customer'>(this.#journal, {
    customer: (row) => row.customer,
  })
  readonly balanceTransactions = new Table<rows.BalanceTransactionRow, 'customer'>(this.#journal, {
    customer: (row) => row.customer,
  })
  readonly testClocks = new Table<rows.TestClockRow>(this.#journal)
  readonly webhookEndpoints = new Table<rows.WebhookEndpointRow>(this.#journal)
  readonly events = new Table<rows.EventRow, 'type'>(this.#journal, { type: (row) => row.type })
  readonly alarms = new Table<rows.AlarmRow, 'clock'>(this.#journal, { clock: (row) => row.clock ?? 'wall' })

  constructor(parts: WorldParts) {
    this.ids = parts.ids
    this.random = parts.random
    this.settings = parts.settings
    this.#renderers = parts.renderers
  }

  /** The present of a test clock, or of the wall. */
  now(clock: string | null): number {
    const wall = this.wall ?? wallNow()
    return clock === null ? wall : (this.testClocks.get(clock)?.own.now ?? wall)
  }

  /** Runs `change` whole or not at all: what it throws takes everything back, unless the error says `keep`. */
  transaction<T>(cause: Cause, change: () => T): T {
    if (this.#depth > 0) throw new Error('a transaction was begun inside another')
    this.#cause = cause
    this.#depth++
    let events: rows.EventRow[] = []
    try {
      const result = change()
      events = this.#emitted
      return result
    } catch (error) {
      if (error instanceof Error && 'keep' in error && error.keep === true) events = this.#emitted
      else this.#rollback(0)
      throw error
    } finally {
      this.#depth--
      this.#undo = []
      this.#emitted = []
      this.onCommit(events)
    }
  }

  /** Plays `change`, reads what it returns, and takes it all back. Previews are the deed itself, undone. */
  rehearse<T>(change: () => T): T {
    const mark = this.#undo.length
    const before = this.preview
    this.#depth++
    this.preview = true
    try {
      return change()
    } finally {
      this.#rollback(mark)
      this.preview = before
      this.#depth--
    }
  }

  render(row: { readonly object: string }): rows.Json {
    const renderer = this.#renderers[row.object]
    if (renderer === undefined) throw new Error(`nothing renders a ${row.object}`)
    return renderer(this, row as never)
  }

  /**
   * Makes an event with a snapshot of the row. An `*.updated` event lists what it changed since the
   * object's last event and is left out when that is nothing.
   */
  emit(
    type: string,
    row: { readonly id: string; readonly object: string; readonly own: object },
  ): rows.EventRow | null {
    if (this.preview) return null
    const object = this.render(row)
    let previous: rows.Json | undefined
    if (UPDATING.has(row.object)) {
      const before = this.#seen.get(row.id)
      if (type.endsWith('.updated')) {
        previous = diff(before ?? {}, object)
        if (Object.keys(previous).length === 0) return null
      }
      this.#seen.set(row.id, object)
      this.#journal(() => {
        if (before === undefined) this.#seen.delete(row.id)
        else this.#seen.set(row.id, before)
      })
    }
    const clock = 'clock' in row.own ? (row.own.clock as string | null) : null
    return this.emitSnapshot(type, object, clock, previous)
  }

  /** An event about something that is not a row of its own, such as `invoice.upcoming`. */
  emitSnapshot(
    type: string,
    object: rows.Json,
    clock: string | null,
    previous?: rows.Json,
  ): rows.EventRow | null {
    if (this.preview) return null
    const event = this.events.insert({
      id: this.ids.next('evt'),
      object: 'event',
      api_version: API_VERSION,
      created: this.now(clock),
      data: previous === undefined ? { object } : { object, previous_attributes: previous },
      livemode: false,
      request: { id: this.#cause.request, idempotency_key: this.#cause.idempotencyKey },
      type,
      own: { clock, pending: 0, failed: false },
    })
    this.#emitted.push(event)
    return event
  }

  /** Arms the next charge attempts to be declined, whatever the card. */
  armDecline(declineCode: string): void {
    this.#declines.push(declineCode)
  }

  takeDecline(): string | undefined {
    return this.#declines.shift()
  }

  /** Sets the object's one alarm of this kind; null calls it off. */
  alarm(kind: rows.AlarmKind, target: string, clock: string | null, at: number | null): void {
    const id = `${kind}:${target}`
    const before = this.alarms.get(id)
    if (at === null) {
      if (before !== undefined) this.alarms.delete(id)
      return
    }
    if (before === undefined) this.alarms.insert({ id, kind, target, clock, at })
    else if (before.at !== at) this.alarms.patch(id, { at })
    else return
    if (!this.preview) this.#ring(clock, id, at)
  }

  /** The earliest alarm of a clock that is still meant. */
  nextAlarm(clock: string | null): rows.AlarmRow | undefined {
    const heap = this.#heaps.get(clock)
    for (let due = heap?.peek(); due !== undefined; due = heap?.peek()) {
      const alarm = this.alarms.get(due.alarm)
      if (alarm !== undefined && alarm.at === due.at) return alarm
      heap?.pop()
    }
    return undefined
  }

  /** After a restart: the heaps are not stored, the alarms are. */
  rebuildAlarms(): void {
    for (const alarm of this.alarms.all()) this.#ring(alarm.clock, alarm.id, alarm.at)
  }

  /** Every table by name: what a state file holds. */
  tables() {
    return {
      products: this.products,
      prices: this.prices,
      customers: this.customers,
      paymentMethods: this.paymentMethods,
      subscriptions: this.subscriptions,
      subscriptionItems: this.subscriptionItems,
      invoices: this.invoices,
      invoiceItems: this.invoiceItems,
      invoicePayments: this.invoicePayments,
      paymentIntents: this.paymentIntents,
      setupIntents: this.setupIntents,
      charges: this.charges,
      refunds: this.refunds,
      coupons: this.coupons,
      promotionCodes: this.promotionCodes,
      discounts: this.discounts,
      balanceTransactions: this.balanceTransactions,
      testClocks: this.testClocks,
      webhookEndpoints: this.webhookEndpoints,
      events: this.events,
      alarms: this.alarms,
    }
  }

  /** After a restart, so that the next `*.updated` events know what was seen last. */
  rememberAll(): void {
    const changing = [
      this.products,
      this.prices,
      this.customers,
      this.paymentMethods,
      this.subscriptions,
      this.invoices,
      this.coupons,
      this.promotionCodes,
      this.refunds,
    ]
    for (const table of changing) {
      for (const row of table.all()) this.#seen.set(row.id, this.render(row))
    }
  }

  forget(id: string): void {
    this.#seen.delete(id)
  }

  #ring(clock: string | null, alarm: string, at: number): void {
    let heap = this.#heaps.get(clock)
    if (heap === undefined) {
      heap = new DueHeap()
      this.#heaps.set(clock, heap)
    }
    heap.push({ at, seq: ++this.#alarmSeq, alarm })
    this.onAlarm(clock)
  }

  #rollback(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.()
  }
}
