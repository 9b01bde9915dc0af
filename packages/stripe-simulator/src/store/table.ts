import { wallMillis } from '../clock.ts'
import type { Json } from '../rows.ts'
import { noteChange, type Settled, settledRow } from './settled.ts'

/** Remembers how to take a change back, for a request that is refused half way and for previews. */
export type Journal = (undo: () => void) => void

interface Entry<R> {
  /** Position in order of creation; lists are newest first. */
  readonly seq: number
  row: R
  /** In a table that search reads. */
  settled?: Settled<R>
  /** What the row looks like, until it or something that it shows is replaced. */
  shown?: { readonly row: R; readonly parts: readonly unknown[]; readonly json: Json }
  /** What the last event about the row showed. */
  told?: Json | undefined
}

type KeyOf<R> = (row: R) => string | null | undefined

interface Index<R> {
  readonly key: KeyOf<R>
  /** Undefined until somebody asks: what nobody lists by is not kept in order. */
  lists: Map<string, Entry<R>[]> | undefined
}

/**
 * Rows of one resource by id, in order of creation, and by the columns that lists filter on. Rows are
 * never changed in place: a row that was handed out stays what it was, so that undoing a change is
 * putting the old row back.
 */
export class Table<R extends { readonly id: string }, I extends string = never> {
  readonly #all: Entry<R>[] = []
  /** Kept from when somebody first asks for an id: nobody asks for most events. */
  #byId: Map<string, Entry<R>> | undefined
  readonly #indexes: Index<R>[]
  readonly #indexOf: Map<string, number>
  readonly #journal: Journal
  readonly #copy: (row: R) => R
  /** What rows were before the changes that nobody took yet; undefined when nobody follows. */
  #changed: Map<string, { readonly entry: Entry<R>; readonly row: R } | undefined> | undefined
  #onChange: () => void = () => {}
  readonly #searchMs: number
  #settledAt = 0
  #seq = 0
  #revision = 0

  /** `searchMs` is how long a change is not found by search; 0 finds it at once. */
  constructor(
    journal: Journal,
    copy: (row: R) => R,
    indexes: Record<I, KeyOf<R>> = {} as Record<I, KeyOf<R>>,
    searchMs = 0,
  ) {
    this.#journal = journal
    this.#copy = copy
    this.#searchMs = searchMs
    const names = Object.keys(indexes) as I[]
    this.#indexes = names.map((name) => ({ key: indexes[name], lists: undefined }))
    this.#indexOf = new Map(names.map((name, i) => [name, i]))
  }

  get size(): number {
    return this.#all.length
  }

  /** Another number after every change: what is made of all rows is good as long as it stays. */
  get revision(): number {
    return this.#revision
  }

  get(id: string | null | undefined): R | undefined {
    return id == null ? undefined : this.#entry(id)?.row
  }

  /** For an id that one of our own rows holds: its absence is a bug of the simulator. */
  must(id: string | null | undefined): R {
    const row = this.get(id)
    if (row === undefined) throw new Error(`the simulator lost ${id}`)
    return row
  }

  /**
   * Renders a row once for each of its states. `parts` are what else it shows; snapshots share what did not
   * change, and comparing two of them ends where they are the same object. `make` is told what was shown last.
   */
  shown<J extends Json>(
    row: R,
    parts: readonly unknown[],
    make: (last: { readonly row: R; readonly json: J } | undefined) => J,
  ): J {
    const entry = this.#entry(row.id)
    if (entry === undefined || entry.row !== row) return make(undefined)
    const known = entry.shown
    if (known !== undefined && known.row === row && sameList(known.parts, parts)) return known.json as J
    const json = make(known as { row: R; json: J } | undefined)
    entry.shown = { row, parts, json }
    return json
  }

  /** What the last event about the row showed; undefined when there was none. */
  told(id: string): Json | undefined {
    return this.#entry(id)?.told
  }

