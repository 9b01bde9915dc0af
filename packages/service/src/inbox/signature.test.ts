import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { signedBy } from './signature.ts'

const at = 1_700_000_000
const secret = 'whsec_example'
const body = Buffer.from('{"id":"evt_1"}')
// Published vector, not computed here.
const vector = '2f6f24854ba5c8d505c37e6fc0a06fc74456f1a4042208e7acdd4bd0bdbd599e'
const sign = (key: string, t = at, bytes = body) =>
  createHmac('sha256', key).update(`${t}.`).update(bytes).digest('hex')

test.each<[string, string | undefined, number, number]>([
  ['the published vector', `t=${at},v1=${vector}`, at, 0],
  ['300 s late', `t=${at},v1=${vector}`, at + 300, 0],
  ['301 s late', `t=${at},v1=${vector}`, at + 301, -1],
  ['300 s early', `t=${at},v1=${vector}`, at - 300, 0],
  ['301 s early', `t=${at},v1=${vector}`, at - 301, -1],
  ['no header', undefined, at, -1],
  ['an empty header', '', at, -1],
  ['no time', `v1=${vector}`, at, -1],
  ['two times', `t=${at},t=${at},v1=${vector}`, at, -1],
  ['a time that is no number', `t=now,v1=${vector}`, at, -1],
  ['another time than the one signed', `t=${at + 1},v1=${vector}`, at, -1],
  ['v0 only', `t=${at},v0=${vector}`, at, -1],
  ['v0 beside v1', `t=${at},v1=${vector},v0=00`, at, 0],
  ['a wrong secret', `t=${at},v1=${sign('whsec_other')}`, at, -1],
  ['the second secret', `t=${at},v1=${sign('whsec_second')}`, at, 1],
  ['rotation: both signed', `t=${at},v1=${sign('whsec_gone')},v1=${vector}`, at, 0],
  ['a shorter signature', `t=${at},v1=${vector.slice(2)}`, at, -1],
  ['upper case', `t=${at},v1=${vector.toUpperCase()}`, at, -1],
  ['1,000 signatures', `t=${at}${`,v1=${vector}`.repeat(1000)}`, at, -1],
])('%s', (_name, header, now, secretIndex) => {
  expect(signedBy([secret, 'whsec_second'], body, header, now)).toBe(secretIndex)
})

test('the same JSON in other bytes is not what was signed', () => {
  const spaced = Buffer.from('{"id": "evt_1"}')
  const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body])
  expect(signedBy([secret], spaced, `t=${at},v1=${vector}`, at)).toBe(-1)
  expect(signedBy([secret], marked, `t=${at},v1=${vector}`, at)).toBe(-1)
})
