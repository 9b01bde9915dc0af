import type { TestDatabase } from '../../../../test/support/database.ts'

/** A minute later Stripe is at work on no call any more whose connection broke: until then it may do one that is given up. */
export async function sentLongAgo({ pool }: TestDatabase, kind: string): Promise<void> {
  const { rowCount } = await pool.query(
    `update operation set prepared_at = prepared_at - interval '1 minute', repeated_at = repeated_at - interval '1 minute'
      where kind = $1 and state = 'unknown'`,
    [kind],
  )
  if (rowCount !== 1) throw new Error(`${rowCount} × ${kind} is of unknown outcome.`)
}
