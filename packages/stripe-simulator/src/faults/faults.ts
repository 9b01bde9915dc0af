import { type Random, seededRandom } from '../random.ts'
import { type Fault, type FaultTarget, faultOf, targetOf } from './fault.ts'

interface Armed {
  readonly fault: Fault
  readonly target: FaultTarget
  readonly path: RegExp
  readonly event: RegExp
  /** Its own numbers: what else goes wrong does not move them. */
  readonly random: Random
  skip: number
  left: number
}

/** A fault that strikes, with numbers for what else it has to draw. */
export interface Strike {
  readonly fault: Fault
  readonly random: Random
}

/** One of whatever may go wrong. */
interface Happening {
  readonly method?: string
  /** Null without a request. */
  readonly path: string | null
  readonly event?: string
}

/** The queue of faults. The first armed one that matches, and whose draw falls on it, is used up. */
export class Faults {
  readonly #seeds: Random
  #armed: Armed[] = []

  constructor(seed?: number) {
    this.#seeds = seededRandom(seed)
  }

  add(given: Fault): void {
    const fault = faultOf(given)
    const { kind, path, event, times, skip = 0, probability } = fault
    const seed = fault.seed ?? Math.floor(this.#seeds() * 2 ** 31)
    this.#armed.push({
      fault: probability === undefined ? fault : { ...fault, seed },
      target: targetOf(kind),
      path: patternOf(path),
      event: patternOf(event),
      random: seededRandom(seed),
      skip,
      left: times ?? (probability === undefined ? 1 : Number.POSITIVE_INFINITY),
    })
  }

  clear(): void {
    this.#armed = []
  }

  /** What is still armed, with what is left of it. */
  list(): Fault[] {
    return this.#armed.map(({ fault, left, skip }) => ({
      ...fault,
      ...(Number.isFinite(left) ? { times: left } : {}),
      skip,
    }))
  }

  /** What goes wrong with a request. */
  take(method: string, path: string): Fault | undefined {
    return this.#take('request', { method, path })?.fault
  }

  /** What goes wrong with an attempt to charge. A holder who has just proved himself is not asked again. */
  takeCharge(path: string | null, authenticated: boolean): Fault | undefined {
    return this.#take('charge', { path }, (fault) => !(authenticated && fault.kind === 'challenge'))?.fault
  }

  /** What goes wrong with one attempt to deliver an event. */
  takeDelivery(event: string, endpoint: string): Strike | undefined {
    return this.#take('delivery', { event, path: pathOf(endpoint) })
  }

  #take(
    target: FaultTarget,
    happening: Happening,
    may: (fault: Fault) => boolean = () => true,
  ): Strike | undefined {
    // Usually nothing is armed, and this is asked at every request.
    if (this.#armed.length === 0) return undefined
    const found = this.#armed.find(
      (armed) => armed.target === target && matches(armed, happening) && may(armed.fault) && strikes(armed),
    )
    if (found === undefined) return undefined
    found.left--
    if (found.left <= 0) this.#armed = this.#armed.filter((armed) => armed !== found)
    return found
  }
}

function matches({ fault, path, event }: Armed, happening: Happening): boolean {
  if (fault.method !== undefined && fault.method !== happening.method) return false
  if (fault.event !== undefined && !event.test(happening.event ?? '')) return false
  return fault.path === undefined || (happening.path !== null && path.test(happening.path))
}

/** Passes those that are to be skipped, and those that the draw spares. */
function strikes(armed: Armed): boolean {
  if (armed.skip > 0) {
    armed.skip--
    return false
  }
  return armed.fault.probability === undefined || armed.random() < armed.fault.probability
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url
}

/** `*` stands for any text. */
function patternOf(text = '*'): RegExp {
  return new RegExp(`^${text.split('*').map(escaped).join('.*')}$`)
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
}
