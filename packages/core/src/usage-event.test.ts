import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { formatQuantity, units } from './quantity.ts'
import { parseUsageEvent } from './usage-event.ts'

const good = {
  specversion: '1.0',
  id: 'r-1',
  source: '/web/1',
  type: 'compute_seconds',
  subject: 'user-42',
  time: '2026-01-31T09:30:00.25Z',
  data: { quantity: '0.1', region: 'eu' },
}

/** Pointer, code and sentence of each fault, one text each. */
const faultsOf = (value: unknown, pointer = '#') =>
  parseUsageEvent(value, pointer).faults.map((fault) => `${fault.pointer} ${fault.code}: ${fault.detail}`)

test('an event is read as it was meant', () => {
  expect(parseUsageEvent(good, '#')).toEqual({
    faults: [],
    event: {
      source: '/web/1',
      id: 'r-1',
      type: 'compute_seconds',
      subject: 'user-42',
      time: 1769851800,
      timeText: '2026-01-31T09:30:00.25Z',
      quantity: 100_000_000n,
      data: { quantity: '0.1', region: 'eu' },
    },
  })
})

test('a count needs no data, and counts once', () => {
  const { data: _, ...event } = good
  expect(parseUsageEvent(event, '#').event).toMatchObject({ quantity: units(1n), data: {} })
  expect(parseUsageEvent({ ...good, data: {} }, '#').event?.quantity).toBe(units(1n))
})

test('what CloudEvents lets producers add is let through', () => {
  const more = {
    datacontenttype: 'application/json; charset=utf-8',
    dataschema: 'https://a.example/s',
    traceparent: '00-1',
    sampled: true,
    n4: 4,
  }
  expect(faultsOf({ ...good, ...more })).toEqual([])
  expect(parseUsageEvent({ ...good, ...more }, '#').event).toEqual(parseUsageEvent(good, '#').event)
})

test.each([
  ['0', '0'],
  ['-0', '0'],
  ['1.50', '1.5'],
  ['0.000000001', '0.000000001'],
  ['999999999999999.999999999', '999999999999999.999999999'],
  [0, '0'],
  [-0, '0'],
  [12, '12'],
  [999_999_999_999_999, '999999999999999'],
  ['-1.50', '-1.5'],
  ['-0.000000001', '-0.000000001'],
  [-3, '-3'],
])('the quantity %j is %s', (quantity, expected) => {
  const { event, faults } = parseUsageEvent({ ...good, data: { quantity } }, '#')
  expect(faults).toEqual([])
  expect(formatQuantity(event?.quantity ?? -1n)).toBe(expected)
})

