import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOperations } from '../scripts/client-operations.ts'
import { coverageTable, withCoverage } from '../scripts/coverage-table.ts'
import { eventNames, eventNamesModule } from '../scripts/event-names.ts'
import { missingParametersModule, parametersMissing } from '../scripts/missing-parameters.ts'
import { operationModules } from '../scripts/operation-modules.ts'
import { keyOf } from '../src/http/gaps.ts'
import { routes } from '../src/registry.ts'
import { newWorld, refusal, type World } from './world.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('what is written down', () => {
  test('the operations are those of the installed client', async () => {
    for (const [file, source] of operationModules(await clientOperations())) {
      expect(read(`../src/http/client-operations/${file}`)).toBe(source)
    }
  })

  test('the parameters that the client declares and no shape knows are written down as missing, and no others', async () => {
    expect(read('../src/http/client-operations/parameters.ts')).toBe(
      missingParametersModule(parametersMissing(await clientOperations(), routes)),
    )
  })

  test('the events that an endpoint can ask for are those of the installed client', () => {
    const names = eventNames()
    expect(names.length).toBeGreaterThan(200)
    expect(read('../src/http/client-operations/event-names.ts')).toBe(eventNamesModule(names))
  })

  test('the README shows the coverage as it is: `npm run coverage -w stripe-simulator` writes it', async () => {
    const readme = read('../README.md')
    expect(readme).toBe(withCoverage(readme, coverageTable(await clientOperations(), routes)))
  })
})

describe('what is answered', () => {
  let world: World
  beforeAll(async () => {
    world = await newWorld()
  })
  afterAll(() => world.close())

  /** The operation called by its name, with ids that no object has. */
  async function call(name: string, path: string) {
    const steps = name.split('.')
    const verb = steps.pop() as string
    const resource = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], world.stripe)
    const ids = [...path.matchAll(/:\w+/g)].map(() => 'nothing_1')
    return (resource as Record<string, (...args: unknown[]) => Promise<unknown>>)[verb]?.(...ids)
  }

  test.each([
    [{ mode: 'payment', return_url: 'https://example.com' }, 'return_url'],
    // Named in no shape: known from the client's declarations alone.
    [{ mode: 'payment', branding_settings: { display_name: 'Ada' } }, 'branding_settings'],
    [
      { mode: 'payment', payment_intent_data: { transfer_group: 'a' } },
      'payment_intent_data[transfer_group]',
    ],
  ] as const)('a parameter that Stripe has and the simulator has not is a gap: %o', async (params, param) => {
    const error = await refusal(world.stripe.checkout.sessions.create({ ...params }))
    expect(error).toMatchObject({ code: 'simulator_gap', param })
    expect(error.message).toBe(`The simulator does not implement the parameter ${param}.`)
  })

  // docs.stripe.com/api/checkout/sessions/create#create_checkout_session-ui_mode
  test.each(['embedded_page', 'elements', 'form'] as const)(
    'so is a value: a page that is %s',
    async (mode) => {
      const error = await refusal(world.stripe.checkout.sessions.create({ mode: 'payment', ui_mode: mode }))
      expect(error).toMatchObject({ code: 'simulator_gap', param: 'ui_mode' })
      expect(error.message).toBe(`The simulator does not implement ui_mode=${mode}.`)
    },
  )

  test('and of other enumerations of the client', async () => {
    const { subscriptionSchedules, invoices, creditNotes, billingPortal } = world.stripe
    const cancel = { enabled: true, proration_behavior: 'always_invoice' } as const
    const told = await Promise.all(
      [
        subscriptionSchedules.create({ end_behavior: 'renew' }),
        invoices.create({ issuer: { type: 'account' } }),
        creditNotes.create({ invoice: 'in_1', refunds: [{ type: 'payment_record_refund' }] }),
        billingPortal.configurations.create({ features: { subscription_cancel: cancel } }),
      ].map((call: Promise<unknown>) => refusal(call)),
    )
    expect(told.map(({ code, param }) => [code, param])).toEqual([
      ['simulator_gap', 'end_behavior'],
      ['simulator_gap', 'issuer[type]'],
      ['simulator_gap', 'refunds[0][type]'],
      ['simulator_gap', 'features[subscription_cancel][proration_behavior]'],
    ])
  })

  test('a parameter that nobody has stays unknown', async () => {
    const error = await refusal(world.stripe.checkout.sessions.create({ brand: 'Ada' } as object))
    expect(error).toMatchObject({ code: 'parameter_unknown', param: 'brand' })
  })

  test('every operation that is not served names itself as a gap, and none is an unknown address', async () => {
    const served = new Set(routes.map(keyOf))
    const wrong: string[] = []
    let gaps = 0
    for (const { name, method, path } of await clientOperations()) {
      // The client itself wants more of these before it sends anything.
      if (['oauth.token', 'oauth.deauthorize', 'files.create', 'ephemeralKeys.create'].includes(name))
        continue
      const answer = await call(name, path).then(
        () => ({ code: 'answered', message: '' }),
        (error: { code?: string; message: string }) => error,
      )
      if (served.has(keyOf({ method, path }))) {
        if (/Unrecognized request URL/.test(answer.message)) wrong.push(`${name}: ${answer.message}`)
        continue
      }
      gaps++
      const expected = `The simulator does not implement stripe.${name} (${method} ${path}).`
      if (answer.code !== 'simulator_gap' || answer.message !== expected)
        wrong.push(`${name}: ${answer.message}`)
    }
    expect(wrong).toEqual([])
    expect(gaps).toBeGreaterThan(0)
  })

  test('a file that is sent up is a gap too, whatever its encoding', async () => {
    const file = { data: Buffer.from('%PDF'), name: 'a.pdf', type: 'application/pdf' }
    const sent = await refusal(world.stripe.files.create({ purpose: 'dispute_evidence', file }))
    expect(sent).toMatchObject({ statusCode: 404, code: 'simulator_gap' })
  })

  // https://docs.stripe.com/error-codes
  test('a typing error stays one', async () => {
    const answer = await refusal(world.stripe.rawRequest('GET', '/v1/custommers'))
    expect(answer.statusCode).toBe(404)
    expect(answer.message).toMatch(/^Unrecognized request URL \(GET: \/v1\/custommers\)/)
  })
})
