// docs.stripe.com/payments/3d-secure/authentication-flow
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'

const world = await sharedWorld()

const return_url = 'https://example.com/back?order=7'

async function asked(payment_method: string) {
  const intent = await world.stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    payment_method,
    confirm: true,
    return_url,
  })
  expect(intent).toMatchObject({ status: 'requires_action', next_action: { type: 'redirect_to_url' } })
  const url = intent.next_action?.redirect_to_url?.url as string
  return { intent, url }
}

async function answer(url: string, outcome: 'succeed' | 'fail') {
  const body = new URLSearchParams({ outcome })
  const reply = await fetch(`${url}/challenge`, { method: 'POST', body, redirect: 'manual' })
  return new URL(reply.headers.get('location') as string)
}

test('the challenge of a payment is passed on its page, which then goes back', async () => {
  const { intent, url } = await asked('pm_card_threeDSecure2Required')
  expect(await (await fetch(url)).text()).toContain('Do you pay $10.00?')
  const back = await answer(url, 'succeed')
  expect(back.origin + back.pathname).toBe('https://example.com/back')
  expect(Object.fromEntries(back.searchParams)).toEqual({
    order: '7',
    payment_intent: intent.id,
    payment_intent_client_secret: intent.client_secret,
    redirect_status: 'succeeded',
  })
  expect((await world.stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded')
  // Twice: there is nothing left to confirm.
  expect((await fetch(`${url}/challenge`, { method: 'POST', body: new URLSearchParams() })).status).toBe(400)
})

test('a failed challenge, and a card that is declined after it', async () => {
  const failed = await asked('pm_card_threeDSecure2Required')
  expect((await answer(failed.url, 'fail')).searchParams.get('redirect_status')).toBe('failed')
  const declined = await asked('pm_card_threeDSecureRequiredChargeDeclined')
  expect((await answer(declined.url, 'succeed')).searchParams.get('redirect_status')).toBe('failed')
  expect(await world.stripe.paymentIntents.retrieve(declined.intent.id)).toMatchObject({
    status: 'requires_payment_method',
    last_payment_error: { code: 'card_declined' },
  })
})

test('the challenge of a set-up has the same page', async () => {
  const intent = await world.stripe.setupIntents.create({
    payment_method: 'pm_card_authenticationRequired',
    confirm: true,
    return_url,
  })
  const back = await answer(intent.next_action?.redirect_to_url?.url as string, 'succeed')
  expect(back.searchParams.get('setup_intent')).toBe(intent.id)
  expect((await world.stripe.setupIntents.retrieve(intent.id)).status).toBe('succeeded')
})
