import * as api from '@lockstep/api/spend-limits'
import { parseMoney } from '@lockstep/core/money'
import { type Fault, Problem } from '@lockstep/core/problem'
import { parseQuantity } from '@lockstep/core/quantity'
import type { LimitOwner } from '@lockstep/core/spend-limit'
import type { Clock } from '../../clock.ts'
import { endSpendLimit, setSpendLimit } from '../../invoice/limit-spending.ts'
import { currentSpending } from '../../invoice/spending.ts'
import type { Db } from '../../postgres/connect.ts'
import { type Customer, readCustomer } from '../../store/customers.ts'
import { readMeter } from '../../store/meters.ts'
import { pageOf } from '../../store/page.ts'
import { listAlerts } from '../../store/spend-alerts.ts'
import { listLimits, readLimit, type SpendLimitRecord } from '../../store/spend-limits.ts'
import { customerTime } from '../../workflow/observe/customer-time.ts'
import type { Caller } from '../caller.ts'
import { type App, route } from '../route.ts'
import { spendAlertToApi, spendLimitToApi } from './spend-limit-to-api.ts'

/** What usage may come to: set and taken away by each side for itself, and what was reached. */
export function spendLimitRoutes(app: App, { db, clock }: { readonly db: Db; readonly clock: Clock }): void {
  const shown = async (limit: SpendLimitRecord) =>
    spendLimitToApi(limit, limit.endedAt === null ? await currentSpending(db, limit.customerId) : [])

  route(
    app,
    api.setSpendLimit,
  )(async ({ params, body, operation, caller }) => {
    const customer = await existingCustomer(db, params.id)
    const owner = body.owner ?? sideOf(caller)
    refuseOtherSide(caller, owner)
    const meter = body.meter ?? null
    if (meter !== null && (await readMeter(db, meter)) === undefined)
      throw new Problem('meter_not_found', `There is no meter ${meter}.`)
    const currency = meter === null ? currencyOf(customer, body.currency) : null
    const figures = readFigures(body, currency)
    // Named after the operation: a repetition finds it, also where another one took its place since.
    const id = operation.replace(/^operation/, 'spend_limit')
    if ((await readLimit(db, id)) === undefined) {
      const madeAt = await customerTime(db, clock, customer.id)
      const { alertPercents } = body
      const wanted = { ...figures, id, owner, meter, currency, alertPercents, madeBy: caller.id, madeAt }
      await setSpendLimit(db, { ...wanted, customerId: customer.id })
    }
    return { status: 201, body: await shown(await existing(db, customer, id)) }
  })

  route(
    app,
    api.listSpendLimits,
  )(async ({ params, query }) => {
    const { id: customer } = await existingCustomer(db, params.id)
    const page = await pageOf(query.limit, (limit) => listLimits(db, { ...query, customer, limit }))
    const current = page.data.some(({ endedAt }) => endedAt === null)
      ? await currentSpending(db, customer)
      : []
    return { status: 200, body: { ...page, data: page.data.map((limit) => spendLimitToApi(limit, current)) } }
  })

  route(
    app,
    api.endSpendLimit,
  )(async ({ params, caller }) => {
    const customer = await existingCustomer(db, params.id)
    const limit = await existing(db, customer, params.limit)
    refuseOtherSide(caller, limit.owner)
    await endSpendLimit(db, limit, { by: caller.id, at: await customerTime(db, clock, customer.id) })
    return { status: 200, body: await shown(await existing(db, customer, limit.id)) }
  })

  route(
    app,
    api.listSpendAlerts,
  )(async ({ params, query }) => {
    const { id: customer } = await existingCustomer(db, params.id)
    const page = await pageOf(query.limit, (limit) => listAlerts(db, { ...query, customer, limit }))
    return { status: 200, body: { ...page, data: page.data.map(spendAlertToApi) } }
  })
}

const sideOf = ({ kind }: Caller): LimitOwner => (kind === 'user' ? 'customer' : 'operator')

/** A key may speak for the customer, as the application does; a user for nobody else. */
function refuseOtherSide(caller: Caller, owner: LimitOwner): void {
  if (caller.kind === 'key' || owner === 'customer') return
  throw new Problem('forbidden', "Users change their own spend limits, not the operator's.")
}

/** The customer's, which never changes; before the first subscription the one that is named. */
function currencyOf({ currency }: Customer, named: string | undefined): string {
  if (currency !== null && named !== undefined && named !== currency) {
    throw new Problem('currency_mismatch', `This customer pays in ${currency}, not in ${named}.`)
  }
  const known = currency ?? named
  if (known !== undefined) return known
  throw faulty([
    { pointer: '#/currency', code: 'required', detail: 'This customer has no currency yet: name one.' },
  ])
}

interface Told {
  readonly cap: string | null
  readonly alerts: readonly string[]
}

/** In the minor unit, or 1e-9 of the meter's unit: above zero, and no finer than that. */
function readFigures({ cap, alerts }: Told, currency: string | null) {
  const faults: Fault[] = []
  const read = (text: string, pointer: string): bigint => {
    const value = currency === null ? parseQuantity(text) : parseMoney(text, currency)?.minor
    if (value !== undefined && value > 0n) return value
    const unit = currency === null ? 'A quantity' : `An amount of ${currency}`
    faults.push({
      pointer,
      code: 'amount_invalid',
      detail: `${unit} is above zero and no finer than there is.`,
    })
    return 0n
  }
  const figures = {
    cap: cap === null ? null : read(cap, '#/cap'),
    alerts: alerts.map((text, i) => read(text, `#/alerts/${i}`)),
  }
  if (faults.length > 0) throw faulty(faults)
  return figures
}

const faulty = (faults: readonly Fault[]) =>
  new Problem(
    'invalid_request',
    faults.length === 1 ? 'The request has a fault.' : 'The request has faults.',
    {
      faults,
    },
  )

async function existingCustomer(db: Db, id: string): Promise<Customer> {
  const customer = await readCustomer(db, id)
  if (!customer) throw new Problem('customer_not_found', `There is no customer ${id}.`)
  return customer
}

async function existing(db: Db, { id: customerId }: Customer, id: string): Promise<SpendLimitRecord> {
  const limit = await readLimit(db, id)
  if (limit?.customerId === customerId) return limit
  throw new Problem('spend_limit_not_found', `Customer ${customerId} has no spend limit ${id}.`)
}
