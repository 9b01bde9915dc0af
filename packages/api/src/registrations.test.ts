import { expect, expectTypeOf, test } from 'vitest'
import type { Answer, Body, BodyInput, ParamsInput, Query, QueryInput, Reply } from './define-route.ts'
import { type readInvoice, syncInvoice } from './invoices.ts'
import { createRegistration } from './registrations.ts'

const refusals = (body: unknown) =>
  createRegistration.body.safeParse(body).error?.issues.map(({ path, code }) => `${path.join('/')} ${code}`)

test('a registration needs who; the rest has defaults', () => {
  expect(createRegistration.body.parse({ externalId: 'user_1', plan: 'team' })).toEqual({
    externalId: 'user_1',
    plan: 'team',
    quantity: 1,
  })
  expect(refusals({})).toEqual(['externalId invalid_type'])
})

test('every fault of a registration is named at once', () => {
  expect(
    refusals({
      externalId: 'user_1',
      plan: 'Team!',
      quantity: 0,
      currency: 'USD',
      email: 'nobody',
      name: '4242 4242 4242 4242',
      paymentMethod: '4242424242424242',
      color: 'blue',
    }),
  ).toEqual([
    'email invalid_format',
    'name custom',
    'plan invalid_format',
    'quantity too_small',
    'currency invalid_format',
    'paymentMethod custom',
    ' unrecognized_keys',
  ])
})

test('handlers and callers take their types from the route', () => {
  expectTypeOf<BodyInput<typeof createRegistration>['slot']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<BodyInput<typeof createRegistration>['quantity']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<Body<typeof createRegistration>['quantity']>().toEqualTypeOf<number>()
  expectTypeOf<Reply<typeof createRegistration>['status']>().toEqualTypeOf<201 | 202>()
  expectTypeOf<Answer<typeof readInvoice>['lines'][number]['amount']>().toEqualTypeOf<{
    amount: string
    minor: string
    currency: string
  }>()
  expectTypeOf<ParamsInput<typeof readInvoice>>().toEqualTypeOf<{ id: string }>()
  expectTypeOf<Query<typeof syncInvoice>>().toEqualTypeOf<{ dryRun: boolean; look: boolean }>()
  expectTypeOf<QueryInput<typeof syncInvoice>['dryRun']>().toEqualTypeOf<
    boolean | 'true' | 'false' | undefined
  >()
  expectTypeOf<Body<typeof readInvoice>>().toEqualTypeOf<undefined>()
})

test('a query string is read as what it means', () => {
  expect(syncInvoice.query.parse({ dryRun: 'true' })).toEqual({ dryRun: true, look: false })
  expect(syncInvoice.query.parse({})).toEqual({ dryRun: false, look: false })
  expect(syncInvoice.query.safeParse({ dryRun: 'yes' }).success).toBe(false)
})
