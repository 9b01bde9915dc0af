import pg from 'pg'

/**
 * A timestamptz as Postgres writes it, in whole seconds: `2026-01-31 09:30:00.25+00` → its Instant.
 * The fraction is dropped, which is rounding down because Postgres counts it upwards.
 */
export function instantOf(text: string): number {
  if (USUAL.test(text)) {
    // Its shape is known, so every part has its place: there is no need to take the text apart.
    const [year, month, day] = [
      100 * twoDigits(text, 0) + twoDigits(text, 2),
      twoDigits(text, 5),
      twoDigits(text, 8),
    ]
    const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)]
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
  }
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === '-infinity') return Number.NEGATIVE_INFINITY
  const parts = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?([+-]\d\d)(:\d\d)?$/.exec(text)
  const at = parts ? Date.parse(`${parts[1]}T${parts[2]}${parts[3]}${parts[4] ?? ':00'}`) : Number.NaN
  if (Number.isNaN(at)) throw new Error(`Postgres sent a time that is not understood: ${text}`)
  return at / 1000
}

/** In UTC, as our connections have it. Of the years before 1000 Date.UTC takes some for others. */
const USUAL = /^[1-9]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00$/

const twoDigits = (text: string, at: number) => 10 * text.charCodeAt(at) + text.charCodeAt(at + 1) - 528

/**
 * timestamptz → Instant, int8 → bigint; numeric stays text, so that no quantity becomes a float.
 * Everything else as `pg` does it. Per connection: the driver's global table is not ours to change.
 */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary') {
      if (oid === pg.types.builtins.TIMESTAMPTZ) return instantOf
      if (oid === pg.types.builtins.INT8) return BigInt
    }
    return pg.types.getTypeParser(oid, format)
  },
}
