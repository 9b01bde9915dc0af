/** Turns of the event loop in which work may begin. */
export interface Turns {
  /** Resolves when work of this size may begin, in the order of the asking; never in the same turn. */
  begin(size: number): Promise<void>
}

/**
 * Divides reading among turns of the event loop, about `perTurn` in each.
 *
 * Requests come in bursts: those that shared a transaction are answered together, and their senders send
 * the next ones together. To read sixteen of them takes some fifteen milliseconds, and a transaction whose
 * first half Postgres has answered would wait as long for its second. Between turns such answers are seen.
 */
export function newTurns(perTurn: number): Turns {
  let waiting: { size: number; begin: () => void }[] = []

  const nextTurn = () => {
    let begun = 0
    let count = 0
    for (const { size, begin } of waiting) {
      if (begun >= perTurn) break
      begun += size
      count += 1
      begin()
    }
    waiting = waiting.slice(count)
    if (waiting.length > 0) setImmediate(nextTurn)
  }

  return {
    begin: (size) => {
      if (waiting.length === 0) setImmediate(nextTurn)
      return new Promise((begin) => {
        waiting.push({ size, begin })
      })
    },
  }
}
