import type { Raw } from './schema.ts'

type Fields = { [key: string]: Raw }

/** Brackets deeper than this are one name: no parameter of Stripe's is that deep. */
const DEPTH_MAX = 10

/**
 * Reads `application/x-www-form-urlencoded` with bracket paths; lists indexed in any order
 * (`items[0][price]=p`) or appended to (`expand[]=customer`). https://docs.stripe.com/api
 */
export function parseForm(text: string): Fields {
  const form: Fields = {}
  let nested = false
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=')
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals))
    if (name === '') continue
    const value = equals < 0 ? '' : decoded(pair.slice(equals + 1))
    const bracket = name.indexOf('[')
    if (bracket > 0) {
      putInside(form, stepsOf(name, bracket), value)
      nested = true
    } else put(form, name, value)
  }
  if (nested) for (const name of Object.keys(form)) form[name] = withLists(form[name] as Raw)
  return form
}

/** `items[0][price]` is `items`, `0`, `price`. */
function stepsOf(name: string, first: number): string[] {
  const steps = [name.slice(0, first)]
  let open = first
  while (name[open] === '[' && steps.length < DEPTH_MAX) {
    const close = name.indexOf(']', open)
    if (close < 0) break
    steps.push(name.slice(open + 1, close))
    open = close + 1
  }
  if (open < name.length) steps.push(name.slice(open))
  return steps
}

/** Until everything is read a list is an object with numbers for names. */
function putInside(form: Fields, steps: readonly string[], value: string): void {
  let at = form
  const last = steps.length - 1
  for (let i = 0; i < last; i++) {
    const name = nameIn(at, steps[i] as string, steps[i + 1])
    const known = Object.hasOwn(at, name) ? at[name] : undefined
    if (typeof known === 'object' && !Array.isArray(known)) at = known
    else {
      const inner: Fields = {}
      put(at, name, inner)
      at = inner
    }
  }
  put(at, nameIn(at, steps[last] as string), value)
}

/** Empty brackets append. `items[][price]=p&items[][quantity]=2` goes on with an item until a name comes again. */
function nameIn(at: Fields, step: string, next?: string): string {
  if (step !== '') return step
  const count = Object.keys(at).length
  const last = at[count - 1]
  const goesOn = next !== undefined && next !== '' && typeof last === 'object' && !Object.hasOwn(last, next)
  return String(goesOn ? count - 1 : count)
}

function put(at: Fields, name: string, value: Raw): void {
  // An assignment to it would change what the object is.
  if (name === '__proto__') return
  // What is sent twice is a list, which a single value may not be.
  at[name] = Object.hasOwn(at, name) ? [at[name] as Raw, value].flat() : value
}

function withLists(value: Raw): Raw {
  if (typeof value === 'string' || Array.isArray(value)) return value
  const names = Object.keys(value)
  for (const name of names) value[name] = withLists(value[name] as Raw)
  const listed = names.length > 0 && names.every((name) => /^\d+$/.test(name))
  return listed ? Object.values(value) : value
}

/** What is no valid encoding means itself. */
function decoded(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

export function queryOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

export function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}
