import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { SubscriptionRow } from '../../invoice/follow-periods.ts'
import type { Trx } from '../../postgres/connect.ts'
import { given } from '../../postgres/given.ts'
import { grouped } from '../../postgres/grouped.ts'
import { insertRows } from '../../postgres/insert-rows.ts'
import { sqlTime } from '../../store/time.ts'

/** Writes how it stands now; of one that was seen again as it was, only when. */
export function saveSubscription(
  trx: Trx,
  known: SubscriptionRow | undefined,
  row: SubscriptionRow,
  now: Instant,
): Promise<void> {
  const isSame =
    known && isDeepStrictEqual({ ...known, createdAt: null, modifiedAt: now }, { ...row, createdAt: null })
  if (isSame) return noteSeen(trx, { id: row.id, at: now })
  return writeRow(trx, { row, now })
}

/** A row's columns but those that never change. */
const changing = [
  ...(['slot', 'planVersionId', 'currency', 'status', 'quantity', 'addons', 'discounts'] as const),
  ...(['itemNumbers', 'meteredItems'] as const),
  ...([
    'billingCycleAnchor',
    'currentPeriodStart',
    'currentPeriodEnd',
    'trialStart',
    'trialEnd',
    'cancelAt',
  ] as const),
  ...(['cancelAtPeriodEnd', 'canceledAt', 'endedAt', 'startedAt', 'collection'] as const),
  ...(['collectionResumesAt', 'pastDueSince', 'modifiedAt', 'unreadSchedule'] as const),
]
const putSubscriptions = insertRows(
  'subscription',
  ['id', 'customerId', 'createdAt', ...changing],
  sql`on conflict (id) do update set ${sql.join(
    changing.map((column) => sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`),
  )}`,
)

const writeRow = grouped(
  async (
    trx,
    all: readonly { readonly row: SubscriptionRow; readonly now: Instant }[],
  ): Promise<undefined[]> => {
    await putSubscriptions(trx, all.map(written))
    return all.map(() => undefined)
  },
)

function written({ row, now }: { readonly row: SubscriptionRow; readonly now: Instant }) {
  const time = (at: Instant | null) => (at === null ? null : sqlTime(at))
  return {
    ...row,
    createdAt: sqlTime(now),
    billingCycleAnchor: sqlTime(row.billingCycleAnchor),
    currentPeriodStart: sqlTime(row.currentPeriodStart),
    currentPeriodEnd: sqlTime(row.currentPeriodEnd),
    trialStart: time(row.trialStart),
    trialEnd: time(row.trialEnd),
    cancelAt: time(row.cancelAt),
    canceledAt: time(row.canceledAt),
    endedAt: time(row.endedAt),
    startedAt: sqlTime(row.startedAt),
    collectionResumesAt: time(row.collectionResumesAt),
    pastDueSince: time(row.pastDueSince),
    modifiedAt: time(row.modifiedAt),
  }
}

/** Seen again as it was. */
const noteSeen = grouped(
  async (trx, all: readonly { readonly id: string; readonly at: Instant }[]): Promise<undefined[]> => {
    await sql`
      update subscription set modified_at = seen.at
      from ${given(
        sql`unnest(${all.map(({ id }) => id)}::text[], ${all.map(({ at }) => sqlTime(at))}::timestamptz[])`,
        sql`seen (id, at)`,
      )} as seen
      where subscription.id = seen.id`.execute(trx)
    return all.map(() => undefined)
  },
)
