import { once } from 'node:events'
import { connect } from 'node:net'

export interface Sent {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly form?: string
  readonly headers?: string
}

/**
 * A kept-alive connection that does one request at a time with as little work as can be: on a machine of
 * two cores a client that parses everything would be measured instead of the server.
 */
export async function openConnection(url: string) {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  let buffered: Buffer = Buffer.alloc(0)
  let waiting: { resolve: (body: string) => void; reject: (error: Error) => void } | undefined

  socket.on('error', (error) => waiting?.reject(error))
  socket.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    const end = buffered.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = buffered.subarray(0, end).toString('latin1')
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    if (buffered.length < end + 4 + length) return
    const body = buffered.subarray(end + 4).toString()
    buffered = Buffer.alloc(0)
    if (head.startsWith('HTTP/1.1 200')) waiting?.resolve(body)
    else waiting?.reject(new Error(`${head}\n${body}`))
  })
  return {
    send({ method, path, form = '', headers = '' }: Sent): Promise<string> {
      const body =
        method === 'GET'
          ? '\r\n'
          : `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${Buffer.byteLength(form)}\r\n\r\n${form}`
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${headers}${body}`)
      })
    },
    close: () => socket.destroy(),
  }
}
