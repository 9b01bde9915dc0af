import { expect, test } from 'vitest'
import { createLog } from './log.ts'
import { redact } from './redact.ts'

test('what must not stand in a log does not, wherever it hides', () => {
  const secrets = [
    'sk_test_51Habc',
    'rk_live_51Habc',
    'whsec_abc+/=',
    'lk_0123456789abcdefghjkmnpqrs',
    'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl',
    'ada@example.com',
    'https://invoice.stripe.com/i/acct_1/live_YWNjdF8x?s=il',
    'https://checkout.stripe.com/c/pay/cs_live_a1#fidkdWx',
    'https://pay.example.org/c/pay/cs_live_a1#fidkdWx',
    '4242424242424242',
    '4242 4242 4242 4242',
    '378282246310005',
    '4242_4242_4242_4242',
    '4242 4242 4242 4242 12/26 123',
  ]
  const lines: string[] = []
  const log = createLog({ logLevel: 'info' }, { write: (line: string) => void lines.push(line) })
  for (const secret of secrets) {
    log.info({ deep: { list: [`before ${secret} after`] }, [secret]: 1 }, `said ${secret}, twice ${secret}`)
    log.error({ err: new Error(`failed with ${secret}`) })
  }
  log.info({
    url: 'postgres://lockstep:hunter2@127.0.0.1:5432/x',
    headers: { authorization: 'Bearer abc.def' },
  })
  log.info({ number: 4242424242424242, header: 'Authorization: Bearer abc.def' })

  const all = lines.join('')
  for (const secret of [...secrets, 'hunter2', 'abc.def']) expect(all).not.toContain(secret)
  expect(lines).toHaveLength(secrets.length * 2 + 2)
  for (const line of lines) JSON.parse(line)
})

test('what is harmless stays as it is', () => {
  const lines = [
    '{"see":"https://docs.stripe.com/api/invoices","at":"https://api.stripe.com/v1/invoices","page":"https://invoice.stripe.com"}',
    '{"time":1763695000000,"event":"evt_1","at":"2026-11-21T03:53:05.338Z","customer":"customer_01m7y3s396xbx3th8a1y5bwmzc"}',
    '{"bytes":2747282740,"price":"price_01m7y3s396xbx3th8a1y5bwmzc","port":46345,"responseTime":4.242424242424242,"took":[-51.05105105105100,1],"epoch":[1763695000000,1763695000001]}',
  ]
  for (const line of lines) expect(redact(line)).toBe(line)
})