test.each([
  ['', 'The quantity is empty.'],
  [' 1', 'A quantity is written in plain digits, like 12 or 0.5: " 1" is not.'],
  ['1 ', 'A quantity is written in plain digits, like 12 or 0.5: "1 " is not.'],
  ['+1', 'A quantity is written in plain digits, like 12 or 0.5: "+1" is not.'],
  ['1,5', 'A quantity is written in plain digits, like 12 or 0.5: "1,5" is not.'],
  ['.5', 'A quantity is written in plain digits, like 12 or 0.5: ".5" is not.'],
  ['٣', 'A quantity is written in plain digits, like 12 or 0.5: "٣" is not.'],
  ['NaN', 'A quantity is written in plain digits, like 12 or 0.5: "NaN" is not.'],
  ['Infinity', 'A quantity is written in plain digits, like 12 or 0.5: "Infinity" is not.'],
  ['1\0', 'A quantity is written in plain digits, like 12 or 0.5: "1\\u0000" is not.'],
  ['0x10', 'A quantity is written in plain digits, like 12 or 0.5: "0x10" is not.'],
  ['1e3', 'A quantity has no exponent: "1e3". Write all its digits.'],
  ['1.5E+3', 'A quantity has no exponent: "1.5E+3". Write all its digits.'],
  ['007', 'A quantity has no leading zeros: "007".'],
  ['--1', 'A quantity is written in plain digits, like 12 or 0.5: "--1" is not.'],
  ['-1000000000000000', 'A quantity has at most 15 digits before the point: "-1000000000000000".'],
  ['1000000000000000', 'A quantity has at most 15 digits before the point: "1000000000000000".'],
  ['0.0000000001', 'A quantity has at most 9 digits after the point: "0.0000000001".'],
  ['9'.repeat(80), `A quantity has at most 15 digits before the point: "${'9'.repeat(40)}…".`],
  [0.1, 'A JSON number with a fraction is not exact. Send it as text: "0.1".'],
  [-0.1, 'A JSON number with a fraction is not exact. Send it as text: "-0.1".'],
  [-(2 ** 53), 'A JSON number over 9007199254740991 may have lost digits. Send it as text.'],
  [2 ** 53, 'A JSON number over 9007199254740991 may have lost digits. Send it as text.'],
  [2 ** 53 - 1, 'A quantity has at most 15 digits before the point: 9007199254740991.'],
  [1e300, 'A JSON number over 9007199254740991 may have lost digits. Send it as text.'],
  [Number.NaN, 'A quantity is a finite number, not NaN.'],
  [Number.POSITIVE_INFINITY, 'A quantity is a finite number, not Infinity.'],
  [null, 'A quantity is decimal text or a whole number, not null.'],
  [true, 'A quantity is decimal text or a whole number, not a boolean.'],
  [['1'], 'A quantity is decimal text or a whole number, not a list.'],
  [{}, 'A quantity is decimal text or a whole number, not an object.'],
])('the quantity %j is refused: %s', (quantity, detail) => {
  expect(faultsOf({ ...good, data: { quantity } }, '#/3')).toEqual([
    `#/3/data/quantity quantity_invalid: ${detail}`,
  ])
})

test('all faults are told at once, each where it is', () => {
  const faults = faultsOf(
    { specversion: '0.3', id: '', source: 7, time: 'yesterday', Type: 'requests', data: { quantity: '1e3' } },
    '#/7',
  )
  expect(faults).toEqual([
    '#/7/specversion invalid: The specversion is "1.0".',
    '#/7/source invalid: The source is text.',
    '#/7/id invalid: The id is empty.',
    '#/7/type required: An event needs its type.',
    '#/7/subject required: An event needs its subject.',
    '#/7/time invalid: A time is RFC 3339 with an offset, like 2026-01-31T09:30:00Z.',
    '#/7/data/quantity quantity_invalid: A quantity has no exponent: "1e3". Write all its digits.',
    '#/7/Type unknown_attribute: There is no such attribute; extension names are lower-case letters and digits.',
  ])
})

test.each([
  ['NUL', 'a\0'],
  ['a control character', 'a\u001b[31m'],
  ['half a surrogate pair', 'a\ud800'],
])('%s in an identifier is refused', (_name, text) => {
  for (const name of ['id', 'source', 'type', 'subject']) {
    expect(faultsOf({ ...good, [name]: text })).toEqual([
      `#/${name} invalid: The ${name} has characters that are not text.`,
    ])
  }
})

test('identifiers have at most 255 characters', () => {
  expect(faultsOf({ ...good, id: 'x'.repeat(255), source: 'ö'.repeat(255) })).toEqual([])
  expect(faultsOf({ ...good, id: 'x'.repeat(256) })).toEqual([
    '#/id too_long: The id has at most 255 characters.',
  ])
})

