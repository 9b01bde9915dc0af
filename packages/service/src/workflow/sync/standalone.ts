import type Stripe from 'stripe'
import { newId } from '../../ids.ts'
import type { Db } from '../../postgres/connect.ts'
import { callStripe, MadeAndGone, wasReplayed } from '../../provider/stripe/call.ts'
import { isOf, ownMetadata } from '../../provider/stripe/metadata.ts'
import { restTerms } from '../../provider/stripe/rest-terms.ts'
import { letGoOfDiscounts } from '../../store/held-discounts.ts'
import { type InvoiceRow, noProviderInvoice } from '../../store/invoices.ts'
import { nextObservation, readObject } from '../../store/provider-objects.ts'
import { sqlTime } from '../../store/time.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { observe } from '../observe.ts'
import type { Picture } from './picture.ts'
import { isRefusal } from './place.ts'
import { restDiscounts } from './rest-discounts.ts'

/**
 * Makes the invoice for what is left of a subscription that is over: no renewal will come to take it.
 * Stripe finalizes and collects it after an hour, so should we stop half-way, what stands on it is
 * still billed; the rest goes onto another one.
 */
export async function createStandalone(deps: LookDeps, picture: Picture): Promise<void> {
  const home = await homeOf(deps.db, picture)
  const { subscription, provider } = picture
  const id = `standalone/${home.id}/${home.draftsLost}`
  const { discounts, metadata } = await restDiscounts(deps, picture, home, id)
  const body = {
    customer: provider.customer,
    currency: subscription.currency,
    auto_advance: true,
    // It names its items: what waits for other reasons stays where it is.
    pending_invoice_items_behavior: 'exclude' as const,
    ...(await termsOf(deps.db, provider.subscription)),
    discounts,
    metadata: ownMetadata(deps.provider, id, {
      ...metadata,
      lockstep_customer: subscription.customerId,
      lockstep_subscription: subscription.id,
      lockstep_invoice: home.id,
    }),
  }
  const observation = await nextObservation(deps.db)
  const object = await callStripe(
    deps,
    { id, kind: 'createInvoice', subjectId: home.id, body, removable: true },
    (stripe, options) => stripe.invoices.create(body, options),
    async (stripe) => {
      for await (const invoice of stripe.invoices.list({ customer: provider.customer, limit: 100 })) {
        if (isOf(deps.provider, id, invoice)) return invoice
      }
      return undefined
    },
  ).catch(async (error: unknown) => {
    if (error instanceof MadeAndGone) return undefined
    if (isRefusal(error)) {
      await letGoOfDiscounts(deps.db, home.id)
      // What the customer had may be gone meanwhile, and nobody told us yet.
      await lookAt(deps, { type: 'customer', id: provider.customer })
    }
    throw error
  })
  if (object && !wasReplayed(object)) {
    await observe(deps, { type: 'invoice', object, observation, source: 'write' })
    return
  }
  // Stripe's memory of an earlier try says how it was then, not how it is.
  const look = object && (await lookAt(deps, { type: 'invoice', id: object.id }))
  if (look === undefined || look.kind === 'gone') await countLost(deps.db, home)
}

/**
 * A process died before it wrote down the draft that it had made, and somebody deleted that: the next one is another. One
 * that was written down is counted by whoever hears that it is gone.
 */
async function countLost(db: Db, { id, draftsLost }: InvoiceRow): Promise<void> {
  await db
    .updateTable('invoice')
    .set({ draftsLost: draftsLost + 1 })
    .where('id', '=', id)
    .where('draftsLost', '=', draftsLost)
    .where('providerInvoiceId', 'is', null)
    .execute()
}

/** The last period's own invoice, if Stripe made none for it; otherwise one that only carries the rest. */
async function homeOf(db: Db, { subscription, invoices, now }: Picture): Promise<InvoiceRow> {
  const free = invoices.filter(
    ({ status, providerInvoiceId }) =>
      providerInvoiceId === null && (status === 'closing' || status === 'draft'),
  )
  // Nothing is left of a period that was taken back.
  const home = free.findLast(({ periodStart, periodEnd }) => periodStart < periodEnd) ?? free.at(-1)
  if (home) return home
  return db
    .insertInto('invoice')
    .values({
      ...noProviderInvoice,
      id: newId('invoice'),
      customerId: subscription.customerId,
      subscriptionId: subscription.id,
      planVersionId: null,
      billingReason: 'manual',
      status: 'draft',
      currency: subscription.currency,
      periodStart: sqlTime(subscription.currentPeriodStart),
      periodEnd: sqlTime(subscription.currentPeriodEnd),
      openedAt: sqlTime(now),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** As its other invoices were, as it was last seen. */
async function termsOf(db: Db, providerSubscription: string): Promise<Partial<Stripe.InvoiceCreateParams>> {
  const known = await readObject(db, { type: 'subscription', id: providerSubscription })
  return restTerms((known?.raw ?? {}) as Partial<Stripe.Subscription>)
}
