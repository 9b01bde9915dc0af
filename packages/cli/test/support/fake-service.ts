import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

interface Asked {
  readonly request: string
  readonly key: string | undefined
  readonly body: unknown
}

type Answers = Record<string, { status?: number; body: unknown }>

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A service of which the test says what it answers, over a real socket: the CLI is a process of its own. */
export async function newFakeService() {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-cli-'))
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const fake = {
    url,
    /** Where the CLI runs. */
    folder,
    /** By method and path. What is not here does not exist. */
    answers: {} as Answers,
    asked: [] as Asked[],
    run(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
      const given = { PATH: process.env.PATH, LOCKSTEP_URL: url, NO_COLOR: '1', ...env }
      return new Promise((resolve) => {
        execFile(process.execPath, [main, ...args], { cwd: folder, env: given }, (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
        })
      })
    },
    close: () => server.close(),
  }
  return fake

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    const address = `${request.method} ${request.url}`
    fake.asked.push({ request: address, key: request.headers.authorization, body: text && JSON.parse(text) })
    const { status = 200, body } = fake.answers[address] ?? { status: 404, body: notFound(address) }
    const isFile = body instanceof Uint8Array
    response.writeHead(status, { 'content-type': isFile ? 'application/pdf' : 'application/json' })
    response.end(isFile ? body : JSON.stringify(body))
  }
}

const notFound = (detail: string) => ({
  type: 'https://x/route_not_found',
  title: 'There is no such address.',
  status: 404,
  code: 'route_not_found',
  detail,
})

export const page = (...data: unknown[]) => ({ body: { data, hasMore: false, nextCursor: null } })
