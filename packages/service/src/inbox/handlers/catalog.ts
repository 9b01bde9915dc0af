import { type Handlers, looksAt, looksForGone, records } from '../handler.ts'

export const catalogHandlers: Handlers = {
  'product.created': looksAt('product', 'Where plans come in, it is an empty plan here, to be completed.'),
  'product.updated': looksAt('product', 'Its name changed, or it is not sold any more.'),
  'product.deleted': looksForGone(
    'product',
    'Its plan is forgotten if it was never sold, and else archived.',
  ),
  'price.created': looksAt('price', 'It is a version of the plan that came in with its product.'),
  'price.updated': looksAt('price', 'What it costs never changes; its picture is kept.'),
  'price.deleted': looksForGone('price', 'Who is on it stays; its picture says that it is gone.'),
  'plan.created': records('The older rendering of a price: price.created tells it.'),
  'plan.updated': records('The older rendering of a price: price.updated tells it.'),
  'plan.deleted': records('The older rendering of a price: price.deleted tells it.'),
  'coupon.created': looksAt(
    'coupon',
    'Where plans come in, it is a coupon here, to be named by the catalogue.',
  ),
  'coupon.updated': looksAt('coupon', 'Its name is all that can change.'),
  'coupon.deleted': looksForGone('coupon', 'Discounts that run go on; nobody redeems it any more.'),
  'promotion_code.created': looksAt('promotion_code', 'How a coupon is claimed on Stripe’s own pages.'),
  'promotion_code.updated': looksAt('promotion_code', 'It may be claimed no more, or again.'),
}
