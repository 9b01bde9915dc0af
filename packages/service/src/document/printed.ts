/** Something laid out for paper, before it is HTML or PDF: both say the same, line by line. */
export interface PrintedDocument {
  readonly title: string
  readonly subtitle: string
  readonly sections: readonly PrintedSection[]
  /** What a reader verifies it by. */
  readonly footer: readonly string[]
}

export interface PrintedSection {
  readonly title: string
  /** What it is about, and what is said of it: one line or several. */
  readonly rows: readonly (readonly [label: string, lines: readonly string[]])[]
}

/** `2026-01-31 09:30:00 UTC`: paper says its zone. */
export function printedInstant(instant: string): string {
  return `${instant.replace('T', ' ').replace('Z', '')} UTC`
}
