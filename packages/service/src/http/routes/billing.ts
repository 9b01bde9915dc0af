import * as api from '@lockstep/api/customers'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { isLive } from '@lockstep/core/subscription'
import type { PgBoss } from 'pg-boss'
import type { Clock } from '../../clock.ts'
import { readCustomerInvoices, type ShownInvoice } from '../../invoice/read.ts'
import { requestSync } from '../../jobs/sync-invoices.ts'
import type { Log } from '../../log.ts'
import type { Db } from '../../postgres/connect.ts'
import { readCustomer } from '../../store/customers.ts'
import { unpaidInvoices } from '../../store/invoices.ts'
import { listSubscriptions } from '../../store/subscriptions.ts'
import type { SumsAhead } from '../../usage/sums-ahead.ts'
import { customerTime } from '../../workflow/observe/customer-time.ts'
import { type App, route } from '../route.ts'
import { customerToApi } from './customers.ts'
import { invoiceToApi, invoiceWithLinesToApi, isStale } from './invoice-to-api.ts'
import { subscriptionToApi } from './subscriptions.ts'

/** More than Stripe lets one customer have. */
const MOST_SUBSCRIPTIONS = 500

/** A page that is looked at again and again has the provider told no more often than this. */
const SYNC_AGAIN_AFTER_SECONDS = 60

interface BillingParts {
  readonly db: Db
  readonly clock: Clock
  readonly boss: PgBoss
  /** Without it nothing is added up in advance. */
  readonly sumsAhead?: SumsAhead
}

/** A customer's billing in one read: what a billing page shows. Looking at stale figures has them sent. */
export function billingRoutes(app: App, parts: BillingParts): void {
  const { db, clock } = parts
  route(
    app,
    api.readBilling,
  )(async ({ params, log }) => {
    const [customer, subscriptions, invoices, unpaid, now] = await Promise.all([
      readCustomer(db, params.id),
      listSubscriptions(db, { customer: params.id, now: clock.now(), limit: MOST_SUBSCRIPTIONS }),
      readCustomerInvoices(db, params.id),
      unpaidInvoices(db, { customerId: params.id }),
      customerTime(db, clock, params.id),
    ])
    if (!customer) throw new Problem('customer_not_found', `There is no customer ${params.id}.`)
    for (const { invoice } of invoices) parts.sumsAhead?.noticeRead(invoice, now)
    // One that is over is shown until its last invoice is final.
    const shown = subscriptions
      .filter(
        ({ id, status }) => isLive(status) || invoices.some(({ invoice }) => invoice.subscriptionId === id),
      )
      .sort((a, b) => Number(b.slot === 'default') - Number(a.slot === 'default'))
    const toSync = toSynchronize(invoices, clock.now())
    await requestAll(parts, toSync, log)
    return {
      status: 200,
      body: {
        customer: customerToApi(customer),
        subscriptions: shown.map((subscription) => {
          const own = invoices.filter(({ invoice }) => invoice.subscriptionId === subscription.id)
          const toApi = (one: ShownInvoice) => invoiceWithLinesToApi(one, customer, now)
          const current = own.find(({ invoice }) => invoice.status === 'current')
          return {
            subscription: subscriptionToApi(subscription, clock.now()),
            currentInvoice: current ? toApi(current) : null,
            closingInvoices: own.filter(({ invoice }) => invoice.status === 'closing').map(toApi),
          }
        }),
        openInvoices: unpaid.map((row) => invoiceToApi(row, customer)),
        syncedAt: oldestSync(invoices),
        stale: invoices.some(({ invoice }) => isStale(invoice)),
        syncRequested: toSync.length > 0,
      },
    }
  })
}

/** The subscriptions of stale invoices that were not told of a moment ago. */
function toSynchronize(invoices: readonly ShownInvoice[], now: Instant): string[] {
  const stale = invoices.filter(
    ({ invoice }) =>
      isStale(invoice) && (invoice.syncedAt === null || now - invoice.syncedAt >= SYNC_AGAIN_AFTER_SECONDS),
  )
  return [...new Set(stale.flatMap(({ invoice }) => invoice.subscriptionId ?? []))]
}

/** The page is shown all the same: without this the schedule tells the provider. */
async function requestAll(parts: BillingParts, subscriptionIds: readonly string[], log: Log): Promise<void> {
  try {
    for (const id of subscriptionIds) await requestSync(parts, id)
  } catch (err) {
    log.warn({ err, subscriptions: subscriptionIds }, 'A sync could not be requested.')
  }
}

/** Everything shown was told to the provider at this moment or later; null if something never was. */
function oldestSync(invoices: readonly ShownInvoice[]): string | null {
  const times = invoices.map(({ invoice }) => invoice.syncedAt)
  const known = times.filter((at) => at !== null)
  return known.length === 0 || known.length < times.length ? null : formatInstant(Math.min(...known))
}
