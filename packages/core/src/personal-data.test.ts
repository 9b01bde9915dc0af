import { expect, test } from 'vitest'
import { withoutPersonalData } from './personal-data.ts'

test('who it is goes, at every depth; what it was about stays', () => {
  const event = {
    id: 'evt_1',
    data: {
      object: {
        ...{ id: 'cus_1', name: 'Ada', email: 'ada@example.org', balance: 0, livemode: false },
        metadata: { lockstep_customer: 'customer_1', nickname: 'Countess' },
        cards: [{ brand: 'visa', last4: '4242', billing_details: { name: 'Ada' } }],
      },
      previous_attributes: { email: 'old@example.org', metadata: { nickname: 'Lady', lockstep_slot: 'a' } },
    },
  }
  expect(withoutPersonalData(event)).toEqual({
    id: 'evt_1',
    data: {
      object: {
        ...{ id: 'cus_1', name: null, email: null, balance: 0, livemode: false },
        metadata: { lockstep_customer: 'customer_1' },
        cards: [{ brand: 'visa', last4: null, billing_details: null }],
      },
      previous_attributes: { email: null, metadata: { lockstep_slot: 'a' } },
    },
  })
})
