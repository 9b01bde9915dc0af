import pg from 'pg'

/**
 * A timestamptz as Postgres writes it, in whole seconds: `2026-01-31 09:30:00.25+00` → its Instant.
 * The fraction is dropped, which is rounding down because Postgres counts it upwards.
 */
export function instantOf(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === '-infinity') return Number.NEGATIVE_INFINITY
  const parts = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?([+-]\d\d)(:\d\d)?$/.exec(text)
  const at = parts ? Date.parse(`${parts[1]}T${parts[2]}${parts[3]}${parts[4] ?? ':00'}`) : Number.NaN
  if (Number.isNaN(at)) throw new Error(`Postgres sent a time that is not understood: ${text}`)
  return at / 1000
}

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
