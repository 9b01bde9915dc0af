import type Stripe from 'stripe'
import type { Shown } from '../../../shown.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'

export const discountSource = change({
  since: '2025-09-30.clover',
  what: 'A discount names its coupon under `source`; it embedded it.',
  source: 'https://docs.stripe.com/changelog/clover/2025-09-30/add-discount-source-property',
  show: {
    discount: {
      drop: ['source'],
      give: {
        coupon: ({ id, source }: Pick<Shown<Stripe.Discount>, 'id' | 'source'>, world: World) =>
          world.render(world.coupons.must(world.discounts.get(id)?.own.coupon ?? source.coupon)),
      },
    },
  },
  expand: { discount: { 'source.coupon': null } },
})
