import type Stripe from 'stripe'
import { invalid } from '../../../errors.ts'
import type { Json } from '../../../rows.ts'
import type { Shown } from '../../../shown.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

type Discounted = { readonly discounts: readonly string[] | null }

/** Populated when there is exactly one. */
function onlyDiscount({ discounts }: Discounted, world: World): Json | null {
  const [id, ...others] = discounts ?? []
  const discount = others.length === 0 ? world.discounts.get(id) : undefined
  return discount === undefined ? null : world.render(discount)
}

/** A coupon or a code replaced the discount; empty text removed it. */
function plural(owner: string) {
  return (given: Given) => {
    const inside = (name: string) => (owner === '' ? name : `${owner}[${name}]`)
    const to = inside('discounts')
    const sent = ['coupon', 'promotion_code', 'discounts'].filter(
      (name) => given.get(inside(name)) !== undefined,
    )
    if (sent[0] !== undefined && sent.length > 1) {
      const names = sent.toSorted().join(', ')
      throw invalid(`You may only specify one of these parameters: ${names}.`, inside(sent[0]))
    }
    for (const name of ['coupon', 'promotion_code']) {
      const from = inside(name)
      if (given.get(from) === '') given.move(from, to)
      else given.move(from, `${to}[0][${name}]`)
    }
  }
}

function ofPhases(given: Given, phases = 'phases'): void {
  for (const phase of given.entries(phases)) plural(phase)(given)
}

function ofPreview(given: Given): void {
  plural('')(given)
  ofPhases(given, 'schedule_details[phases]')
}

function ofCustomer(given: Given): void {
  given.miss('coupon')
  given.miss('promotion_code')
}

export const singularDiscount = change({
  since: '2025-03-31.basil',
  what: 'Discounts are lists; the single coupon, promotion code and discount are gone.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-singular-coupon-promotion-code',
  show: {
    subscription: { give: { discount: onlyDiscount } },
    invoice: { give: { discount: onlyDiscount } },
    subscription_schedule: {
      give: {
        phases: ({ phases }: Pick<Shown<Stripe.SubscriptionSchedule>, 'phases'>) =>
          phases.map((phase) => ({ ...phase, coupon: null as string | null })),
      },
    },
  },
  accept: {
    'POST /v1/subscriptions': plural(''),
    'POST /v1/subscriptions/:id': plural(''),
    'POST /v1/invoices/create_preview': ofPreview,
    'POST /v1/subscription_schedules': (given) => ofPhases(given),
    'POST /v1/subscription_schedules/:id': (given) => ofPhases(given),
    'POST /v1/customers': ofCustomer,
    'POST /v1/customers/:id': ofCustomer,
  },
})
