/** Remembers what was asked for lately. */
export interface Memory<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
}

/**
 * Remembers the `most` that were asked for last, or down to half of that. What was asked for just now is
 * forgotten only after half of `most` others, so a request finds at its end whom it knew at its beginning.
 */
export function newMemory<Value>(most: number): Memory<Value> {
  let recent = new Map<string, Value>()
  let older = new Map<string, Value>()

  function set(key: string, value: Value): void {
    recent.set(key, value)
    if (recent.size <= most / 2) return
    older = recent
    recent = new Map()
  }

  return {
    get(key) {
      const known = recent.get(key)
      if (known !== undefined) return known
      const before = older.get(key)
      if (before !== undefined) set(key, before)
      return before
    },
    set,
  }
}
