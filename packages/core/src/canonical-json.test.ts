import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { type Canonical, canonicalJson } from './canonical-json.ts'

// https://www.rfc-editor.org/rfc/rfc8785#section-3.2.3: the order is that of UTF-16 code units.
test('names are sorted as in the example of RFC 8785', () => {
  const text = canonicalJson({
    '€': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '😀': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    ö: 'Latin Small Letter O With Diaeresis',
  })
  expect([...text.matchAll(/:"([^"]+)"/g)].map(([, value]) => value)).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

// https://www.rfc-editor.org/rfc/rfc8785#section-3.2.2, its text and literals.
test('text and literals are written as in RFC 8785', () => {
  expect(canonicalJson({ string: '€$\u000f\nA\'B"\\\\"/', literals: [null, true, false] })).toBe(
    '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('the same value has the same text, in whatever order it was written', () => {
  const values = fc.letrec<{ value: Canonical }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('value')),
      fc.dictionary(fc.string(), tie('value'), { noNullPrototype: true }),
    ),
  })).value
  const turned = (value: Canonical): Canonical => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(turned)
    return Object.fromEntries(
      Object.entries(value as object)
        .reverse()
        .map(([name, member]) => [name, turned(member as Canonical)]),
    )
  }
  fc.assert(
    fc.property(values, (value) => {
      const text = canonicalJson(value)
      expect(canonicalJson(turned(value))).toBe(text)
      expect(canonicalJson(JSON.parse(text) as Canonical)).toBe(text)
    }),
  )
})

test.each([[0.5], [2 ** 53], [Number.NaN], ['\ud800'], [{ a: undefined }], [undefined]])(
  'what could be written in two ways is refused: %s',
  (value) => {
    expect(() => canonicalJson(value as Canonical)).toThrow()
  },
)
