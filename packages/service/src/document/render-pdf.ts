import { fileURLToPath } from 'node:url'
import { breakable, type Glyphs, legible, MISSING } from './fit-text.ts'
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
  // What is wider than its line is broken beforehand; nothing gets a hyphen that it has not.
  Font.registerHyphenationCallback((word) => [word])
  const glyphs = async (fontWeight: number): Promise<Glyphs> => {
    await Font.load({ fontFamily: FAMILY, fontWeight })
    const font = Font.getFont({ fontFamily: FAMILY, fontWeight })?.data
    if (!font || !('unitsPerEm' in font))
      throw new Error(`There is no ${FAMILY} of the weight ${fontWeight}.`)
    return {
      has: (one) => font.hasGlyphForCodePoint(one),
      width: (one) => font.glyphForCodePoint(one).advanceWidth / font.unitsPerEm,
    }
  }
  const [normal, bold] = [await glyphs(400), await glyphs(700)]
  const styles = StyleSheet.create(STYLES)

  return (document) => {
    const { title, subtitle, sections, footer } = laidOut(document, { normal, bold })
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

interface Fonts {
  readonly normal: Glyphs
  readonly bold: Glyphs
}

/** The same in what the fonts have, and so that no word is wider than its line. What is missing is said at the end. */
function laidOut(document: PrintedDocument, { normal, bold }: Fonts): PrintedDocument {
  const { title, subtitle, sections, footer } = document
  const fit = (text: string, font: Glyphs, width: number, { fontSize }: { readonly fontSize: number }) =>
    breakable(legible(text, font), font, width / fontSize)
  const shown: PrintedDocument = {
    title: fit(title, bold, PAGE_WIDTH, STYLES.title),
    subtitle: fit(subtitle, normal, PAGE_WIDTH, STYLES.body),
    sections: sections.map((section) => ({
      title: fit(section.title, bold, PAGE_WIDTH, STYLES.heading),
      rows: section.rows.map(
        ([label, lines]) =>
          [
            fit(label, normal, LABEL_WIDTH, STYLES.body),
            lines.map((line) => fit(line, normal, LINE_WIDTH, STYLES.body)),
          ] as const,
      ),
    })),
    footer: footer.map((line) => fit(line, normal, PAGE_WIDTH, STYLES.footer)),
  }
  const signs = (one: PrintedDocument) => JSON.stringify(one).split(MISSING).length
  if (signs(shown) === signs(document)) return shown
  return {
    ...shown,
    footer: [...shown.footer, `${MISSING} stands for what the font of this print does not have.`],
  }
}

/** A row stays on one page unless it would fill most of one by itself: a page has 55 lines, of some 60 characters here. */
const isTall = (lines: readonly string[]): boolean =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 50)), 0) > 25

const FAMILY = 'DejaVu Sans'

const fontFile = (name: string): string => fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`))

const GREY = '#555555'

/** A4 within its margins, and the two columns of a row: in points. */
const MARGIN = 56
const PAGE_WIDTH = 595 - 2 * MARGIN
const LABEL = { width: 130, paddingRight: 10 }
const LABEL_WIDTH = LABEL.width - LABEL.paddingRight
const LINE_WIDTH = PAGE_WIDTH - LABEL.width

const STYLES = {
  page: { fontFamily: FAMILY, padding: MARGIN, color: '#1a1a1a' },
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
  label: { ...LABEL, color: GREY },
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
