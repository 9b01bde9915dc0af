import type { IdempotencyKeys, KeptAnswer } from '../http/idempotency.ts'
import type { World } from '../world.ts'
import { RecordFile } from './record-file.ts'
import type { Table } from './table.ts'

/** What changed together: on the file it is one line, so that a kill leaves all of it or nothing. */
interface Change {
  /** Of {@link World.ids}: ids stay unique over restarts. */
  readonly counter: number
  /** Ids by table. Gone first, then made or changed. */
  readonly gone?: Record<string, string[]>
  readonly rows?: Record<string, Row[]>
  readonly goneKeys?: string[]
  readonly keys?: KeptAnswer[]
}

type Row = { readonly id: string }

/** A file below this is not worth rewriting. */
const SMALL_BYTES = 4 * 1024 * 1024
const ROWS_A_LINE = 500

/**
 * Keeps the state in a file that follows the world before anybody is answered: a request's transaction and
 * what is kept for its idempotency key are one record. The file is rewritten when it is mostly history.
 */
export class StateFile {
  readonly #file: RecordFile
  readonly #world: World
  readonly #keys: IdempotencyKeys
  readonly #tables: [string, Table<Row>][]
  /** What the file had when it held nothing but the present. */
  #rewrittenBytes = 0
  #unwritten = ''
  #scheduled = false

  /** Reads the file, if there is one, into the still empty world, and follows from there. */
  constructor(path: string, world: World, keys: IdempotencyKeys) {
    this.#file = new RecordFile(path)
    this.#world = world
    this.#keys = keys
    this.#tables = Object.entries(world.tables()) as unknown as [string, Table<Row>][]
    try {
      for (const change of this.#file.read()) this.#apply(change as Change)
    } catch (error) {
      this.#file.close()
      throw error
    }
    world.rememberAll()
    world.rebuildAlarms()
    for (const [, table] of this.#tables) table.follow(() => this.#schedule())
    keys.follow(() => this.#schedule())
  }

  /** Writes what changed. Called before an answer leaves; what nobody waits for is written right after its change. */
  flush(): void {
    this.#scheduled = false
    const change = this.#drain()
    if (change !== undefined) this.#unwritten += line(change)
    if (this.#unwritten === '') return
    this.#file.append(this.#unwritten)
    this.#unwritten = ''
    if (this.#file.size > Math.max(SMALL_BYTES, 2 * this.#rewrittenBytes)) this.#rewrite()
  }

  /** Also when what is left cannot be written, the file is free again. */
  close(): void {
    try {
      this.flush()
    } finally {
      this.#file.close()
    }
  }

  /** A change is synchronous: when the microtask runs, it is whole. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      try {
        this.flush()
      } catch (error) {
        // It is tried again with the next change and, where somebody waits, refuses the answer.
        console.error('the state is not kept:', (error as Error).message)
      }
    })
  }

  #drain(): Change | undefined {
    const gone: Record<string, string[]> = {}
    const rows: Record<string, Row[]> = {}
    for (const [name, table] of this.#tables) {
      const changes = table.takeChanges()
      if (changes.gone.length > 0) gone[name] = changes.gone
      if (changes.rows.length > 0) rows[name] = changes.rows
    }
    const keys = this.#keys.takeChanges()
    const change = {
      ...(Object.keys(gone).length > 0 ? { gone } : {}),
      ...(Object.keys(rows).length > 0 ? { rows } : {}),
      ...(keys.gone.length > 0 ? { goneKeys: keys.gone } : {}),
      ...(keys.kept.length > 0 ? { keys: keys.kept } : {}),
    }
    if (Object.keys(change).length === 0) return undefined
    return { counter: this.#world.ids.counter, ...change }
  }

  #apply({ counter, gone = {}, rows = {}, goneKeys = [], keys = [] }: Change): void {
    this.#world.ids.counter = counter
    for (const [name, table] of this.#tables) {
      for (const id of gone[name] ?? []) table.delete(id)
      for (const row of rows[name] ?? []) {
        if (table.get(row.id) === undefined) table.insert(row)
        else table.replace(row)
      }
    }
    for (const key of goneKeys) this.#keys.release(key)
    this.#keys.load(keys)
  }

  #rewrite(): void {
    this.#file.replace(this.#present())
    this.#rewrittenBytes = this.#file.size
  }

  *#present(): Generator<string> {
    const { counter } = this.#world.ids
    for (const [name, table] of this.#tables) {
      for (const rows of pagesOf(table.all())) yield line({ counter, rows: { [name]: rows } })
    }
    for (const keys of pagesOf(this.#keys.all())) yield line({ counter, keys })
  }
}

function line(change: Change): string {
  return `${JSON.stringify(change)}\n`
}

function* pagesOf<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += ROWS_A_LINE) yield items.slice(at, at + ROWS_A_LINE)
}