test('data is a short, flat object', () => {
  const dataFaults = (data: unknown) => faultsOf({ ...good, data }).map((text) => text.split(':')[0])
  expect(dataFaults({ note: 'x'.repeat(4085) })).toEqual([])
  expect(dataFaults({ note: 'x'.repeat(4086) })).toEqual(['#/data too_long'])
  // Two bytes a letter: 4,096 of 2,042 letters and the eleven characters around them.
  expect(dataFaults({ note: 'ö'.repeat(2042) })).toEqual([])
  expect(dataFaults({ note: 'ö'.repeat(2043) })).toEqual(['#/data too_long'])
  expect(dataFaults({ a: { b: 1 } })).toEqual(['#/data invalid'])
  expect(dataFaults({ a: [] })).toEqual(['#/data invalid'])
  expect(dataFaults({ a: 'x\0' })).toEqual(['#/data invalid'])
  expect(dataFaults({ 'a\ud800': 1 })).toEqual(['#/data invalid'])
  expect(dataFaults({ a: 'line\nbreak', b: null, c: true, d: 0.5 })).toEqual([])
  for (const data of [null, [], 'text', 7]) expect(dataFaults(data)).toEqual(['#/data invalid'])
})

test('what is no event at all has one fault', () => {
  for (const value of [null, undefined, 7, 'text', [], [good]]) {
    expect(faultsOf(value, '#/0')).toEqual(['#/0 invalid: A usage event is a JSON object.'])
  }
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, 1]))
  expect(faultsOf(many)).toEqual(['# too_long: A usage event has at most 64 attributes.'])
})

test('attributes that are misspelled, binary or of another type are refused', () => {
  const event = JSON.parse(`{"__proto__": 1, "data_base64": "AA==", "Time": 1, "trace": {}, "": 1}`)
  expect(
    faultsOf({ ...good, ...event, ['__proto__']: 1, datacontenttype: 'text/xml', dataschema: 1 }).map(
      (text) => text.split(':')[0],
    ),
  ).toEqual([
    '#/__proto__ unknown_attribute',
    '#/data_base64 unknown_attribute',
    '#/Time unknown_attribute',
    '#/trace invalid',
    '#/ unknown_attribute',
    '#/datacontenttype invalid',
    '#/dataschema invalid',
  ])
})

test('any JSON gets an event or faults, never an exception; the same again and again', () => {
  const almost = fc.record({
    ...Object.fromEntries(
      Object.entries(good).map(([name, value]) => [
        name,
        fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, fc.jsonValue()),
      ]),
    ),
  })
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), almost), (value) => {
      const parsed = parseUsageEvent(value, '#/0')
      const { event, faults } = parsed
      expect(event === undefined).toBe(faults.length > 0)
      for (const { pointer } of faults) expect(pointer).toMatch(/^#\/0/)
      expect(parseUsageEvent(JSON.parse(JSON.stringify(value)), '#/0')).toEqual(parsed)
    }),
    { numRuns: 300 },
  )
})

test('a text is read exactly when a model in plain digits reads it', () => {
  const texts = fc.oneof(
    fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.stringMatching(/^[0-9]{0,11}$/))
      .map(([whole, fraction]) => (fraction === '' ? `${whole}` : `${whole}.${fraction}`)),
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789.-+eE ٣NaIy')), maxLength: 8 }),
  )
  fc.assert(
    fc.property(texts, (quantity) => {
      const { event } = parseUsageEvent({ ...good, data: { quantity } }, '#')
      const sign = quantity.startsWith('-') ? -1n : 1n
      const [whole = '', fraction = '', ...rest] = quantity.replace(/^-/, '').split('.')
      const plain = (text: string) => Array.from(text).every((digit) => '0123456789'.includes(digit))
      const readable =
        plain(whole + fraction) &&
        rest.length === 0 &&
        whole !== '' &&
        (whole === '0' || !whole.startsWith('0')) &&
        whole.length <= 15 &&
        fraction.length <= 9 &&
        quantity.includes('.') === (fraction !== '')
      const expected = readable ? sign * BigInt(whole + fraction.padEnd(9, '0')) : undefined
      expect(event?.quantity).toBe(expected)
    }),
    { numRuns: 500 },
  )
})
