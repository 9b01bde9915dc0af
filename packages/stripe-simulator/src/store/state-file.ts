import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Deliveries, Delivery } from '../events/deliveries.ts'
import type { IdempotencyKeys, KeptAnswer } from '../http/idempotency.ts'
import type { World } from '../world.ts'

interface State {
  readonly format: 1
  readonly counter: number
  readonly tables: Record<string, { readonly id: string }[]>
  readonly keys: KeptAnswer[]
  readonly deliveries: Delivery[]
}

/** Milliseconds that changes are gathered before the file is written. */
const DEBOUNCE_MS = 500

/** Keeps the whole state in one JSON file, replaced by renaming, so that it is always a whole one. */
export class StateFile {
  readonly #path: string
  readonly #world: World
  readonly #keys: IdempotencyKeys
  readonly #deliveries: Deliveries
  #timer: NodeJS.Timeout | undefined

  constructor(path: string, world: World, keys: IdempotencyKeys, deliveries: Deliveries) {
    this.#path = path
    this.#world = world
    this.#keys = keys
    this.#deliveries = deliveries
  }

  /** Reads the file, if there is one, into the still empty world. */
  load(): void {
    const text = read(this.#path)
    if (text === undefined) return
    const state = JSON.parse(text) as State
    if (state.format !== 1) throw new Error(`${this.#path} is not a state file of this simulator`)
    const world = this.#world
    world.ids.counter = state.counter
    for (const [name, table] of Object.entries(world.tables())) {
      for (const row of state.tables[name] ?? []) table.insert(row as never)
    }
    world.rememberAll()
    world.rebuildAlarms()
    this.#keys.load(state.keys)
    this.#deliveries.load(state.deliveries)
  }

  /** Something changed: the file follows soon. */
  touch(): void {
    this.#timer ??= setTimeout(() => this.save(), DEBOUNCE_MS)
  }

  save(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const tables = Object.entries(this.#world.tables()).map(([name, table]) => [name, table.all()])
    const state: State = {
      format: 1,
      counter: this.#world.ids.counter,
      tables: Object.fromEntries(tables),
      keys: this.#keys.all(),
      deliveries: this.#deliveries.save(),
    }
    const next = `${this.#path}.next`
    writeFileSync(next, JSON.stringify(state))
    renameSync(next, this.#path)
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
