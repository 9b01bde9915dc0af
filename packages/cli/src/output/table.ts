import { stripVTControlCharacters } from 'node:util'
import { dim } from './style.ts'

export interface Column<T> {
  readonly title: string
  readonly cell: (row: T) => string
  /** Right for amounts and counts, so that their digits stand below each other. */
  readonly align?: 'left' | 'right'
}

/** Rows below their titles, two blanks between columns, nothing drawn. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  if (rows.length === 0) return dim('(none)')
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)))
  const widths = columns.map(({ title }, i) =>
    Math.max(width(title), ...cells.map((row) => width(row[i] ?? ''))),
  )
  const line = (texts: readonly string[]) =>
    columns
      .map(({ align }, i) => pad(texts[i] ?? '', widths[i] ?? 0, align))
      .join('  ')
      .trimEnd()
  return [dim(line(columns.map(({ title }) => title))), ...cells.map(line)].join('\n')
}

export function pad(text: string, to: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, to - width(text)))
  return align === 'right' ? blanks + text : text + blanks
}

export function width(text: string): number {
  return stripVTControlCharacters(text).length
}
