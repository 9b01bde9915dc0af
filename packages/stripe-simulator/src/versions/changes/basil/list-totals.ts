import { type Counting, TOTAL } from '../../../http/list.ts'
import type { Json } from '../../../rows.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'

/** A list that is embedded may tell it by itself. */
function total(_world: World, list: Json): unknown {
  return list.total_count ?? (list as Counting)[TOTAL]?.()
}

export const listTotals = change({
  since: '2025-03-31.basil',
  what: 'How many there are in all can no longer be expanded on lists.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-total-count-expansion',
  expand: { list: { total_count: total } },
})
