import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A program of ours in a process of its own: what a crash test can kill. */
export interface RunningProcess {
  readonly url: string
  /** SIGKILL: the process gets no chance to say good-bye. */
  kill(): Promise<void>
  /** SIGTERM, and wait. */
  stop(): Promise<void>
  /** Everything it wrote, for the message of a failing test. */
  output(): string
}

/** Below those that the system gives to whoever wants any port, or connects: none of them comes in before a program of ours. */
const PORTS = { first: 10_000, count: 22_400, ofEachProcess: 16 }
let asked = 0

/** A port that nobody has, and that no process of ours beside this one asks for. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + ((process.pid * PORTS.ofEachProcess + asked) % PORTS.count)
    asked += 1
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((settle, fail) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? settle(false) : fail(error),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => settle(true)))
  })
}

/** Of the run's environment only what a program cannot do without, and where compiled code is kept between two starts. */
function ownEnvironment(): Record<string, string | undefined> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
  return { PATH, HOME, NODE_COMPILE_CACHE }
}

/** Starts `entry` (a path from the repository's root) and waits until it accepts connections on `port`. */
export async function startProcess(
  entry: string,
  { port, args = [], env = {} }: { port: number; args?: readonly string[]; env?: Record<string, string> },
): Promise<RunningProcess> {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: root,
    env: { ...ownEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)

  await accepting(child, port, () => output)
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    url: `http://127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    output: () => output,
  }
}

/** Runs `entry` until it ends by itself: what a set-up that cannot work does. */
export async function runToEnd(
  entry: string,
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [entry], {
    cwd: root,
    env: { ...ownEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

async function accepting(child: ChildProcess, port: number, output: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The process ended before it listened on ${port}:\n${output()}`)
    if (await canConnect(port)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
