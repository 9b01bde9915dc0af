import * as api from '@lockstep/api/invoices'
import { formatInstant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import { money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import { formatQuantity } from '@lockstep/core/quantity'
import { formatMonth } from '@lockstep/core/usage-retention'
import { documentPdf } from '../../document/pdf.ts'
import { annexOf } from '../../invoice/annex.ts'
import { evidenceOf } from '../../invoice/evidence.ts'
import { expiredInWords, explanationOf } from '../../invoice/explain.ts'
import type { GroupShown } from '../../invoice/line-groups.ts'
import { readInvoice, type ShownInvoice, type ShownLine } from '../../invoice/read.ts'
import type { Db } from '../../postgres/connect.ts'
import { inOnePacket } from '../../postgres/packet.ts'
import { fromStripeAmount } from '../../provider/stripe/amount.ts'
import type { ServiceParts } from '../../service-parts.ts'
import { type InvoiceRow, listInvoiceRows, readInvoiceOwner, readInvoiceRow } from '../../store/invoices.ts'
import { pageOf } from '../../store/page.ts'
import type { UsageEvent } from '../../store/usage-events.ts'
import type { LookDeps } from '../../workflow/look.ts'
import { tryReadProviderUsage } from '../../workflow/provider-usage.ts'
import { planSync, type SyncPlan, syncSubscription } from '../../workflow/sync-invoice.ts'
import { expandInvoices } from '../expand-invoices.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'
import { invoiceToApi, invoiceWithLinesToApi, lineToApi } from './invoice-to-api.ts'
import { changeToApi } from './usage-corrections.ts'

/** What customers owe: listed, read with lines, explained, and sent to the provider. */
export function invoiceRoutes(app: App, parts: LookDeps & Partial<Pick<ServiceParts, 'sumsAhead'>>): void {
  const { db } = parts

  route(
    app,
    api.listInvoices,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listInvoiceRows(db, { ...query, limit }))
    const data = page.data.map((row) => ({ row, shown: invoiceToApi(row, row) }))
    return { status: 200, body: { ...page, data: await expandInvoices(parts, query, data) } }
  })

  route(
    app,
    api.readInvoice,
  )(async ({ params, query }) => {
    const [shown, owner] = await inOnePacket(
      db,
      (db) => Promise.all([readInvoice(db, params.id), readInvoiceOwner(db, params.id)]),
      { name: `invoice ${params.id}` },
    )
    if (!shown || !owner) throw notFound(params.id)
    const now = owner.frozenAt ?? parts.clock.now()
    parts.sumsAhead?.noticeRead(shown.invoice, now)
    const body = invoiceWithLinesToApi(shown, owner, now)
    const [expanded = body] = await expandInvoices(parts, query, [{ row: shown.invoice, shown: body }])
    return { status: 200, body: expanded }
  })

  route(
    app,
    api.explainLine,
  )(async ({ params, query }) => {
    const shown = await existing(db, params.id)
    const line = lineOf(shown.lines, params.line)
    if (!line) throw noLine(params, shown.lines)
    const { derivation } = line
    const evidence = await evidenceOf(db, shown, line, query)
    const { events = null, expired = [], corrections = [], groups = null } = evidence ?? {}
    return {
      status: 200,
      body: {
        line: lineToApi(line),
        derivation,
        events: events && { ...events, data: events.data.map(eventToApi) },
        expired: expired.map((one) => ({ month: formatMonth(one.month), events: Number(one.events) })),
        groups: groups?.map(groupToApi) ?? null,
        corrections: corrections.map((one) => ({ ...changeToApi(one), madeAt: formatInstant(one.madeAt) })),
        explanation: [...explanationOf(line, corrections), ...expired.map(expiredInWords)],
      },
    }
  })

  route(
    app,
    api.downloadAnnex,
  )(async ({ params }) => {
    const shown = await existing(db, params.id)
    if (!isFrozen(shown.invoice.status)) {
      throw new Problem('invoice_not_final', `Invoice ${params.id} is not final yet, so it has no annex.`)
    }
    const annex = await annexOf(db, shown, await ownerOf(db, shown.invoice))
    return { status: 200, body: await documentPdf(annex) }
  })

  route(
    app,
    api.syncInvoice,
  )(async ({ params, query }) => {
    const invoice = await existingInvoice(db, params.id)
    if (isFrozen(invoice.status) || invoice.subscriptionId === null) {
      throw new Problem('invoice_frozen', `Invoice ${params.id} is final.`)
    }
    const { subscriptionId } = invoice
    const plan = query.dryRun
      ? await planSync(parts, subscriptionId)
      : await syncSubscription(parts, subscriptionId, { reason: 'request', looks: query.look })
    if (!query.dryRun) await tryReadProviderUsage(parts, subscriptionId)
    return { status: 200, body: planToApi(invoice, query.dryRun, plan) }
  })
}

