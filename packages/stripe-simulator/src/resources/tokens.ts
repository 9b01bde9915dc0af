import type Stripe from 'stripe'
import { asCard } from '../billing/methods.ts'
import { missing } from '../errors.ts'
import { get, nothing, post } from '../http/route.ts'
import { gaps, required, shape } from '../http/schema.ts'
import type { TokenRow } from '../rows.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { cardFields, readCard } from './cards.ts'

const URL = '/v1/tokens'

/** A card that can be used once, in the place of its number. https://docs.stripe.com/api/tokens */
export const tokenRoutes = [
  post(
    URL,
    shape({
      card: required(shape({ ...cardFields, ...gaps('currency', 'networks') })),
      ...gaps('account', 'bank_account', 'customer', 'cvc_update', 'person', 'pii'),
    }),
    ({ world, params }) => {
      const card = readCard(world, params.card, 'card')
      const token = world.tokens.insert({
        id: world.ids.next('tok'),
        object: 'token',
        client_ip: null,
        created: world.now(null),
        livemode: false,
        type: 'card',
        used: false,
        own: { card: card.id },
      })
      return world.render(token)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => {
    const token = world.tokens.get(path())
    if (token === undefined) throw missing('token', path())
    return world.render(token)
  }),
]

/** Its card as it was read out: whose it is by now is not told. */
export function renderToken(world: World, { own, ...token }: TokenRow): Shown<Stripe.Token> {
  const card = world.paymentMethods.must(own.card)
  return { ...token, card: world.render(asCard({ ...card, customer: null })) }
}
