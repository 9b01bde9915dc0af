/**
 * Postgres' Bind message, in pieces: it gives a prepared statement its parameters, texts as they are
 * and buffers in binary, and asks for rows as text. The driver's own way copies every parameter three
 * times, which with hundreds of kilobytes is more work for the collector than for the wire.
 *
 * https://www.postgresql.org/docs/18/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-BIND
 */
export function bindMessage(statement: string, values: readonly (string | Buffer)[]): Buffer[] {
  const parameters = values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value))
  const name = Buffer.from(statement)
  const headBytes = 5 + 1 + name.length + 1 + 2 + 2 * values.length + 2
  const bytes = parameters.reduce((sum, { length }) => sum + 4 + length, headBytes + TAIL.length)

  const head = Buffer.alloc(headBytes)
  head.write('B', 0)
  // The length counts itself, but not the letter before it.
  head.writeInt32BE(bytes - 1, 1)
  // The portal has no name, so behind its zero the statement's begins.
  name.copy(head, 6)
  let at = 6 + name.length + 1
  at = head.writeInt16BE(values.length, at)
  for (const value of values) at = head.writeInt16BE(typeof value === 'string' ? 0 : 1, at)
  head.writeInt16BE(values.length, at)
  return [head, ...parameters.flatMap((parameter) => [int32(parameter.length), parameter]), TAIL]
}

/** One format for all columns of the answer: text. */
const TAIL = Buffer.from([0, 1, 0, 0])

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}
