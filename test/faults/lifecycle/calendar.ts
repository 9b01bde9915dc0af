export const HOUR = 3600
export const DAY = 86_400

/** The same day of another month, or its last. */
export function months(anchor: number, count: number): number {
  const at = new Date(anchor * 1000)
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + count + 1, 0)).getUTCDate()
  const day = Math.min(at.getUTCDate(), last)
  const midnight = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + count, day) / 1000
  return midnight + (anchor % DAY)
}
