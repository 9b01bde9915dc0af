import { wallNow } from './clock.ts'
import { diff } from './events/diff.ts'
import { OlderEvents } from './events/older.ts'
import type { Ids } from './ids.ts'
import type { Random } from './random.ts'
import type * as rows from './rows.ts'
import type { Attempt } from './rules/test-cards.ts'
import type { Settings } from './settings.ts'
import { DueHeap } from './store/due-heap.ts'
import type { Table } from './store/table.ts'
import { Tables, UndoLog } from './store/tables.ts'
import type { Version } from './versions/versions.ts'

/** Objects that have `*.updated` events, which compare with what the object's last event showed, and their rows. */
const UPDATING = new Map<string, (world: World) => Telling>([
  ['product', (world) => world.products],
  ['price', (world) => world.prices],
  ['customer', (world) => world.customers],
  ['payment_method', (world) => world.paymentMethods],
  ['subscription', (world) => world.subscriptions],
  ['invoice', (world) => world.invoices],
  ['coupon', (world) => world.coupons],
  ['promotion_code', (world) => world.promotionCodes],
  ['refund', (world) => world.refunds],
  ['dispute', (world) => world.disputes],
  ['charge', (world) => world.charges],
  ['credit_note', (world) => world.creditNotes],
  ['tax_rate', (world) => world.taxRates],
  ['subscription_schedule', (world) => world.schedules],
  ['billing.meter', (world) => world.meters],
  ['billing_portal.configuration', (world) => world.portalConfigurations],
])

type Telling = Pick<Table<{ readonly id: string; readonly object: string }>, 'told' | 'tell' | 'all'>

/** What is to be said of an event that is not on its way. Rows are never changed in place: those of wall time share it. */
const UNDELIVERED = { clock: null, pending: 0, failed: false }

function undelivered(clock: string | null): rows.EventRow['own'] {
  return clock === null ? UNDELIVERED : { ...UNDELIVERED, clock }
}

/** Who caused a change: a request, or nobody when Stripe itself acts. */
export interface Cause {
  readonly request: string | null
  readonly idempotencyKey: string | null
  /** The path of the request. */
  readonly path: string | null
}

export const NOBODY: Cause = { request: null, idempotencyKey: null, path: null }

export type Renderer = (world: World, row: never) => rows.Json

export interface WorldParts {
  readonly ids: Ids
  readonly random: Random
  readonly settings: Settings
  readonly renderers: Record<string, Renderer>
  /** The account's default version. */
  readonly apiVersion: Version
  /** Turns what was rendered into a version's shape. */
  readonly show: (world: World, version: Version, object: rows.Json) => rows.Json
}

/**
 * Everything that the simulated Stripe holds, and the only way to change it: {@link transaction}. A
 * transaction is synchronous, so no two requests ever see each other half done.
 */
export class World extends Tables {
  readonly ids: Ids
  readonly random: Random
  readonly settings: Settings
  readonly apiVersion: Version
  /** Where the simulator itself is reached, for the addresses of invoice pages. */
  baseUrl = 'http://127.0.0.1'
  /** Called at the end of a transaction and inside it, with its events: what follows from them is done here. */
  beforeCommit: (events: readonly rows.EventRow[]) => void = () => {}
  /** Called after a transaction, with the events it made. */
  onCommit: (events: rows.EventRow[]) => void = () => {}
  /** Called when the earliest alarm of a clock may have changed. */
  onAlarm: (clock: string | null) => void = () => {}

  readonly #renderers: Record<string, Renderer>
  readonly #older: OlderEvents
  readonly #heaps = new Map<string | null, DueHeap>()
  readonly #undo: UndoLog
  /** The versions that the endpoints of this revision are told in. */
  #told: { readonly revision: number; readonly versions: readonly Version[] } | undefined
  #emitted: rows.EventRow[] = []
  #cause = NOBODY
  /** The cause as its events show it; undefined before the first one. */
  #request: rows.EventRow['request'] | undefined
  #alarmSeq = 0
  /** While an alarm of wall time rings: the time it was set for, so that a late timer bills on time. */
  wall: number | null = null
  /** Lines of the last previews, which nothing else keeps. */
  readonly previews = new Map<string, readonly rows.LineRow[]>()
  /** Discounts that are there only in the last previews, as they were there, by the preview and their own id. */
  readonly previewedDiscounts = new Map<string, ReadonlyMap<string, rows.Json>>()
  /** How an attempt to charge goes where a fault was armed for it, whatever the card. */
  chargeFault: (path: string | null, authenticated: boolean) => Attempt | undefined = () => undefined
  /** True while a preview plays the future: nothing is collected, no event is made. */
  preview = false

  constructor(parts: WorldParts) {
    const undo = new UndoLog()
    super(undo.journal, parts.settings.searchDelaySeconds * 1000)
    this.#undo = undo
    this.ids = parts.ids
    this.random = parts.random
    this.settings = parts.settings
    this.apiVersion = parts.apiVersion
    this.#renderers = parts.renderers
    this.#older = new OlderEvents((version, object) => parts.show(this, version, object))
  }

  /** The present of a test clock, or of the wall. */
  now(clock: string | null): number {
    const wall = this.wall ?? wallNow()
    return clock === null ? wall : (this.testClocks.get(clock)?.own.now ?? wall)
  }

