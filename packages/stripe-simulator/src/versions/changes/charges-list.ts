import { countedPage } from '../../http/list.ts'
import type { Json } from '../../rows.ts'
import type { World } from '../../world.ts'
import { change } from '../change.ts'

type Numbered = { readonly id: string }

/** The latest alone, and how many there are. As recorded: events of 2020-08-27. */
function chargesOf({ id }: Numbered, world: World): Json {
  const charges = world.charges.by('payment_intent', id)
  const [latest] = charges.slice(-1)
  return {
    object: 'list',
    data: latest === undefined ? [] : [world.render(latest)],
    has_more: charges.length > 1,
    total_count: charges.length,
    url: `/v1/charges?payment_intent=${id}`,
  }
}

export const chargesList = change({
  since: '2022-11-15',
  what: 'An intent names its latest charge; it embedded it, in the list of its charges.',
  source: 'https://docs.stripe.com/changelog/2022-11-15/removes-charges-attribute-paymentintent',
  show: { payment_intent: { give: { charges: chargesOf } } },
})

export const chargeRefunds = change({
  since: '2022-11-15',
  what: 'Refunds of a charge are shown when they are expanded; they were always there.',
  source: 'https://docs.stripe.com/changelog/2022-11-15/deprecates-charges-auto-expand',
  show: {
    charge: {
      give: {
        refunds: ({ id }: Numbered, world: World) => {
          const refunds = world.refunds.by('charge', id).reverse()
          return countedPage(refunds, `/v1/charges/${id}/refunds`, (refund) => world.render(refund))
        },
      },
    },
  },
})
