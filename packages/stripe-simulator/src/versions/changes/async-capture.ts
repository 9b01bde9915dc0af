import { change } from '../change.ts'
import type { Given } from '../given.ts'

function automatic(owner: string) {
  const path = owner === '' ? 'capture_method' : `${owner}[capture_method]`
  return (given: Given) => {
    if (given.get(path) === undefined) given.set(path, 'automatic')
  }
}

export const asyncCapture = change({
  since: '2024-04-10',
  what: 'A payment is captured in the background unless it is told otherwise; it was captured at once.',
  source: 'https://docs.stripe.com/changelog/2024-04-10/automatic-sync-default-paymentintents',
  accept: {
    'POST /v1/payment_intents': automatic(''),
    'POST /v1/checkout/sessions': (given) => {
      if (given.get('mode') === 'payment') automatic('payment_intent_data')(given)
    },
  },
})
