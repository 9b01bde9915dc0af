import { createReadStream, existsSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Client } from '@lockstep/sdk'
import { ProblemError } from '@lockstep/sdk/problem-error'
import type { UsageEvent, UsageReceipt } from '@lockstep/sdk/usage'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { bytesText, countText, secondsText } from '../output/format.ts'
import { type Report, withProgress } from '../output/progress.ts'
import { yellow } from '../output/style.ts'
import { UsageError } from '../usage-error.ts'

export function addUsage(program: Command): void {
  program
    .command('usage')
    .description('what was used')
    .command('import')
    .description('send the usage events of a file; sending it twice changes nothing')
    .argument('<file>', 'one CloudEvent in JSON on each line (NDJSON)')
    .action(async (file: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      if (!existsSync(file))
        throw new UsageError(`There is no such file: ${file}`, 'Give the path of an NDJSON file.')
      const work = (report: Report) => importFile(client, file, report)
      const receipt = await withProgress(`Importing ${file}`, work, { json: output.json })
      output.result(receipt, receiptText)
      if (receipt.conflicts.length > 0) process.exitCode = 1
    })
}

async function importFile(client: Client, file: string, report: Report) {
  const size = statSync(file).size
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const reader = new EventReader(file)
  let sent = 0
  const onBatch = (_: UsageReceipt, events: number) => {
    sent += events
    const share = reader.bytes / size
    const left = seconds() / share - seconds()
    const rate = countText(Math.round(sent / seconds()))
    report(
      `${countText(sent)} events, ${rate} a second, ${bytesText(reader.bytes)} of ${bytesText(size)}, ${secondsText(left)} left`,
    )
  }
  const result = await client.usage.send(reader.events(), { onBatch }).catch((error) => {
    throw reader.located(error)
  })
  const rate = countText(Math.round(sent / seconds()))
  return { result, summary: `${countText(sent)} events, ${secondsText(seconds())}, ${rate} a second` }
}

/** The events of a file, which remembers on which line each one stood. */
class EventReader {
  bytes = 0
  readonly #file: string
  /** Line numbers of the events so far, if any line was passed over; empty lines are. */
  readonly #passedOver: number[] = []

  constructor(file: string) {
    this.#file = file
  }

  async *events(): AsyncGenerator<UsageEvent> {
    let line = 0
    for await (const text of createInterface({ input: createReadStream(this.#file), crlfDelay: Infinity })) {
      line += 1
      this.bytes += Buffer.byteLength(text) + 1
      if (text.trim() === '') {
        this.#passedOver.push(line)
        continue
      }
      yield this.#parse(text, line)
    }
  }

  #parse(text: string, line: number): UsageEvent {
    try {
      return JSON.parse(text) as UsageEvent
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new UsageError(
        `${this.#file}:${line} is not JSON: ${reason}`,
        'Each line is one event. Correct the line, then import the whole file again: what is stored already counts as a duplicate.',
      )
    }
  }

  /** Events are counted from 0, lines from 1: `#/3/time` is at `usage.ndjson:4 #/time`. */
  located(error: unknown): unknown {
    if (!(error instanceof ProblemError) || error.faults.length === 0) return error
    const errors = error.faults.map((fault) => {
      const [, index, rest = ''] = /^#\/(\d+)(.*)$/.exec(fault.pointer) ?? []
      if (index === undefined) return fault
      return { ...fault, pointer: `${this.#file}:${this.#lineOf(Number(index))} #${rest}` }
    })
    const { type, title, status, code, detail } = error
    return new ProblemError({ type, title, status, code, detail, errors })
  }

  #lineOf(index: number): number {
    let line = index + 1
    for (const empty of this.#passedOver) if (empty <= line) line += 1
    return line
  }
}

function receiptText({ accepted, duplicates, conflicts }: UsageReceipt): string {
  const lines = [`${countText(accepted)} new, ${countText(duplicates)} known already`]
  if (conflicts.length > 0) {
    lines.push(yellow(`${countText(conflicts.length)} known with another content; the first one stands:`))
    lines.push(...conflicts.slice(0, 20).map(({ source, id }) => `  ${source} ${id}`))
  }
  return lines.join('\n')
}
