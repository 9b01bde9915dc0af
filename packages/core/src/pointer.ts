/**
 * Appends reference tokens to a JSON Pointer in URI fragment form (RFC 6901, section 6):
 * `child('#/plans', 'cloud-host', 'name')` is `#/plans/cloud-host/name`.
 */
export function child(pointer: string, ...tokens: readonly (string | number)[]): string {
  return [pointer, ...tokens.map(escapeToken)].join('/')
}

function escapeToken(token: string | number): string {
  const escaped = String(token).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')
  return encodeURIComponent(escaped)
}
