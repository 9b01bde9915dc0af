import * as api from '@lockstep/api/customers'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { isLive } from '@lockstep/core/subscription'
import type { Clock } from '../../clock.ts'
import { readCustomerInvoices, type ShownInvoice } from '../../invoice/read.ts'
import type { Db } from '../../postgres/connect.ts'
import { readCustomer } from '../../store/customers.ts'
import { listSubscriptions } from '../../store/subscriptions.ts'
import { type App, route } from '../route.ts'
import { customerToApi } from './customers.ts'
import { invoiceWithLinesToApi, isStale } from './invoice-to-api.ts'
import { subscriptionToApi } from './subscriptions.ts'

/** More than Stripe lets one customer have. */
const MOST_SUBSCRIPTIONS = 500

/** A customer's billing in one read: what a billing page shows. */
export function billingRoutes(app: App, { db, clock }: { readonly db: Db; readonly clock: Clock }): void {
  route(
    app,
    api.readBilling,
  )(async ({ params }) => {
    const [customer, subscriptions, invoices] = await Promise.all([
      readCustomer(db, params.id),
      listSubscriptions(db, { customer: params.id, now: clock.now(), limit: MOST_SUBSCRIPTIONS }),
      readCustomerInvoices(db, params.id),
    ])
    if (!customer) throw new Problem('customer_not_found', `There is no customer ${params.id}.`)
    // One that is over is shown until its last invoice is final.
    const shown = subscriptions
      .filter(
        ({ id, status }) => isLive(status) || invoices.some(({ invoice }) => invoice.subscriptionId === id),
      )
      .sort((a, b) => Number(b.slot === 'default') - Number(a.slot === 'default'))
    return {
      status: 200,
      body: {
        customer: customerToApi(customer),
        subscriptions: shown.map((subscription) => {
          const own = invoices.filter(({ invoice }) => invoice.subscriptionId === subscription.id)
          const toApi = (one: ShownInvoice) => invoiceWithLinesToApi(one, customer)
          const current = own.find(({ invoice }) => invoice.status === 'current')
          return {
            subscription: subscriptionToApi(subscription, clock.now()),
            currentInvoice: current ? toApi(current) : null,
            closingInvoices: own.filter(({ invoice }) => invoice.status === 'closing').map(toApi),
          }
        }),
        syncedAt: oldestSync(invoices),
        stale: invoices.some(({ invoice }) => isStale(invoice)),
      },
    }
  })
}

/** Everything shown was told to the provider at this moment or later; null if something never was. */
function oldestSync(invoices: readonly ShownInvoice[]): string | null {
  const times = invoices.map(({ invoice }) => invoice.syncedAt)
  const known = times.filter((at) => at !== null)
  return known.length === 0 || known.length < times.length ? null : formatInstant(Math.min(...known))
}
