import { inflateSync } from 'node:zlib'

/**
 * What a reader sees in a PDF, page after page, without its blanks: where a line breaks is the layout's business.
 * Reads what the file itself says, as a viewer would: the glyphs that each page draws, and by each font's `ToUnicode`
 * table (ISO 32000-1, 9.10.3) the characters that they stand for.
 */
export function textOfPdf(pdf: Uint8Array): string {
  const objects = objectsOf(Buffer.from(pdf))
  const fonts = new Map<string, ReadonlyMap<string, string>>()
  for (const { head } of objects.values()) {
    for (const [, name = '', id = ''] of head.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
      const table = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id)?.head ?? '')?.[1]
      if (table !== undefined) fonts.set(name, charactersOf(objects.get(table)?.stream ?? ''))
    }
  }
  const pages = [...objects.values()].flatMap(({ head }) => {
    const content = /\/Type \/Page\b/.test(head) ? /\/Contents (\d+) 0 R/.exec(head)?.[1] : undefined
    return content === undefined ? [] : [drawn(objects.get(content)?.stream ?? '', fonts)]
  })
  return pages.join('').replaceAll(/\s/g, '')
}

interface PdfObject {
  readonly head: string
  readonly stream: string
}

function objectsOf(file: Buffer): ReadonlyMap<string, PdfObject> {
  const text = file.toString('latin1')
  const objects = new Map<string, PdfObject>()
  for (const match of text.matchAll(/(\d+) 0 obj\s(.*?)(?:endobj|stream\r?\n)/gs)) {
    const [whole, id = '', head = ''] = match
    const length = /\/Length (\d+)/.exec(head)?.[1]
    const start = match.index + whole.length
    const packed = whole.endsWith('endobj') ? undefined : file.subarray(start, start + Number(length))
    objects.set(id, { head, stream: packed ? unpacked(head, packed) : '' })
  }
  return objects
}

const unpacked = (head: string, packed: Buffer) =>
  (head.includes('/FlateDecode') ? inflateSync(packed) : packed).toString('latin1')

/** By glyph, four hexadecimal digits each: `<0000> <0002> [<0041> <0042> <00660069>]`. */
function charactersOf(table: string): ReadonlyMap<string, string> {
  const characters = new Map<string, string>()
  for (const [, first = '', list = ''] of table.matchAll(/<([0-9a-f]{4})> <[0-9a-f]{4}> \[(.*?)\]/gis)) {
    const codes = [...list.matchAll(/<([0-9a-f ]*)>/gi)].map(([, hex = '']) => hex.replaceAll(' ', ''))
    codes.forEach((hex, i) => {
      const glyph = (Number.parseInt(first, 16) + i).toString(16).padStart(4, '0')
      characters.set(glyph, Buffer.from(hex, 'hex').swap16().toString('utf16le'))
    })
  }
  return characters
}

function drawn(content: string, fonts: ReadonlyMap<string, ReadonlyMap<string, string>>): string {
  let font: ReadonlyMap<string, string> = new Map()
  let text = ''
  for (const [, name, run] of content.matchAll(/\/(F\d+) [\d.]+ Tf|(\[[^\]]*\]|<[0-9a-f]*>) T[jJ]/gi)) {
    if (name !== undefined) font = fonts.get(name) ?? new Map()
    for (const [, hex = ''] of (run ?? '').matchAll(/<([0-9a-f]*)>/gi))
      for (const glyph of hex.match(/.{4}/g) ?? []) text += font.get(glyph.toLowerCase()) ?? '\uFFFD'
  }
  return text
}