  /** Runs `change` whole or not at all: what it throws takes everything back, unless the error says `keep`. */
  transaction<T>(cause: Cause, change: () => T): T {
    if (this.#undo.depth > 0) throw new Error('a transaction was begun inside another')
    this.#cause = cause
    this.#request = undefined
    this.#undo.depth++
    let events: rows.EventRow[] = []
    try {
      const result = change()
      events = this.#settle()
      return result
    } catch (error) {
      if (error instanceof Error && 'keep' in error && error.keep === true) events = this.#settle()
      else this.#undo.rollback(0)
      throw error
    } finally {
      this.#undo.depth--
      this.#undo.entries = []
      this.#emitted = []
      this.onCommit(events)
    }
  }

  #settle(): rows.EventRow[] {
    this.beforeCommit([...this.#emitted])
    return this.#emitted
  }

  /** Search catches up: everything that was written so far is found from now on. */
  settleSearch(): void {
    for (const table of Object.values(this.tables())) table.settle()
  }

  /** Plays `change`, reads what it returns, and takes it all back. Previews are the deed itself, undone. */
  rehearse<T>(change: () => T): T {
    const mark = this.#undo.entries.length
    const before = this.preview
    this.#undo.depth++
    this.preview = true
    try {
      return change()
    } finally {
      this.#undo.rollback(mark)
      this.preview = before
      this.#undo.depth--
    }
  }

  render(row: { readonly object: string }): rows.Json {
    const renderer = this.#renderers[row.object]
    if (renderer === undefined) throw new Error(`nothing renders a ${row.object}`)
    return renderer(this, row as never)
  }

  /**
   * Makes an event with a snapshot of the row. An `*.updated` event lists what it changed since the
   * object's last event and is left out when that is nothing. So does the one of a method that is detached, as recorded:
   * Kiln-AI/stripe_world tests/conformance/cassettes/probe_customer_payment_method_events.json.
   */
  emit(
    type: string,
    row: { readonly id: string; readonly object: string; readonly own: object },
  ): rows.EventRow | null {
    if (this.preview) return null
    const object = this.render(row)
    let previous: rows.Json | undefined
    let before: rows.Json | undefined
    const table = UPDATING.get(row.object)?.(this)
    if (table !== undefined) {
      before = table.told(row.id)
      if (type.endsWith('.updated')) {
        previous = diff(before ?? {}, object)
        if (Object.keys(previous).length === 0) return null
      } else if (type === 'payment_method.detached' && before !== undefined) {
        previous = diff(before, object)
      }
      table.tell(row.id, object)
    }
    const clock = 'clock' in row.own ? (row.own.clock as string | null) : null
    return this.emitSnapshot(type, object, clock, previous, before)
  }

  /** An event about something that is not a row of its own, such as `invoice.upcoming`. */
  emitSnapshot(
    type: string,
    object: rows.Json,
    clock: string | null,
    previous?: rows.Json,
    before?: rows.Json,
  ): rows.EventRow | null {
    if (this.preview) return null
    const data = previous === undefined ? { object } : { object, previous_attributes: previous }
    const older = this.#older.of(this.#versions(), data, before)
    this.#request ??= { id: this.#cause.request, idempotency_key: this.#cause.idempotencyKey }
    const event = this.events.insert({
      id: this.ids.next('evt'),
      object: 'event',
      api_version: this.apiVersion,
      created: this.now(clock),
      data,
      livemode: false,
      request: this.#request,
      type,
      own: older === undefined ? undelivered(clock) : { ...undelivered(clock), older },
    })
    this.#emitted.push(event)
    return event
  }

  /** What goes wrong with the attempt to charge that is made now; undefined when nothing does. */
  faultOfCharge(authenticated: boolean): Attempt | undefined {
    return this.chargeFault(this.#cause.path, authenticated)
  }

  /** Sets the object's one alarm of this kind; null calls it off. */
  alarm(kind: rows.AlarmKind, target: string, clock: string | null, at: number | null): void {
    const before = this.alarms.by('target', target).find((alarm) => alarm.kind === kind)
    if (at === null) {
      if (before !== undefined) this.alarms.delete(before.id)
      return
    }
    const id = before?.id ?? `${kind}:${target}`
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

  /** After a restart, so that the next `*.updated` events know what was seen last. */
  rememberAll(): void {
    for (const tableOf of UPDATING.values()) {
      const table = tableOf(this)
      for (const row of table.all()) table.tell(row.id, this.render(row))
    }
  }

  /** An event's data as `version` sees it. An endpoint that is younger than the event sees it as it would be now. */
  eventData({ data, own }: rows.EventRow, version: string): rows.EventData {
    return own.older?.[version] ?? this.#older.of([version as Version], data, undefined)?.[version] ?? data
  }

  /** Whose versions events are rendered in: the account's and its endpoints'. */
  #versions(): readonly Version[] {
    const { revision } = this.webhookEndpoints
    if (this.#told?.revision !== revision) {
      const endpoints = this.webhookEndpoints.all().map((endpoint) => endpoint.api_version as Version | null)
      const versions = new Set([this.apiVersion, ...endpoints.filter((version) => version !== null)])
      this.#told = { revision, versions: [...versions] }
    }
    return this.#told.versions
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
}
