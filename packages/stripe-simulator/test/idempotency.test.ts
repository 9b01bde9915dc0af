// docs.stripe.com/api/idempotent_requests
import { expect, test } from 'vitest'
import { makeTwiceAtOnce } from './one-packet.ts'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()

test('thirty equal requests at once make one customer, and say that they are replays', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, () =>
      world.stripe.customers.create({ email: 'one@example.com' }, { idempotencyKey: 'one' }),
    ),
  )
  expect(new Set(answers.map((customer) => customer.id)).size).toBe(1)
  const found = await world.stripe.customers.list({ email: 'one@example.com' })
  expect(found.data).toHaveLength(1)
  const replayed = answers.filter(
    (customer) => customer.lastResponse.headers['idempotent-replayed'] === 'true',
  )
  expect(replayed).toHaveLength(29)
})

test('the same key with other parameters, or for another endpoint, is refused', async () => {
  await world.stripe.customers.create({ email: 'a@example.com' }, { idempotencyKey: 'two' })
  const other = await refusal(
    world.stripe.customers.create({ email: 'b@example.com' }, { idempotencyKey: 'two' }),
  )
  expect(other).toMatchObject({
    statusCode: 400,
    type: 'StripeIdempotencyError',
    rawType: 'idempotency_error',
  })
  expect(other.message).toBe(
    "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than 'two' if you meant to execute a different request.",
  )
  const elsewhere = await refusal(world.stripe.products.create({ name: 'x' }, { idempotencyKey: 'two' }))
  expect(elsewhere.rawType).toBe('idempotency_error')
})

test('a failure that was stored is repeated; one that was not is run again', async () => {
  const { simulator, stripe } = world
  simulator.control.fail({ kind: 'error_500_stored', method: 'POST', path: '/v1/customers' })
  const first = await refusal(stripe.customers.create({}, { idempotencyKey: 'stored' }))
  expect(first).toMatchObject({ statusCode: 500, rawType: 'api_error' })
  const again = await refusal(stripe.customers.create({}, { idempotencyKey: 'stored' }))
  expect(again.statusCode).toBe(500)
  expect(again.headers?.['idempotent-replayed']).toBe('true')

  simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/customers' })
  expect((await refusal(stripe.customers.create({}, { idempotencyKey: 'fresh' }))).statusCode).toBe(500)
  expect((await stripe.customers.create({}, { idempotencyKey: 'fresh' })).id).toMatch(/^cus_/)
})

test('nothing is stored when parameters do not pass, so the key can be used again', async () => {
  const wrong = { email: 'a@example.com', colour: 'red' }
  const error = await refusal(world.stripe.customers.create(wrong, { idempotencyKey: 'three' }))
  expect(error.code).toBe('parameter_unknown')
  const right = await world.stripe.customers.create({ email: 'a@example.com' }, { idempotencyKey: 'three' })
  expect(right.id).toMatch(/^cus_/)
})

test('a key that is in use answers 409', async () => {
  const { simulator, stripe } = world
  simulator.control.fail({ kind: 'slow', ms: 20, path: '/v1/customers' })
  // The first is slow; the other finds its key held.
  const [made, refused] = await makeTwiceAtOnce(simulator.port, { name: 'slow', key: 'four' })
  expect(made).toMatch(/^200 /)
  expect(refused).toMatch(/^409 .*"code":"idempotency_key_in_use"/s)
  const again = await stripe.customers.create({ name: 'slow' }, { idempotencyKey: 'four' })
  expect(made).toContain(`"id":"${again.id}"`)
})

test('what was committed before the connection broke is found again with the key', async () => {
  const { simulator, stripe } = world
  simulator.control.fail({ kind: 'timeout_before_commit', path: '/v1/customers' })
  simulator.control.fail({ kind: 'timeout_after_commit', path: '/v1/customers' })
  // A closed socket is tried once more by the client itself, with the same key: the first attempt did
  // nothing, the second one committed and lost its answer.
  const lost = await refusal(
    stripe.customers.create({ email: 'lost@example.com' }, { idempotencyKey: 'five' }),
  )
  expect(lost.type).toBe('StripeConnectionError')
  const found = await stripe.customers.list({ email: 'lost@example.com' })
  expect(found.data).toHaveLength(1)
  const again = await stripe.customers.create({ email: 'lost@example.com' }, { idempotencyKey: 'five' })
  expect(again.id).toBe(found.data[0]?.id)
})
