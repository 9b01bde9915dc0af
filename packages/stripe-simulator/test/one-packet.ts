import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/**
 * Makes the same customer by two requests under one key that arrive in one packet, so that no time passes between them. Answers what
 * each was told, from its status on.
 */
export async function makeTwiceAtOnce(
  port: number,
  { name, key }: { name: string; key: string },
): Promise<string[]> {
  const body = `name=${name}`
  const request = (connection: string) =>
    [
      'POST /v1/customers HTTP/1.1',
      'Host: 127.0.0.1',
      'Authorization: Bearer sk_test_simulator',
      `Idempotency-Key: ${key}`,
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
      `Connection: ${connection}`,
      '',
      body,
    ].join('\r\n')
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request('keep-alive') + request('close'))
  return (await text(socket)).split('HTTP/1.1 ').slice(1)
}
