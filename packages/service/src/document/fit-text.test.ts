import { expect, test } from 'vitest'
import { breakable, type Glyphs, legible } from './fit-text.ts'

/** A font of Latin letters, all of them half as wide as they are high. */
const latin: Glyphs = { has: (one) => one < 0x250, width: () => 0.5 }

test.each([
  ['Ada Lovelace', 'Ada Lovelace'],
  ['東京 太郎', '□□ □□'],
  // One person at one computer: three code points, one character.
  ['Ada 👩‍💻', 'Ada □'],
  ['one\ntwo', 'one\ntwo'],
])('%s is printed as %s', (text, printed) => {
  expect(legible(text, latin)).toBe(printed)
})

test.each([
  ['ten letters', 'ten letters'],
  ['abcdefghijklmnop@example.org', 'abcdefghij\nklmnop@exa\nmple.org'],
  ['to abcdefghijk', 'to abcdefghij\nk'],
  ['abcdefghij\nabcdefghij', 'abcdefghij\nabcdefghij'],
])('%s on lines of ten letters', (text, lines) => {
  expect(breakable(text, latin, 5)).toBe(lines)
})