export async function existingInvoice(db: Db, id: string): Promise<InvoiceRow> {
  const invoice = await readInvoiceRow(db, id)
  if (!invoice) throw notFound(id)
  return invoice
}

async function existing(db: Db, id: string): Promise<ShownInvoice> {
  const shown = await readInvoice(db, id)
  if (!shown) throw notFound(id)
  return shown
}

const notFound = (id: string) => new Problem('invoice_not_found', `There is no invoice ${id}.`)

async function ownerOf(db: Db, { customerId }: InvoiceRow): Promise<{ externalId: string }> {
  return db.selectFrom('customer').select('externalId').where('id', '=', customerId).executeTakeFirstOrThrow()
}

const groupToApi = ({ dimensions, quantity, events }: GroupShown) => ({
  dimensions: { ...dimensions },
  quantity: formatQuantity(quantity),
  events: Number(events),
})

const eventToApi = ({ time, ...event }: UsageEvent) => ({ ...event, time: formatInstant(time) })

/** Without a plan there was nothing to look at: everything stands as it was last sent. */
function planToApi({ id: invoice, currency }: InvoiceRow, dryRun: boolean, plan: SyncPlan | undefined) {
  const { create = [], update = [], remove = [], keep = [], calls = 0, picture } = plan ?? {}
  const wanted = (item: SyncPlan['create'][number], providerId: string | null) => ({
    line: item.lineKey,
    originInvoice: item.origin.id,
    revision: item.revision,
    description: item.item.description,
    period: { start: formatInstant(item.item.periodStart), end: formatInstant(item.item.periodEnd) },
    quantity: item.item.quantity,
    amount: moneyToApi(item.amount),
    providerId,
  })
  const standing = ({ reference, revision, item, providerId }: SyncPlan['keep'][number]) => ({
    line: reference?.lineKey ?? 'unknown',
    originInvoice: reference?.originInvoiceId ?? invoice,
    revision,
    description: item.description,
    period: { start: formatInstant(item.periodStart), end: formatInstant(item.periodEnd) },
    quantity: item.quantity,
    amount: moneyToApi(money(fromStripeAmount(Number(item.amount), item.currency).minor, currency)),
    providerId,
  })
  const placed = (picture?.items ?? []).filter(({ state }) => state === 'placed')
  return {
    invoice,
    dryRun,
    create: create.map((item) => wanted(item, placedId(placed, item))),
    update: update.map(({ existing: { providerId }, wanted: item }) => wanted(item, providerId)),
    remove: remove.map(standing),
    keep: keep.map(standing),
    calls,
  }
}

type Placed = NonNullable<SyncPlan['picture']>['items']

/**
 * A line by its id. While an invoice runs that is mostly the key of its price, and another one once it is
 * final: so the key goes on to name the line, where it is the only one of that key.
 */
function lineOf(lines: readonly ShownLine[], name: string): ShownLine | undefined {
  const byKey = lines.filter(({ key }) => key === name)
  return lines.find(({ id }) => id === name) ?? (byKey.length === 1 ? byKey[0] : undefined)
}

const MOST_TOLD = 20

/** Says what there is instead: of one price may be several lines, of groups and of periods that are billed late. */
function noLine(asked: { readonly id: string; readonly line: string }, lines: readonly ShownLine[]): Problem {
  const same = lines.filter(({ key }) => key === asked.line)
  const ids = (same.length > 0 ? same : lines).map(({ id }) => id)
  const told = ids.length > MOST_TOLD ? [...ids.slice(0, MOST_TOLD), '…'] : ids
  const why =
    same.length > 0
      ? `${same.length} lines ${asked.line}, ask for one by its id`
      : `no line ${asked.line}, it has`
  return new Problem('invoice_not_found', `Invoice ${asked.id} has ${why}: ${told.join(', ')}.`)
}

/** A line that moves stands somewhere else still. */
function placedId(placed: Placed, { origin, lineKey, revision }: SyncPlan['create'][number]): string | null {
  return (
    placed.find(
      (row) => row.originInvoiceId === origin.id && row.lineKey === lineKey && row.revision === revision,
    )?.providerItemId ?? null
  )
}
