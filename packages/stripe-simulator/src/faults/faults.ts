import { invalid } from '../errors.ts'

const faultKinds = [
  'error_500',
  'error_500_stored',
  'rate_limit',
  'lock_timeout',
  'timeout_before_commit',
  'timeout_after_commit',
  'truncated',
  'slow',
] as const

type FaultKind = (typeof faultKinds)[number]

/** What shall go wrong with the next requests that match. */
export interface Fault {
  readonly kind: FaultKind
  /** Absent matches every method. */
  readonly method?: string | undefined
  /** A path, `*` standing for any text: `/v1/invoices/*`. Absent matches every path. */
  readonly path?: string | undefined
  /** How many matching requests fail; 1 unless told. */
  readonly times?: number | undefined
  /** How many matching requests pass before the first failure. */
  readonly skip?: number | undefined
  /** Milliseconds that `slow` waits before the request runs. */
  readonly ms?: number | undefined
}

interface Armed {
  readonly fault: Fault
  readonly pattern: RegExp
  skip: number
  left: number
}

/** The queue of faults. The first armed one that matches a request is used up by it. */
export class Faults {
  readonly #armed: Armed[] = []

  add(fault: Fault): void {
    if (!faultKinds.includes(fault.kind))
      throw invalid(`kind must be one of ${faultKinds.join(', ')}`, 'kind')
    const pattern = (fault.path ?? '*').split('*').map(escaped).join('.*')
    this.#armed.push({
      fault,
      pattern: new RegExp(`^${pattern}$`),
      skip: fault.skip ?? 0,
      left: fault.times ?? 1,
    })
  }

  clear(): void {
    this.#armed.length = 0
  }

  list(): Fault[] {
    return this.#armed.map(({ fault, left, skip }) => ({ ...fault, times: left, skip }))
  }

  take(method: string, path: string): Fault | undefined {
    for (const [i, armed] of this.#armed.entries()) {
      if (armed.fault.method !== undefined && armed.fault.method !== method) continue
      if (!armed.pattern.test(path)) continue
      if (armed.skip > 0) {
        armed.skip--
        continue
      }
      armed.left--
      if (armed.left <= 0) this.#armed.splice(i, 1)
      return armed.fault
    }
    return undefined
  }
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
}
