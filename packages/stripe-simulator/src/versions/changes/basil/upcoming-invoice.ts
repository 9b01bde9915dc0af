import { pageOf, paging } from '../../../http/list.ts'
import { get } from '../../../http/route.ts'
import { shape } from '../../../http/schema.ts'
import { renderLine } from '../../../resources/invoices.ts'
import { previewFields, previewOf } from '../../../resources/preview.ts'
import type { LineRow } from '../../../rows.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

const URL = '/v1/invoices/upcoming'
const PREVIEW = 'POST /v1/invoices/create_preview'

/** What a later version asks under `subscription_details`. */
const MOVED = [
  'billing_cycle_anchor',
  'cancel_at',
  'cancel_at_period_end',
  'cancel_now',
  'default_tax_rates',
  'items',
  'proration_behavior',
  'proration_date',
  'resume_at',
  'start_date',
  'trial_end',
]

function nested(given: Given): void {
  for (const name of MOVED) given.move(`subscription_${name}`, `subscription_details[${name}]`)
  given.miss('subscription_trial_from_plan')
}

/** The next page is of the preview that the page before was of: another one would have other ids. */
function rememberedWith(world: World, line: string | undefined): readonly LineRow[] | undefined {
  if (line === undefined) return undefined
  return [...world.previews.values()].find((lines) => lines.some(({ id }) => id === line))
}

export const upcomingInvoice = change({
  since: '2025-03-31.basil',
  what: 'The upcoming invoice is previewed by `create_preview`; it was read at addresses of its own.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/invoice-preview-api-deprecations',
  former: [
    {
      // It had no id.
      route: get(URL, shape(previewFields), ({ world, params }) => {
        const { id: _id, ...upcoming } = previewOf(world, params)
        return upcoming
      }),
      becomes: PREVIEW,
    },
    {
      route: get(`${URL}/lines`, shape({ ...previewFields, ...paging }), ({ world, params }) => {
        const { limit, starting_after, ending_before, ...asked } = params
        const lines =
          rememberedWith(world, starting_after ?? ending_before) ??
          world.previews.get(previewOf(world, asked).id) ??
          []
        return pageOf(
          lines,
          { limit, starting_after, ending_before },
          { noun: 'line item', url: `${URL}/lines`, render: renderLine },
        )
      }),
      becomes: PREVIEW,
    },
  ],
  accept: { [`GET ${URL}`]: nested, [`GET ${URL}/lines`]: nested },
})
