import type { Readable } from 'node:stream'
import type { PlainUsageEvent } from '@lockstep/sdk/usage'
import { CsvError, parse } from 'csv-parse'
import { UsageError } from '../usage-error.ts'
import type { Entry } from './usage-file.ts'

/** How the columns of a file are to be read. */
export interface CsvOptions {
  readonly delimiter: string
  /** Our name → the column's; what is not named here is the column of its own name. */
  readonly columns: ReadonlyMap<string, string>
  /** Our name → a value that every event gets whose cell is empty, or that has no such column. */
  readonly constants: ReadonlyMap<string, string>
}

/** What an event of a CSV file consists of; every other column goes into its data. */
const fields = ['id', 'source', 'meter', 'externalId', 'quantity', 'time'] as const

/** Without these there is no event. What else is missing is told by the service, which knows the meter. */
const needed = ['id', 'meter', 'externalId', 'time'] as const

/** What the parser answers with `info`. */
interface Row {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

/**
 * One event on each row, columns by the names in the first one (RFC 4180). An empty cell says nothing:
 * the event then has no such field.
 */
export async function* readCsv(stream: Readable, path: string, options: CsvOptions): AsyncGenerator<Entry> {
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    delimiter: options.delimiter,
    record_delimiter: ['\r\n', '\n'],
  })
  stream.on('error', (error) => parser.destroy(error)).pipe(parser)
  let names: readonly string[] | undefined
  try {
    for await (const { record, info } of parser as AsyncIterable<Row>) {
      if (names === undefined) names = namesOf(record, path, options)
      else yield { event: eventOf(record, names, options.constants), line: firstLineOf(record, info.lines) }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new UsageError(
      `${path} is not CSV: ${error.message}`,
      'Correct the row, then import the whole file again: what is stored already counts as a duplicate.',
    )
  }
}

/** What we call each column, held against what was said of them. */
function namesOf(header: readonly string[], path: string, { columns, constants }: CsvOptions): string[] {
  const ours = new Map([...columns].map(([name, column]) => [column, name]))
  const names = header.map((column) => ours.get(column) ?? column)
  const has = (name: string) => names.includes(name) || constants.has(name)
  const faults = [
    ...[...columns.values()]
      .filter((column) => !header.includes(column))
      .map((column) => `there is no column ${JSON.stringify(column)}`),
    ...needed.filter((name) => !has(name)).map((name) => `no column is the ${name}`),
    ...names
      .filter((name, i) => names.indexOf(name) !== i)
      .map((name) => `two columns are ${JSON.stringify(name)}`),
  ]
  if (faults.length === 0) return names
  throw new UsageError(
    `${path}: ${faults.join('; ')}. Its columns are ${header.join(', ')}.`,
    'Say which column is what with --column, like --column id=request_id, or give every event the same with --set.',
  )
}

function eventOf(
  record: readonly string[],
  names: readonly string[],
  constants: ReadonlyMap<string, string>,
): PlainUsageEvent {
  const cells = new Map(constants)
  names.forEach((name, i) => {
    const cell = record[i]
    if (cell) cells.set(name, cell)
  })
  const event: Record<string, unknown> = {}
  const data: Record<string, string> = {}
  for (const [name, cell] of cells) (isField(name) ? event : data)[name] = cell
  // Whether it is an event is for the service to say, which tells every fault by its place.
  return {
    ...event,
    ...(cells.size > Object.keys(event).length ? { data } : {}),
  } as unknown as PlainUsageEvent
}

const isField = (name: string) => (fields as readonly string[]).includes(name)

/** A cell may go over several lines; the parser counts to the last one. */
function firstLineOf(record: readonly string[], lastLine: number): number {
  return lastLine - record.reduce((breaks, cell) => breaks + cell.split('\n').length - 1, 0)
}
