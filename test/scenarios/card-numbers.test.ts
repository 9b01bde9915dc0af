import { afterAll, beforeAll, expect, test } from 'vitest'
import { testCardNumbers } from '../support/card-numbers.ts'
import { newWorld, type World } from '../support/world.ts'

// Card data never reaches us: whoever sends it anyway is told why it is refused, and it is kept nowhere.

let world: World
beforeAll(async () => {
  world = await newWorld()
  await world.client.catalog.apply({
    currency: 'usd',
    products: { app: { name: 'App' } },
    plans: {
      free: {
        name: 'Free',
        product: 'app',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
      },
    },
  })
})
afterAll(() => world.close())

interface Answer {
  readonly status: number
  readonly errors: readonly { readonly pointer: string; readonly code: string }[]
  readonly text: string
}

async function ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${world.serviceUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${world.apiKey}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, errors: JSON.parse(text).errors ?? [], text }
}

/** The parts of a registration that a person types into, and those of payment. */
const fields: readonly [pointer: string, body: (number: string) => object][] = [
  ['#/paymentMethod', (paymentMethod) => ({ paymentMethod })],
  ['#/name', (number) => ({ name: `Ada ${number}` })],
  ['#/email', (number) => ({ email: `${number}@example.org` })],
  ['#/requestOrigin', (requestOrigin) => ({ requestOrigin })],
  ['#/metadata/note', (number) => ({ metadata: { note: `paid with ${number}` } })],
  ['#/address/line1', (line1) => ({ address: { line1, country: 'US' } })],
  [
    '#/paymentPage/returnUrl',
    (number) => ({ paymentPage: { returnUrl: `https://app.example/?card=${number}` } }),
  ],
]

test('a card number is refused wherever somebody may type one, with the reason, and is kept nowhere', async () => {
  const numbers = testCardNumbers.flatMap((number) => [number, number.replace(/(\d{4})(?=\d)/g, '$1 ')])
  for (const number of numbers) {
    for (const [pointer, body] of fields) {
      const answer = await ask('POST', '/v1/registrations', {
        externalId: 'ada',
        plan: 'free',
        ...body(number),
      })
      // An address of the web has no blanks; there it is another fault.
      expect([pointer, number, answer.status]).toEqual([pointer, number, 400])
      const fault = answer.errors.find((error) => error.pointer === pointer)
      if (!number.includes(' ') || !/email|returnUrl/.test(pointer))
        expect([pointer, number, fault?.code]).toEqual([pointer, number, 'card_number_refused'])
      expect(answer.text).not.toContain(number)
    }
    // As a name that nobody asked for, as the key of metadata, as the name of something, in an address.
    const others = [
      await ask('POST', '/v1/registrations', { externalId: 'ada', plan: 'free', [number]: 1 }),
      await ask('POST', '/v1/registrations', {
        externalId: 'ada',
        plan: 'free',
        metadata: { [number]: 'x' },
      }),
      await ask('POST', '/v1/registrations', { externalId: 'ada', plan: number }),
      await ask(
        'GET',
        `/v1/registrations?plan=${encodeURIComponent(number)}&card=${encodeURIComponent(number)}`,
      ),
    ]
    for (const { status, text } of others) {
      expect([400, 422]).toContain(status)
      expect(text).not.toContain(number)
    }
  }
  const dump = await everything()
  const log = world.output()
  expect(dump.length).toBeGreaterThan(1000)
  for (const number of numbers) {
    expect(dump.includes(number), number).toBe(false)
    expect(log.includes(number), number).toBe(false)
  }
})

test('what merely looks like one, in an id or a number, is left alone', async () => {
  // One with the right sum that the test beside this one does not look for.
  const externalId = '4012888888881881'
  const registration = await world.client.registrations.create({ externalId, plan: 'free' })
  expect(registration).toMatchObject({ externalId, state: 'completed' })
})

/** All rows of all tables, the queue's too, as text. */
async function everything(): Promise<string> {
  const { rows } = await world.db.query<{ schema: string; name: string }>(
    `select table_schema as schema, table_name as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  )
  const texts: string[] = []
  for (const { schema, name } of rows) {
    const { rows: found } = await world.db.query<{ text: string | null }>(
      `select string_agg(t::text, ' ') as text from "${schema}"."${name}" t`,
    )
    texts.push(found[0]?.text ?? '')
  }
  return texts.join('\n')
}
