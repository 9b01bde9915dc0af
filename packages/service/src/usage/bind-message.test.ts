import { expect, test } from 'vitest'
import { bindMessage } from './bind-message.ts'

// By hand from https://www.postgresql.org/docs/18/protocol-message-formats.html: B, length, portal, statement,
// formats of the parameters (0 text, 1 binary), parameters behind their lengths, format of the answer.
test('a statement gets its parameters as Postgres reads them', () => {
  const message = Buffer.concat(bindMessage('ab', ['ö', Buffer.from('0102ff', 'hex'), '']))
  expect(message.toString('hex')).toBe(
    [
      '42 00000027 00 616200',
      '0003 0000 0001 0000',
      '0003 00000002 c3b6 00000003 0102ff 00000000',
      '0001 0000',
    ]
      .join('')
      .replaceAll(' ', ''),
  )
  expect(message.length).toBe(0x27 + 1)
  expect(Buffer.concat(bindMessage('c', [])).toString('hex')).toBe('420000000f00630000000000' + '00010000')
})
