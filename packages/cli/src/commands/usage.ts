import { statSync } from 'node:fs'
import { type Fault, Problem } from '@lockstep/core/problem'
import type { Client } from '@lockstep/sdk'
import { ProblemError } from '@lockstep/sdk/problem-error'
import type { UsageReceipt } from '@lockstep/sdk/usage'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { bytesText, countedText, countText, secondsText } from '../output/format.ts'
import { type Report, withProgress } from '../output/progress.ts'
import { yellow } from '../output/style.ts'
import { UsageError } from '../usage-error.ts'
import { UsageFile } from '../usage-file/usage-file.ts'
import { addShowUsage } from './show-usage.ts'
import { addUsageCorrections } from './usage-corrections.ts'
import { addUsageRetention } from './usage-retention.ts'

interface ImportOptions {
  readonly format?: 'ndjson' | 'csv'
  readonly delimiter: string
  readonly column: ReadonlyMap<string, string>
  readonly set: ReadonlyMap<string, string>
  readonly dryRun: boolean
}

export function addUsage(program: Command): void {
  const usage = program.command('usage').description('what was used')
  addShowUsage(usage)
  addUsageCorrections(usage)
  addUsageRetention(usage)
  usage
    .command('import')
    .description('send the usage events of a file; sending it twice changes nothing')
    .argument('<file>', 'NDJSON, one event on each line, or CSV with its columns named in the first row')
    .option('--format <name>', 'ndjson or csv; by the ending of the file unless given', readFormat)
    .option('--delimiter <character>', 'between the cells of a CSV file; "tab" for a tab', readDelimiter, ',')
    .option('--column <name=column>', 'which column of a CSV file is the name', readPair, new Map())
    .option('--set <name=value>', 'what every event of a CSV file is given', readPair, new Map())
    .option('--dry-run', 'check every event and send nothing', false)
    .action(async (path: string, options: ImportOptions, command: Command) => {
      const { client, output } = contextOf(command)
      // A pipe is no file and is read all the same.
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true)
        throw new UsageError(`There is no such file: ${path}`, 'Give the path of an NDJSON or CSV file.')
      const { column: columns, set: constants, delimiter, format } = options
      const file = new UsageFile(path, { columns, constants, delimiter, format })
      const work = (report: Report) => importFile(client, file, options, report)
      const title = `${options.dryRun ? 'Checking' : 'Importing'} ${path}`
      const receipt = await withProgress(title, work, { json: output.json })
      output.result(receipt, (shown) => receiptText(shown, options.dryRun))
      if (receipt.conflicts.length > 0) process.exitCode = 1
    })
}

async function importFile(client: Client, file: UsageFile, { dryRun }: ImportOptions, report: Report) {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  let sent = 0
  const told = (events: number) => {
    sent += events
    const { bytesRead, size } = file
    const left = (seconds() * (size - bytesRead)) / Math.max(bytesRead, 1)
    const rate = countText(Math.round(sent / seconds()))
    report(
      `${countedText(sent, 'event')}, ${rate} a second, ${bytesText(bytesRead)} of ${bytesText(size)}, ${secondsText(left)} left`,
    )
  }
  const faults: Fault[] = []
  const result = await client.usage
    .send(file.events(dryRun ? (fault) => faults.push(fault) : undefined), {
      dryRun,
      onBatch: (_, events) => told(events),
      // What is only looked at is looked at to its end.
      ...(dryRun && {
        onRefused: (error) => faults.push(...error.faults.map((fault) => file.located(fault))),
      }),
    })
    .catch((error) => {
      throw error instanceof ProblemError ? withLines(error, file) : error
    })
  if (faults.length > 0) throw new Problem('usage_event_invalid', summaryOf(faults), { faults })
  const rate = countText(Math.round(sent / seconds()))
  return { result, summary: `${countedText(sent, 'event')}, ${secondsText(seconds())}, ${rate} a second` }
}

function withLines(error: ProblemError, file: UsageFile): ProblemError {
  const { type, title, status, code, detail } = error
  const errors = error.faults.map((fault) => file.located(fault))
  return new ProblemError({ type, title, status, code, detail, errors })
}

const summaryOf = (faults: readonly Fault[]) =>
  `${countText(faults.length)} ${faults.length === 1 ? 'fault' : 'faults'} in the file.`

function receiptText({ accepted, duplicates, conflicts }: UsageReceipt, dryRun: boolean): string {
  const would = dryRun ? 'would be ' : ''
  const lines = [`${countText(accepted)} ${would}new, ${countText(duplicates)} known already`]
  if (conflicts.length > 0) {
    lines.push(yellow(`${countText(conflicts.length)} known with another content; the first one stands:`))
    lines.push(...conflicts.slice(0, 20).map(({ source, id }) => `  ${source} ${id}`))
  }
  return lines.join('\n')
}

function readFormat(text: string): 'ndjson' | 'csv' {
  if (text === 'ndjson' || text === 'csv') return text
  throw new UsageError(`There is no such format: ${text}`, 'It is ndjson or csv.')
}

function readDelimiter(text: string): string {
  const delimiter = text === 'tab' ? '\t' : text
  if (delimiter.length === 1 && delimiter !== '"') return delimiter
  throw new UsageError(`A delimiter is one character, not ${JSON.stringify(text)}.`, 'Like --delimiter ";".')
}

/** One more of `name=value`. */
function readPair(text: string, before: ReadonlyMap<string, string>): Map<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  if (name !== undefined && value !== undefined) return new Map(before).set(name, value)
  throw new UsageError(`This is not name=value: ${text}`, 'Like --column externalId=account.')
}
