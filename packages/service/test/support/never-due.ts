/** A schedule whose next round is months away, whenever a test runs: it says itself when there is one. */
export function neverDue(): string {
  const month = ((new Date().getUTCMonth() + 6) % 12) + 1
  return `0 0 1 ${month} *`
}
