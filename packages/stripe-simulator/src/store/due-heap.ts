export interface Due {
  /** Seconds, in the time of the heap's clock. */
  readonly at: number
  /** Breaks ties: what was scheduled first runs first. */
  readonly seq: number
  readonly alarm: string
}

/** A binary heap, earliest first. Entries are not removed when an alarm is called off: the reader checks. */
export class DueHeap {
  readonly #items: Due[] = []

  peek(): Due | undefined {
    return this.#items[0]
  }

  push(due: Due): void {
    const items = this.#items
    let at = items.push(due) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(due, items[parent] as Due)) break
      items[at] = items[parent] as Due
      at = parent
    }
    items[at] = due
  }

  pop(): Due | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && isBefore(items[child + 1] as Due, items[child] as Due)) child++
      if (!isBefore(items[child] as Due, last)) break
      items[at] = items[child] as Due
      at = child
    }
    items[at] = last
    return top
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq)
}
