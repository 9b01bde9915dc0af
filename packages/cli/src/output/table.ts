import { stripVTControlCharacters } from 'node:util'
import { dim } from './style.ts'

export interface Column<T> {
  readonly title: string
  readonly cell: (row: T) => string
  /** Right for amounts and counts, so that their digits stand below each other. */
  readonly align?: 'left' | 'right'
}

/** The columns of the terminal; a file or another program has all the room it wants. */
const roomHere = (): number => (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY

/** What stands on the further lines of a row is set in by so much. */
const INDENT = 4

/**
 * Rows below their titles, two blanks between columns, nothing drawn. Where a terminal is narrower than they are, the
 * last columns of each row go onto lines of their own below it, so that nothing is cut off and ids can be copied.
 */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], room = roomHere()): string {
  if (rows.length === 0) return dim('(none)')
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)))
  const widths = columns.map(({ title }, i) =>
    Math.max(width(title), ...cells.map((row) => width(row[i] ?? ''))),
  )
  const lines = intoLines(widths, room)
  const record = (texts: readonly string[]) =>
    lines.map((line, ordinal) => {
      const padded = line.map((i) => pad(texts[i] ?? '', widths[i] ?? 0, columns[i]?.align))
      return `${' '.repeat(ordinal === 0 ? 0 : INDENT)}${padded.join('  ')}`.trimEnd()
    })
  const titles = record(columns.map(({ title }) => title)).map(dim)
  // A row that has nothing to say there has no such line.
  return [...titles, ...cells.flatMap((row) => record(row).filter((line, i) => i === 0 || line !== ''))].join(
    '\n',
  )
}

/** Which columns stand on which line of a row, as many as there is room for; at least one. */
function intoLines(widths: readonly number[], room: number): number[][] {
  const lines: number[][] = []
  let left = -1
  for (const [i, needed] of widths.entries()) {
    const line = lines.at(-1)
    if (line !== undefined && left >= needed + 2) {
      line.push(i)
      left -= needed + 2
    } else {
      left = room - needed - (line === undefined ? 0 : INDENT)
      lines.push([i])
    }
  }
  return lines
}

export function pad(text: string, to: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, to - width(text)))
  return align === 'right' ? blanks + text : text + blanks
}

export function width(text: string): number {
  return stripVTControlCharacters(text).length
}
