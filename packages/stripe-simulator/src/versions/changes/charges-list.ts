import { countedPage, firstPage } from '../../http/list.ts'
import type { Json } from '../../rows.ts'
import type { World } from '../../world.ts'
import { change } from '../change.ts'

type Numbered = { readonly id: string }

/** Ten newest, as any list that is embedded. */
function chargesOf({ id }: Numbered, world: World): Json {
  const charges = world.charges.by('payment_intent', id).reverse()
  const url = `/v1/charges?payment_intent=${id}`
  return countedPage(charges, url, (charge) => world.render(charge))
}

export const chargesList = change({
  since: '2022-11-15',
  what: 'An intent names its latest charge; it embedded the list of its charges.',
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
          return firstPage(refunds, `/v1/charges/${id}/refunds`, (refund) => world.render(refund))
        },
      },
    },
  },
})
