import { gap } from '../errors.ts'
import { type Kind, oneOf, type Params, required, shape } from '../http/schema.ts'
import type { SubscriptionRow } from '../rows.ts'

/** Prorations carry their discounts in the amount; to list them apart is not simulated. */
export const prorationDiscounts: Kind<'included'> = {
  parse(raw, path) {
    if (oneOf(['included', 'itemized'] as const).parse(raw, path) === 'included') return 'included'
    throw gap('itemized discounts of prorations', path)
  },
}

/** https://docs.stripe.com/billing/subscriptions/billing-mode */
export const billingModeParam = shape({
  type: required(oneOf(['classic', 'flexible'] as const)),
  flexible: shape({ proration_discounts: prorationDiscounts }),
})

type Given = Params<(typeof billingModeParam)['fields']>

/** Who says nothing gets the flexible mode. */
export function billingModeOf(given: Given | undefined): SubscriptionRow['billing_mode'] {
  if (given?.type === 'classic') return { type: 'classic', flexible: null }
  return {
    type: 'flexible',
    flexible: { proration_discounts: given?.flexible?.proration_discounts ?? 'included' },
  }
}

/** As a parameter again, for the subscription that a schedule starts. */
export function sameMode({ type }: SubscriptionRow['billing_mode']): Given {
  if (type === 'classic') return { type: 'classic' }
  return {
    type: 'flexible',
    flexible: { proration_discounts: 'included' },
  }
}
