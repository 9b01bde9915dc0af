import { child } from '@lockstep/core/pointer'
import { type Fault, Problem } from '@lockstep/core/problem'
import type { z } from 'zod'
import { faultSentence } from './fault-sentence.ts'

/** The parts of a request, as they came. */
interface Raw {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

interface Schemas {
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
}

/**
 * Parses every part of a request, or refuses it with every fault of all of them. Pointers into the
 * body are `#/…`; a parameter of the query is `?name`, one of the path `:name`.
 */
export function validate(schemas: Schemas, raw: Raw): Raw {
  const faults: Fault[] = []
  const parse = (schema: z.ZodType | undefined, value: unknown, pointerOf: PointerOf) => {
    if (!schema) return undefined
    const parsed = schema.safeParse(value, { error: faultSentence })
    if (parsed.success) return parsed.data
    faults.push(...parsed.error.issues.flatMap((issue) => faultsOf(issue, value, pointerOf)))
    return undefined
  }
  const parsed: Raw = {
    params: parse(schemas.params, raw.params, (path) => `:${path.join('.')}`),
    query: parse(schemas.query, raw.query, (path) => `?${path.join('.')}`),
    body: parse(schemas.body, raw.body, (path) => child('#', ...path.map(String))),
  }
  if (faults.length === 0) return parsed
  const told = faults.filter(isStrictest)
  throw new Problem('invalid_request', countOf(told), { faults: told })
}

/** A number may break two bounds, the type's own and then ours; the last one says what is allowed. */
function isStrictest({ pointer, code }: Fault, index: number, all: readonly Fault[]): boolean {
  if (code !== 'too_big' && code !== 'too_small') return true
  return !all.slice(index + 1).some((other) => other.pointer === pointer && other.code === code)
}

type Path = readonly PropertyKey[]
type PointerOf = (path: string[]) => string

const countOf = (faults: readonly Fault[]) =>
  faults.length === 1 ? 'The request has a fault.' : `The request has ${faults.length} faults.`

function faultsOf(issue: z.core.$ZodIssue, value: unknown, pointerOf: PointerOf): Fault[] {
  const at = (path: Path) => pointerOf(path.map(String))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: at([...issue.path, key]),
      code: 'unknown_field',
      detail: 'There is no such field.',
    }))
  }
  if (issue.code === 'invalid_union') {
    // Of the shapes it could have had, the one it comes closest to says most.
    const closest = [...issue.errors].sort((a, b) => a.length - b.length)[0]
    if (closest && closest.length > 0) {
      return closest.flatMap((inner) =>
        faultsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, value, pointerOf),
      )
    }
  }
  // Of a key that may not be: its own reasons say more than that it may not.
  if (issue.code === 'invalid_key' && issue.issues.length > 0) {
    return issue.issues.flatMap((inner) =>
      faultsOf({ ...inner, path: issue.path } as z.core.$ZodIssue, value, pointerOf),
    )
  }
  if (isMissing(issue, value)) {
    const detail = issue.path.length === 0 ? 'A JSON body is required.' : 'This is required.'
    return [{ pointer: at(issue.path), code: 'required', detail }]
  }
  const ours: unknown = issue.code === 'custom' ? issue.params?.code : undefined
  const code = typeof ours === 'string' ? ours : (codes[issue.code] ?? issue.code)
  return [{ pointer: at(issue.path), code, detail: issue.message }]
}

/** Our words where the library's are about the library. */
const codes: Partial<Record<z.core.$ZodIssue['code'], string>> = {
  custom: 'invalid',
  invalid_union: 'invalid',
}

/** A union whose kind is not said lacks that field. */
function isMissing({ code, path }: z.core.$ZodIssue, value: unknown): boolean {
  return (code === 'invalid_type' || code === 'invalid_union') && valueAt(value, path) === undefined
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
}
