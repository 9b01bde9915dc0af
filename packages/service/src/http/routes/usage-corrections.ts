import * as api from '@lockstep/api/usage-corrections'
import { formatInstant } from '@lockstep/core/instant'
import { type Money, parseMoney } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import { quantityOf } from '@lockstep/core/quantity'
import type { CorrectedInvoice } from '@lockstep/core/usage-correction'
import type { Db } from '../../postgres/connect.ts'
import { readCustomer } from '../../store/customers.ts'
import { pageOf } from '../../store/page.ts'
import { listCorrections, readCorrection, type UsageCorrection } from '../../store/usage-corrections.ts'
import { faultsOf } from '../../usage/backfill.ts'
import type { Backfill, WantedCorrection } from '../../usage/correct.ts'
import { namesIn } from '../../usage/sent.ts'
import type { Usage } from '../../usage/usage.ts'
import { moneyToApi } from '../money-to-api.ts'
import { readInstant } from '../read-instant.ts'
import { type App, type Incoming, route } from '../route.ts'

type Body = Incoming<typeof api.createUsageCorrection>['body']

interface CorrectionParts {
  readonly db: Db
  readonly usage: Usage
}

/** What was taken in and is not true: voided, amended, told anew. */
export function usageCorrectionRoutes(app: App, { db, usage }: CorrectionParts): void {
  route(
    app,
    api.createUsageCorrection,
  )(async ({ query, body, operation, caller }) => {
    const { reason, agent = null } = body
    // Named after the operation: a repetition after a crash finds it, and corrects nothing again.
    const id = operation.replace(/^operation/, 'usage_correction')
    const done = query.dryRun ? undefined : await readCorrection(db, id)
    if (done) return { status: 201, body: correctionToApi(done) }
    const deed = { id, by: caller.id, agent, reason }
    const correction = await usage.correct(await wantedOf(body, { db, usage }), deed, query)
    return query.dryRun
      ? { status: 200, body: whatToApi(correction) }
      : { status: 201, body: correctionToApi(correction) }
  })

  route(
    app,
    api.listUsageCorrections,
  )(async ({ query }) => {
    await existingCustomer(db, query.customer)
    const page = await pageOf(query.limit, (limit) => listCorrections(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(correctionToApi) } }
  })
}

async function wantedOf(body: Body, parts: CorrectionParts): Promise<WantedCorrection> {
  if (body.kind === 'backfill') return backfillOf(body, parts)
  const { source, id } = body
  const event = { source, id, time: readInstant(body.time) }
  return body.kind === 'amend'
    ? { kind: 'amend', event, quantity: quantityOf(body.quantity) }
    : { kind: 'void', event }
}

async function backfillOf(
  { customer, meter, events, ...body }: Extract<Body, { kind: 'backfill' }>,
  { db, usage }: CorrectionParts,
): Promise<Backfill> {
  await existingCustomer(db, customer)
  const known = await db.selectFrom('meter').select('key').where('key', '=', meter).executeTakeFirst()
  if (!known) throw new Problem('meter_not_found', `There is no meter ${meter}.`)
  const period = { start: readInstant(body.start), end: readInstant(body.end) }
  const arrivals = events.length === 0 ? [] : await usage.read(events, '#/events')
  const backfill: Backfill = { kind: 'backfill', customerId: customer, meterKey: meter, period, arrivals }
  const faults =
    period.start < period.end
      ? faultsOf(backfill, namesIn(events))
      : [{ pointer: '#/end', code: 'not_allowed', detail: 'The end comes after the start.' }]
  if (faults.length > 0) throw new Problem('invalid_request', 'The request has faults.', { faults })
  return backfill
}

async function existingCustomer(db: Db, id: string): Promise<void> {
  if ((await readCustomer(db, id)) === undefined)
    throw new Problem('customer_not_found', `There is no customer ${id}.`)
}

function whatToApi(correction: UsageCorrection) {
  return {
    customer: correction.customerId,
    meter: correction.meterKey,
    ...changeToApi(correction),
    invoices: correction.effect.map(invoiceToApi),
  }
}

/** What was changed, without its record: this part the customer sees too. */
export function changeToApi(correction: UsageCorrection) {
  const { kind, source, eventId } = correction
  return {
    kind,
    period: { start: formatInstant(correction.periodStart), end: formatInstant(correction.periodEnd) },
    event: source === null || eventId === null ? null : { source, id: eventId },
    removed: { events: Number(correction.removedEvents), quantity: correction.removedQuantity },
    added: { events: Number(correction.addedEvents), quantity: correction.addedQuantity },
  }
}

function correctionToApi(correction: UsageCorrection) {
  const { id, reason, madeBy, agent, madeAt } = correction
  return { id, ...whatToApi(correction), reason, madeBy, agent, madeAt: formatInstant(madeAt) }
}

function invoiceToApi({ invoice, currency, isFinal, lines }: CorrectedInvoice) {
  const amount = (text: string) => moneyToApi(moneyOf(text, currency))
  return {
    invoice,
    final: isFinal,
    lines: lines.map(({ line, quantity, amount: { before, after } }) => ({
      line,
      quantity,
      amount: { before: amount(before), after: amount(after) },
    })),
  }
}

function moneyOf(text: string, currency: string): Money {
  const money = parseMoney(text, currency)
  if (!money) throw new Error(`Not an amount of ${currency}: ${text}`)
  return money
}
