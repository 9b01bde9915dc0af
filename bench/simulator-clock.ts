import { type Bench, interleave, summarize } from './bench.ts'
import type { ClockLoad, ClockLoadResult } from './load/clock.ts'
import { runProgram } from './stage.ts'

const ALLOWED_SECONDS = 60
const YEAR: ClockLoad = { subscriptions: 1000, months: 12 }

/** A year of a thousand monthly subscriptions, every renewal billed and paid, against a minute. */
export const simulatorClock: Bench = {
  name: 'simulator-clock',
  unit: 's',
  bar: 1,
  run: async ({ note }) => {
    let events = 0
    const passes = await interleave(
      async () => ALLOWED_SECONDS,
      async () => {
        note(`turning a clock through ${YEAR.months} months`)
        const result = await runProgram<ClockLoadResult>('load/clock.ts', YEAR)
        events = result.events
        return result.seconds
      },
    )
    return summarize(passes, ({ reference, product }) => reference / product, [`${events} events`])
  },
}
