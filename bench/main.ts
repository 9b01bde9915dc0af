/**
 * `npm run bench`: each line is measured against a reference taken in the same run, in turns. Absolute
 * figures are the machine's; the ratio is what is held against the bar.
 *
 *   npm run bench -- --only NAME --json
 */
import { commandLine } from '../test/support/command-line.ts'
import type { Bench, Line, Measured } from './bench.ts'
import { importCalls } from './import-calls.ts'
import { ingestBatch } from './ingest-batch.ts'
import { ingestProcesses } from './ingest-processes.ts'
import { ingestSingle } from './ingest-single.ts'
import { invoiceRead } from './invoice-read.ts'
import { describeMachine, watchMachine } from './machine.ts'
import { patchLatency } from './patch-latency.ts'
import { registration } from './registration.ts'
import { simulatorClock } from './simulator-clock.ts'
import { simulatorRequests } from './simulator-requests.ts'
import { start } from './start.ts'
import { subscriptionRead } from './subscription-read.ts'
import { syncCalls } from './sync-calls.ts'
import { syncLimited } from './sync-limited.ts'
import { webhooksVsPeer } from './webhooks-vs-peer.ts'

const benches: readonly Bench[] = [
  ingestBatch,
  ingestSingle,
  ingestProcesses,
  invoiceRead,
  webhooksVsPeer,
  registration,
  patchLatency,
  syncCalls,
  syncLimited,
  subscriptionRead,
  importCalls,
  simulatorRequests,
  simulatorClock,
  start,
]

const usage = `Usage: npm run bench -- [--only NAME]... [--json] [--seconds 5]\n       NAME: ${benches.map(({ name }) => name).join(', ')}`
const { values } = commandLine(usage, {
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '5' },
  },
})

const unknown = (values.only ?? []).filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(
    `There is no bench ${unknown.join(', ')}. There are: ${benches.map(({ name }) => name).join(', ')}.`,
  )
  process.exit(2)
}
const chosen = benches.filter(({ name }) => values.only?.includes(name) ?? true)

// Progress goes to standard error, so that the results can be read by a program.
const note = (text: string) => console.error(text)
if (!values.json) note(await describeMachine())

for (const bench of chosen) {
  const watch = watchMachine()
  try {
    const measured = await bench.run({
      seconds: Number(values.seconds),
      note: (text) => note(`  ${bench.name}: ${text}`),
    })
    report(bench, measured, watch.busyElsewhere())
    for (const line of measured.also ?? []) report(line, line)
  } catch (error) {
    // A run that cannot take its own reference, or comes out wrong, fails.
    process.exitCode = 1
    console.error(`${bench.name} failed:`, error)
  }
}

function report({ name, unit, bar }: Line, measured: Measured, ...remarks: string[]): void {
  const { value, baseline, ratio } = measured
  const ok = ratio >= bar
  if (!ok) process.exitCode = 1
  if (values.json) {
    console.log(
      JSON.stringify({
        bench: name,
        value: rounded(value),
        unit,
        baseline: rounded(baseline),
        ratio: rounded(ratio),
        bar,
        ok,
      }),
    )
    return
  }
  const figures = [rounded(value), unit, 'of', rounded(baseline)].join(' ').padEnd(36)
  console.log(`${ok ? '✓' : '✗'} ${name.padEnd(16)} ${figures} ratio ${ratio.toFixed(2)}  bar ${bar}`)
  for (const text of [
    `passes ${measured.ratios.map((one) => one.toFixed(2)).join(', ')}`,
    ...measured.remarks,
    ...remarks,
  ]) {
    console.log(`    ${text}`)
  }
}

/** Three significant digits and never fewer than the whole number has. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}
