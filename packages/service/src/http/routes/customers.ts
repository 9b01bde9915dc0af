import * as api from '@lockstep/api/customers'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import type { Provider } from '../../provider/stripe/account.ts'
import {
  addCustomer,
  type Customer,
  findCustomer,
  listCustomers,
  readCustomer,
} from '../../store/customers.ts'
import { pageOf } from '../../store/page.ts'
import { readTestClock } from '../../store/test-clocks.ts'
import { changeCustomer } from '../../workflow/change-customer.ts'
import type { Workflows } from '../../workflow/workflows.ts'
import { expandMappings } from '../expand-mappings.ts'
import { type App, route } from '../route.ts'

interface CustomerParts {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
  readonly workflows: Workflows
}

/** Who pays: listed, created without a subscription, changed. */
export function customerRoutes(app: App, parts: CustomerParts): void {
  const { db, clock, provider } = parts

  route(
    app,
    api.listCustomers,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listCustomers(db, { ...query, limit }))
    const customers = page.data.map(customerToApi)
    const data = await expandMappings(db, query, 'customer', customers, ({ id }) => id)
    return { status: 200, body: { ...page, data } }
  })

  route(
    app,
    api.readCustomer,
  )(async ({ params, query }) => {
    const { id } = params
    const customer = customerToApi(
      (await readCustomer(db, id)) ?? (await findCustomer(db, id)) ?? unknown(id),
    )
    const [body = customer] = await expandMappings(db, query, 'customer', [customer], ({ id }) => id)
    return { status: 200, body }
  })

  route(
    app,
    api.createCustomer,
  )(async ({ body, operation }) => {
    const { externalId, name = null, email = null, testClock = null } = body
    if (testClock !== null) await refuseTestClock({ db, provider }, testClock)
    // Named after the operation, so that a repetition finds it.
    const id = operation.replace(/^operation/, 'customer')
    const added = await transaction(db, (trx) =>
      addCustomer(trx, { id, externalId, name, email, testClockId: testClock, at: clock.now() }),
    )
    const customer = await readCustomer(db, id)
    if (!added && !customer) {
      throw new Problem('customer_exists', 'There is a customer with this externalId already.', {
        faults: [
          { pointer: '#/externalId', code: 'customer_exists', detail: 'It belongs to another customer.' },
        ],
      })
    }
    return { status: 201, body: customerToApi(customer ?? (await existing(db, id))) }
  })

  route(
    app,
    api.updateCustomer,
  )(async ({ params, body }) => {
    await changeCustomer(parts, await existing(db, params.id), body)
    return { status: 200, body: customerToApi(await existing(db, params.id)) }
  })
}

async function existing(db: Db, id: string): Promise<Customer> {
  return (await readCustomer(db, id)) ?? unknown(id)
}

function unknown(id: string): never {
  throw new Problem('customer_not_found', `There is no customer ${id}.`)
}

async function refuseTestClock(
  { db, provider }: Pick<CustomerParts, 'db' | 'provider'>,
  id: string,
): Promise<void> {
  const refuse = (code: 'live_mode_refused' | 'test_clock_not_found', detail: string) =>
    new Problem(code, detail, { faults: [{ pointer: '#/testClock', code, detail }] })
  if (provider.livemode) throw refuse('live_mode_refused', 'There are no test clocks in live mode.')
  if (!(await readTestClock(db, id))) throw refuse('test_clock_not_found', `There is no test clock ${id}.`)
}

export function customerToApi(customer: Customer) {
  const { id, externalId, name, email, currency, testClockId, providerId, createdAt } = customer
  const { deletedAtProvider } = customer
  return {
    id,
    externalId,
    name,
    email,
    currency,
    testClock: testClockId,
    providerId,
    deletedAtProvider: deletedAtProvider === null ? null : formatInstant(deletedAtProvider),
    createdAt: formatInstant(createdAt),
  }
}
