import type Stripe from 'stripe'
import type { Shown } from '../../../shown.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'

export const promotion = change({
  since: '2025-09-30.clover',
  what: 'A promotion code names what it promotes under `promotion`; it embedded its coupon.',
  source: 'https://docs.stripe.com/changelog/clover/2025-09-30/polymorphic-coupon',
  show: {
    promotion_code: {
      drop: ['promotion'],
      give: {
        coupon: (
          { id, promotion: { coupon } }: Pick<Shown<Stripe.PromotionCode>, 'id' | 'promotion'>,
          world: World,
        ) => world.render(world.coupons.must(world.promotionCodes.get(id)?.own.coupon ?? coupon)),
      },
    },
  },
  parameters: { 'POST /v1/promotion_codes': ['promotion'] },
  accept: {
    'POST /v1/promotion_codes': (given) => {
      given.move('coupon', 'promotion[coupon]')
      given.set('promotion[type]', 'coupon')
    },
  },
})
