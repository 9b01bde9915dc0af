import type { World } from '../../../world.ts'
import { change } from '../../change.ts'

type Held = {
  readonly amount: number
  readonly amount_captured: number
  readonly amount_refunded: number
  readonly captured: boolean
  readonly payment_intent: string | null
  readonly status: string
}

/** What was held and not taken, in the minor unit: all when the payment was canceled, the rest after a part. */
function released(charge: Held, world: World): number {
  if (charge.status !== 'succeeded') return 0
  const canceled = world.paymentIntents.get(charge.payment_intent)?.status === 'canceled'
  return charge.captured || canceled ? charge.amount - charge.amount_captured : 0
}

/** Of a hold that was canceled under an earlier version of the simulator, all counts as refunded already. */
const given = (charge: Held, world: World) =>
  Math.min(charge.amount, charge.amount_refunded + released(charge, world))

export const releasedHolds = change({
  since: '2025-03-31.basil',
  what: 'What was held and is not taken goes back without a refund; it counted as refunded.',
  source:
    'https://docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow',
  show: {
    charge: {
      give: {
        amount_refunded: given,
        refunded: (charge: Held, world: World) => charge.amount > 0 && given(charge, world) === charge.amount,
      },
    },
    payment_intent: {
      give: {
        cancellation_reason: ({
          cancellation_reason: reason,
        }: {
          readonly cancellation_reason: string | null
        }) => (reason === 'expired' ? 'automatic' : reason),
      },
    },
  },
})
