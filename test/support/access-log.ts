import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../../../shared/data/access.log', import.meta.url))

/** A real web server's log, in the Apache combined format, beside the checkout; absent elsewhere. */
export const accessLogIsPresent = existsSync(file)

export interface Request {
  /** Counted from 1: the only identity a line has, since some lines stand twice. */
  readonly line: number
  readonly client: string
  /** RFC 3339. */
  readonly time: string
  readonly bytes: bigint
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const pattern = /^(\S+) \S+ \S+ \[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) \+0000\] ".*?" \d{3} (\d+|-)/

export function readAccessLog(): Request[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((text, index) => {
    const match = pattern.exec(text)
    if (match === null) throw new Error(`Line ${index + 1} is not in the combined format: ${text}`)
    const [, client = '', day, month = '', year, clock, bytes = '-'] = match
    const monthNumber = String(months.indexOf(month) + 1).padStart(2, '0')
    return {
      line: index + 1,
      client,
      time: `${year}-${monthNumber}-${day}T${clock}Z`,
      bytes: bytes === '-' ? 0n : BigInt(bytes),
    }
  })
}

export interface Account {
  readonly name: string
  readonly requests: readonly Request[]
  readonly bytes: bigint
}

/** The busiest client addresses as accounts of their own, busiest first, and all others together as one. */
export function accountsOf(log: readonly Request[], busiest: number): Account[] {
  const byClient = Map.groupBy(log, ({ client }) => client)
  const ranked = [...byClient].sort(([, a], [, b]) => b.length - a.length)
  const others = ranked.slice(busiest).flatMap(([, requests]) => requests)
  return [...ranked.slice(0, busiest), ['others', others] as const].map(([name, requests]) => ({
    name,
    requests,
    bytes: requests.reduce((sum, { bytes }) => sum + bytes, 0n),
  }))
}
