/** Keys and webhook secrets by their prefix, and the tail of a client secret. */
const SECRET = /\b(whsec|sk|rk|ek)_(?:test_|live_)?\w{4,}|_secret_\w+/g

/** A text without its secrets: what kind each was stays to be seen. */
export function masked(text: string): string {
  return text.replace(SECRET, (found, prefix: string | undefined) =>
    prefix === undefined ? '_secret_…' : `${prefix}_${found.includes('_test_') ? 'test_' : ''}…`,
  )
}
