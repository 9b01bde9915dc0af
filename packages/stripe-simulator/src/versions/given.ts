import { gap, invalid, StripeError } from '../errors.ts'
import type { Raw } from '../http/schema.ts'
import type { World } from '../world.ts'

type Fields = { [key: string]: Raw }

/**
 * The parameters of a request on their way from an older version to the newest. They are named by their
 * bracket paths; what is moved is remembered, so that a refusal names what the caller sent.
 */
export class Given {
  readonly fields: Fields
  readonly world: World
  readonly #sent: [moved: string, sent: string][] = []

  constructor(fields: Fields, world: World) {
    this.fields = fields
    this.world = world
  }

  get(path: string): Raw | undefined {
    let at: Raw | undefined = this.fields
    for (const step of stepsOf(path)) {
      if (typeof at !== 'object') return undefined
      at = (at as Fields)[step]
    }
    return at
  }

  set(path: string, value: Raw): void {
    const steps = stepsOf(path)
    const last = steps.pop() as string
    let at: Fields = this.fields
    for (const step of steps) {
      const inner = at[step]
      // A list under construction is an object with numbers for keys, as the form encoding has it.
      if (typeof inner !== 'object') at[step] = {}
      at = at[step] as Fields
    }
    at[last] = value
  }

  take(path: string): Raw | undefined {
    const value = this.get(path)
    if (value === undefined) return undefined
    const steps = stepsOf(path)
    const last = steps.pop() as string
    const owner = steps.reduce<Raw>((at, step) => (at as Fields)[step] as Raw, this.fields)
    delete (owner as Fields)[last]
    return value
  }

  /** Gives a parameter its newer name, and sometimes another value. */
  move(from: string, to: string, turn: (value: Raw) => Raw = (value) => value): void {
    const value = this.take(from)
    if (value === undefined) return
    this.set(to, turn(value))
    this.#sent.unshift([to, from])
  }

  /** The paths of a list's entries: `phases[0]`, `phases[1]`. */
  entries(path: string): string[] {
    const list = this.get(path)
    return typeof list === 'object' ? Object.keys(list).map((key) => `${path}[${key}]`) : []
  }

  /** Refuses what the older version did not know yet; `lines[][pricing]` is that of any line. */
  refuse(path: string): void {
    const [list, ...inner] = path.split('[]')
    if (list !== undefined && inner.length > 0) {
      for (const entry of this.entries(list)) this.refuse(`${entry}${inner.join('[]')}`)
      return
    }
    if (this.get(path) === undefined) return
    throw invalid(`Received unknown parameter: ${path}`, path, 'parameter_unknown')
  }

  /** Refuses what the older version knew and the simulator does not do. */
  miss(path: string): void {
    if (this.get(path) !== undefined) throw gap(`the parameter ${path} of older versions`, path)
  }

  /** Lets a refusal name the parameter as the caller sent it. */
  blame(error: unknown): void {
    if (!(error instanceof StripeError) || error.body.param === undefined) return
    const { param } = error.body
    const found = this.#sent.find(([moved]) => param === moved || param.startsWith(`${moved}[`))
    if (found !== undefined) error.body.param = found[1] + param.slice(found[0].length)
  }
}

/** `discounts[0][coupon]` is discounts, 0, coupon. */
function stepsOf(path: string): string[] {
  return path.split(/[[\]]+/).filter((step) => step !== '')
}
