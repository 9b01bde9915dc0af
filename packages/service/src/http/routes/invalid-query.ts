import { Problem } from '@lockstep/core/problem'

/** A parameter of the address that cannot be. */
export function invalidQuery(name: string, code: string, detail: string): Problem {
  return new Problem('invalid_request', detail, { faults: [{ pointer: `?${name}`, code, detail }] })
}
