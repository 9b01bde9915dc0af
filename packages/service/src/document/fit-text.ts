/** What a font knows of a character. */
export interface Glyphs {
  has(codePoint: number): boolean
  /** How wide it is set, in parts of the font's size. */
  width(codePoint: number): number
}

/** Stands for what the font has no letter for. */
export const MISSING = '□'

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** A text in which every character that the font does not have is a sign of its own, which can be told from letters. */
export function legible(text: string, font: Glyphs): string {
  return pieces(text)
    .map((piece) => (codePoints(piece).every((one) => one === LINE_FEED || font.has(one)) ? piece : MISSING))
    .join('')
}

/**
 * Breaks words that are wider than a line, as addresses and digests may be: where the line ends, and without a hyphen, which
 * would read as a part of them. `width` is in parts of the font's size.
 */
export function breakable(text: string, font: Glyphs, width: number): string {
  let used = 0
  return pieces(text)
    .map((piece) => {
      const own = codePoints(piece).reduce((sum, one) => sum + font.width(one), 0)
      const begins = /\s/.test(piece)
      const isFull = !begins && used > 0 && used + own > width
      used = begins ? 0 : isFull ? own : used + own
      return isFull ? `\n${piece}` : piece
    })
    .join('')
}

const LINE_FEED = 10
const pieces = (text: string) => [...characters.segment(text)].map(({ segment }) => segment)
const codePoints = (piece: string) => Array.from(piece, (one) => one.codePointAt(0) ?? 0)
