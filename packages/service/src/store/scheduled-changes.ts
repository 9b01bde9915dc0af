import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import type { Row } from './schema.ts'

/** What a subscription will run on by a change that waits for its time. */
export type ScheduledChange = Pick<
  Row<'planChange'>,
  'subscriptionId' | 'planVersionId' | 'quantity' | 'addons' | 'itemNumbers' | 'coupons' | 'dueAt'
>

const scheduledOf = compiled((db, { subscriptionIds }: { readonly subscriptionIds: readonly string[] }) =>
  db
    .selectFrom('planChange')
    .select(['subscriptionId', 'planVersionId', 'quantity', 'addons', 'itemNumbers', 'coupons', 'dueAt'])
    .where(isOneOf('subscription_id', subscriptionIds))
    .where('state', '=', 'scheduled'),
)

export function scheduledChanges(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<readonly ScheduledChange[]> {
  return scheduledOf(db, { subscriptionIds })
}
