import { fileURLToPath } from 'node:url'
import type { PrintedDocument } from './printed.ts'

/** Half a second and fifty megabytes that most processes never need: only the thread that writes PDFs loads it. */
export async function loadRenderer(): Promise<(document: PrintedDocument) => Promise<Uint8Array>> {
  const { Document, Font, Page, renderToBuffer, StyleSheet, Text, View } = await import('@react-pdf/renderer')
  const { createElement: h } = await import('react')
  Font.register({
    family: FAMILY,
    fonts: [
      { src: fontFile('DejaVuSans.ttf'), fontWeight: 'normal' },
      { src: fontFile('DejaVuSans-Bold.ttf'), fontWeight: 'bold' },
    ],
  })
  // Names and digests are not words: they are broken where the line ends, without a hyphen.
  Font.registerHyphenationCallback((word) =>
    word.length > 40 ? word.split(/(.{16})/).filter(Boolean) : [word],
  )
  const styles = StyleSheet.create(STYLES)

  return ({ title, subtitle, sections, footer }) => {
    const parts = sections.map((section) =>
      h(
        View,
        { key: section.title, style: styles.section },
        h(Text, { style: styles.heading, minPresenceAhead: 40 }, section.title),
        ...section.rows.map(([label, lines], index) =>
          h(
            View,
            { key: `${index}`, style: styles.row, wrap: isTall(lines) },
            h(Text, { style: styles.label }, label),
            h(Text, { style: styles.lines }, lines.join('\n')),
          ),
        ),
      ),
    )
    const body = h(
      View,
      { style: styles.body },
      h(Text, { style: styles.title }, title),
      h(Text, { style: styles.subtitle }, subtitle),
      ...parts,
      h(
        View,
        { style: styles.footer, wrap: false },
        ...footer.map((line, i) => h(Text, { key: `${i}` }, line)),
      ),
    )
    const number = h(Text, {
      style: styles.number,
      fixed: true,
      render: ({ pageNumber, totalPages }) => `${pageNumber} / ${totalPages}`,
    })
    const page = h(Page, { size: 'A4', style: styles.page }, body, number)
    return renderToBuffer(
      h(Document, { title, subject: subtitle, producer: 'Lockstep', creator: 'Lockstep' }, page),
    )
  }
}

/** A row stays on one page unless it would fill most of one by itself: a page has 55 lines, of some 60 characters here. */
const isTall = (lines: readonly string[]): boolean =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 50)), 0) > 25

const FAMILY = 'DejaVu Sans'

const fontFile = (name: string): string => fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`))

const GREY = '#555555'

const STYLES = {
  page: { fontFamily: FAMILY, padding: 56, color: '#1a1a1a' },
  // Not of the page: a line height there hides what is rendered on every page.
  body: { fontSize: 9, lineHeight: 1.45 },
  title: { fontSize: 16, fontWeight: 'bold', lineHeight: 1.3 },
  subtitle: { color: GREY },
  section: { marginTop: 18 },
  heading: {
    fontSize: 10.5,
    fontWeight: 'bold',
    borderBottom: '0.75 solid #cccccc',
    paddingBottom: 3,
    marginBottom: 4,
  },
  row: { flexDirection: 'row', paddingVertical: 2 },
  label: { width: 130, paddingRight: 10, color: GREY },
  lines: { flex: 1 },
  footer: { marginTop: 22, color: GREY, fontSize: 6.5 },
  number: {
    position: 'absolute',
    bottom: 28,
    left: 0,
    right: 0,
    textAlign: 'center',
    color: GREY,
    fontSize: 8,
  },
} as const