  /** An event is about to show this of the row. Of a row that is gone nothing is remembered. */
  tell(id: string, json: Json): void {
    const entry = this.#entry(id)
    if (entry === undefined) return
    const before = entry.told
    entry.told = json
    this.#journal(() => {
      entry.told = before
    })
  }

  insert(row: R): R {
    if (this.#byId?.has(row.id)) throw new Error(`${row.id} exists`)
    const entry: Entry<R> = { seq: ++this.#seq, row }
    this.#add(entry)
    this.#journal(() => this.#remove(entry))
    return row
  }

  /** Replaces the named columns of the row's latest state, whatever state the caller holds. */
  patch(id: string, changes: Partial<R>): R {
    const entry = this.#entry(id)
    if (entry === undefined) throw new Error(`the simulator lost ${id}`)
    const before = entry.row
    this.#replace(entry, Object.assign(this.#copy(before), changes))
    this.#journal(() => this.#replace(entry, before))
    return entry.row
  }

  /** Puts another row in the place of the one with its id, where a column is to be gone. */
  replace(row: R): R {
    const entry = this.#entry(row.id)
    if (entry === undefined) throw new Error(`the simulator lost ${row.id}`)
    const before = entry.row
    this.#replace(entry, row)
    this.#journal(() => this.#replace(entry, before))
    return row
  }

  delete(id: string): void {
    const entry = this.#entry(id)
    if (entry === undefined) return
    this.#remove(entry)
    this.#journal(() => this.#add(entry))
  }

  /** From now on every change is remembered until it is taken. */
  follow(onChange: () => void): void {
    this.#changed = new Map()
    this.#onChange = onChange
  }

  /**
   * What is different from when changes were last taken: what was taken back since is not. An id that something else has by
   * now is gone and there: what has it is newer.
   */
  takeChanges(): { gone: string[]; rows: R[] } {
    const gone: string[] = []
    const rows: R[] = []
    if (this.#changed === undefined) return { gone, rows }
    for (const [id, before] of this.#changed) {
      const entry = this.#entry(id)
      if (entry?.row === before?.row) continue
      if (before !== undefined && entry !== before.entry) gone.push(id)
      if (entry !== undefined) rows.push(entry.row)
    }
    this.#changed.clear()
    return { gone, rows }
  }

  /** All rows, oldest first. */
  all(): R[] {
    return this.#all.map((entry) => entry.row)
  }

  /** The rows as search knows them now. What is deleted is gone at once. */
  searchable(): R[] {
    if (this.#searchMs === 0) return this.all()
    const cutoff = this.#cutoff(wallMillis())
    return this.#all.flatMap((entry) => settledRow(entry.settled, entry.row, cutoff) ?? [])
  }

  /** The rows whose indexed column equals `key`, oldest first. */
  by(index: I, key: string): R[] {
    return this.#list(index, key).map((entry) => entry.row)
  }

  /** How many rows `by` would return. */
  count(index: I, key: string): number {
    return this.#list(index, key).length
  }

  /** Newest first, strictly older than `cursor` where one is given, without touching other rows. */
  *older(where: { index: I; key: string } | null, cursor: string | undefined): Generator<R> {
    const list = where === null ? this.#all : this.#list(where.index, where.key)
    const seq = cursor === undefined ? Number.POSITIVE_INFINITY : (this.#entry(cursor)?.seq ?? 0)
    for (let i = lowerBound(list, seq) - 1; i >= 0; i--) yield (list[i] as Entry<R>).row
  }

  /** Oldest first, strictly newer than `cursor`. */
  *newer(where: { index: I; key: string } | null, cursor: string): Generator<R> {
    const list = where === null ? this.#all : this.#list(where.index, where.key)
    const seq = this.#entry(cursor)?.seq ?? 0
    for (let i = lowerBound(list, seq + 1); i < list.length; i++) yield (list[i] as Entry<R>).row
  }

  #entry(id: string): Entry<R> | undefined {
    this.#byId ??= new Map(this.#all.map((entry) => [entry.row.id, entry]))
    return this.#byId.get(id)
  }

  #list(name: I, key: string): readonly Entry<R>[] {
    const index = this.#indexes[this.#indexOf.get(name) as number] as Index<R>
    if (index.lists === undefined) {
      index.lists = new Map()
      for (const entry of this.#all) link(index.lists, index.key(entry.row), entry)
    }
    return index.lists.get(key) ?? NONE
  }

  #remember(entry: Entry<R>, isNew = false): void {
    this.#revision++
    if (this.#changed === undefined) return
    const { row } = entry
    if (!this.#changed.has(row.id)) this.#changed.set(row.id, isNew ? undefined : { entry, row })
    this.#onChange()
  }

  #add(entry: Entry<R>): void {
    this.#remember(entry, true)
    this.#noteChange(entry, undefined)
    this.#byId?.set(entry.row.id, entry)
    insertSorted(this.#all, entry)
    for (const { lists, key } of this.#indexes) {
      if (lists !== undefined) link(lists, key(entry.row), entry)
    }
  }

  #remove(entry: Entry<R>): void {
    this.#remember(entry)
    this.#byId?.delete(entry.row.id)
    removeSorted(this.#all, entry)
    for (const { lists, key } of this.#indexes) {
      if (lists !== undefined) unlink(lists, key(entry.row), entry)
    }
  }

  #replace(entry: Entry<R>, row: R): void {
    this.#remember(entry)
    for (const { lists, key } of this.#indexes) {
      if (lists === undefined) continue
      const before = key(entry.row)
      const after = key(row)
      if (before === after) continue
      unlink(lists, before, entry)
      link(lists, after, entry)
    }
    this.#noteChange(entry, entry.row)
    entry.row = row
  }

  /** Search catches up with everything that was done so far. */
  settle(): void {
    this.#settledAt = wallMillis()
  }

  /** The wall time in milliseconds up to which search knows what was done. */
  #cutoff(now: number): number {
    return Math.max(now - this.#searchMs, this.#settledAt)
  }

  #noteChange(entry: Entry<R>, before: R | undefined): void {
    if (this.#searchMs === 0) return
    const now = wallMillis()
    entry.settled = noteChange(entry.settled, before, now, this.#cutoff(now))
  }
}

const NONE: readonly never[] = []

function link<R>(lists: Map<string, Entry<R>[]>, key: string | null | undefined, entry: Entry<R>): void {
  if (key == null) return
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [entry])
  else insertSorted(list, entry)
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

function unlink<R>(lists: Map<string, Entry<R>[]>, key: string | null | undefined, entry: Entry<R>): void {
  if (key == null) return
  const list = lists.get(key)
  if (list !== undefined) removeSorted(list, entry)
}

/** The first position whose seq is not below `seq`. */
function lowerBound(list: readonly Entry<unknown>[], seq: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] as Entry<unknown>).seq < seq) low = middle + 1
    else high = middle
  }
  return low
}

function insertSorted<R>(list: Entry<R>[], entry: Entry<R>): void {
  const last = list[list.length - 1]
  if (last === undefined || last.seq < entry.seq) list.push(entry)
  else list.splice(lowerBound(list, entry.seq), 0, entry)
}

function removeSorted<R>(list: Entry<R>[], entry: Entry<R>): void {
  const at = lowerBound(list, entry.seq)
  if (list[at] === entry) list.splice(at, 1)
}
