import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import type { Clock } from '../clock.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { fetchCustomer, fetchInvoice, fetchSubscription } from '../provider/stripe/fetch.ts'
import { idOf, ownReference } from '../provider/stripe/field.ts'
import {
  chargeInvoiceTo,
  clearDefaultMethod,
  deleteSource,
  detachMethod,
  listCollected,
  listMethods,
  type Methods,
} from '../provider/stripe/left-methods.ts'
import { isMissing } from '../provider/stripe/problems.ts'
import {
  addErasure,
  type CustomerErasure,
  endErasure,
  markReady,
  noteLeft,
  openErasures,
  readErasure,
  takeUpErasures,
} from '../store/customer-erasures.ts'
import { addDue } from '../store/due.ts'
import { invoicesOfProvider } from '../store/invoices.ts'
import { providerIdOf } from '../store/mappings.ts'
import type { DueKind } from './due.ts'
import { isRefusal } from './journal.ts'
import type { LookDeps } from './look.ts'
import { customerTime } from './observe/customer-time.ts'

const DETACH_LEFT_METHODS = 'detach-left-methods'

/** Has what a person left at the provider taken off, in the transaction that forgets the person. */
export async function leaveMethods(
  trx: Trx,
  { clock }: { readonly clock: Clock },
  customer: { readonly id: string; readonly providerId: string },
): Promise<void> {
  const { id: customerId, providerId } = customer
  const id = await addErasure(trx, { customerId, providerId, at: clock.now() })
  await addDetaching(trx, clock, { id, customerId })
}

/** The same of whom an earlier version forgot; how many that are. */
export async function leaveMethodsOfForgotten(trx: Trx, clock: Clock): Promise<number> {
  const taken = await takeUpErasures(trx, clock.now())
  for (const erasure of taken) await addDetaching(trx, clock, erasure)
  return taken.length
}

async function addDetaching(
  trx: Trx,
  clock: Clock,
  { id, customerId }: Pick<CustomerErasure, 'id' | 'customerId'>,
): Promise<void> {
  const dueAt = await customerTime(trx, clock, customerId)
  await addDue(trx, { customerId, kind: DETACH_LEFT_METHODS, subjectId: id, dueAt, at: clock.now() })
}

export const detachLeftMethods: DueKind = {
  kind: DETACH_LEFT_METHODS,
  run: (deps, { subjectId }) => detachLeft(deps, subjectId),
}

/**
 * Goes on with what a forgotten person left to be charged, as far as it goes now: notes what is there, has what is still
 * to be collected charged to it by name and nothing else, and takes it off when nothing waits for it any more. Done twice, or by
 * two at once, it is done once.
 *
 * @returns null: something waits for it
 */
export async function detachLeft(deps: LookDeps, id: string): Promise<string | null> {
  const { db, clock } = deps
  const erasure = await readErasure(db, id)
  if (erasure.outcome !== null) return erasure.outcome
  const end = async (outcome: NonNullable<CustomerErasure['outcome']>) => {
    await endErasure(db, id, { outcome, at: clock.now() })
    return outcome
  }
  if ((await providerIdOf(db, 'customer', erasure.customerId)) !== erasure.providerId) return end('unlinked')
  // What we know of needs no question: whoever collects it tells.
  if (erasure.readyAt !== null && (await isCollectedHere(db, erasure))) return null
  const customer = await customerThere(deps, erasure.providerId)
  if (customer === undefined) return end('deleted')
  const noted = erasure.paymentMethods === null ? await note(deps, erasure, customer) : erasure
  const waiting = await waitingFor(deps, noted, customer)
  if (waiting.isShared || waiting.count > 0) {
    if (noted.readyAt === null) await makeReady(deps, noted, customer, waiting)
    return null
  }
  await takeOff(deps, noted, customer)
  return end('detached')
}

/**
 * Before anything is bought for a customer of whom somebody was forgotten: from here on the old default pays for
 * nothing new, and everything that was there then is known, so that what is given now is not among it.
 */
export async function passErasures(
  deps: LookDeps,
  customerId: string,
  { bringsMethod }: { readonly bringsMethod: boolean },
): Promise<void> {
  for (const { id, readyAt } of await openErasures(deps.db, customerId))
    if (readyAt === null) await detachLeft(deps, id)
  const open = await openErasures(deps.db, customerId)
  if (open.some(({ readyAt }) => readyAt === null))
    throw new Error('It is not settled yet what the payment methods of who was forgotten pay for.')
  if (!bringsMethod && open.some(({ defaultStays }) => defaultStays))
    throw new Problem('payment_method_required', LEFT_PAYS_NOTHING)
}

/** Why a card that is there is none. */
export const LEFT_PAYS_NOTHING =
  'What is there was left by a person who was erased, and pays for nothing new: name a payment method, or ask for a payment page.'

/** What a dry run says of it: what would be taken off, and what would have to be collected first. */
export interface Left {
  readonly methods: readonly { readonly id: string; readonly type: string }[]
  readonly waitsFor: readonly string[]
}

/** Null where there is no such customer, or nobody can be asked at this moment. */
export async function showLeft(deps: LookDeps, providerId: string): Promise<Left | null> {
  try {
    const customer = await customerThere(deps, providerId)
    if (customer === undefined) return null
    const { methods, sources } = await listMethods(deps, customer)
    const { subscriptions, invoices } = await listCollected(deps, providerId)
    return {
      methods: [
        ...methods.map(({ id, type }) => ({ id, type })),
        ...sources.map((id) => ({ id, type: 'source' })),
      ],
      waitsFor: [...new Set([...subscriptions, ...invoices].map(({ id }) => id))],
    }
  } catch (error) {
    // An erasure is not held up by an outage; the deed is queued then, too.
    if (error instanceof Problem && error.code === 'provider_unavailable') return null
    throw error
  }
}

async function customerThere(deps: LookDeps, providerId: string): Promise<Stripe.Customer | undefined> {
  try {
    const customer = await fetchCustomer(deps, providerId)
    return customer.deleted ? undefined : customer
  } catch (error) {
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  }
}

/** Notes what is there. Nothing new is given through us before that, and what was given meanwhile elsewhere says when it was made. */
async function note(
  deps: LookDeps,
  erasure: CustomerErasure,
  customer: Stripe.Customer,
): Promise<CustomerErasure> {
  const { erasedAt, recordedAt } = erasure
  const { methods, sources } = await listMethods(deps, customer)
  const { subscriptions, invoices } = await listCollected(deps, customer.id)
  const isSince = ({ created }: Methods['methods'][number]) => created > erasedAt && created <= recordedAt
  await noteLeft(deps.db, erasure.id, {
    paymentMethods: methods.filter((method) => !isSince(method)).map(({ id }) => id),
    sources: [...sources],
    waitsFor: [...new Set([...subscriptions, ...invoices].map(({ id }) => id))],
  })
  return readErasure(deps.db, erasure.id)
}

/** Whether something that waits for it is known here, and not collected. */
async function isCollectedHere(db: Db, { waitsFor }: CustomerErasure): Promise<boolean> {
  const known = await invoicesOfProvider(db, waitsFor ?? [])
  return known.some(({ status }) => status === 'open' || status === 'draft' || status === 'closing')
}

interface Waiting {
  /** Another installation uses this customer, or what is there: nothing of it is touched. */
  readonly isShared: boolean
  readonly count: number
  readonly subscriptions: readonly Stripe.Subscription[]
  readonly invoices: readonly Stripe.Invoice[]
}

/** What was there already when the person was forgotten; what is begun since brings what it is paid by. */
async function waitingFor(
  deps: LookDeps,
  { waitsFor }: CustomerErasure,
  customer: Stripe.Customer,
): Promise<Waiting> {
  const isOthers = ({ metadata }: { readonly metadata: Stripe.Metadata | null }) => {
    const { instance } = ownReference(metadata)
    return instance !== null && instance !== deps.provider.instance
  }
  const { subscriptions, invoices } = await listCollected(deps, customer.id)
  const waits = ({ id }: { readonly id: string }) => waitsFor?.includes(id) === true
  const found = [...subscriptions, ...invoices]
  return {
    isShared: isOthers(customer) || found.some(isOthers),
    count: found.filter(waits).length,
    subscriptions: subscriptions.filter(waits),
    invoices: invoices.filter(waits),
  }
}

/** Has the invoices that wait charged to what they would be charged to, by name, and nothing else. */
async function makeReady(
  deps: LookDeps,
  erasure: CustomerErasure,
  customer: Stripe.Customer,
  { isShared, subscriptions, invoices }: Waiting,
): Promise<void> {
  const { db, clock } = deps
  const ready = (defaultStays: boolean) => markReady(db, erasure.id, { defaultStays, at: clock.now() })
  // A subscription that lives makes more invoices than those.
  if (isShared || subscriptions.length > 0) return ready(true)
  const { default_payment_method: method } = customer.invoice_settings
  const { default_source: source } = customer
  const by =
    method !== null
      ? { default_payment_method: idOf(method) }
      : source !== null
        ? { default_source: idOf(source) }
        : undefined
  if (by === undefined) return ready(false)
  for (const invoice of invoices) await chargeBy(deps, erasure, invoice, by)
  const isLeft = method !== null && erasure.paymentMethods?.includes(idOf(method)) === true
  const { customerId: id, providerId } = erasure
  if (isLeft) await clearDefaultMethod(deps, `${erasure.id}/default`, { id, providerId })
  // The default of the older kind cannot be cleared, but by taking it off.
  await ready(source !== null)
}

async function chargeBy(
  deps: LookDeps,
  { id }: CustomerErasure,
  invoice: Stripe.Invoice,
  by: Parameters<typeof chargeInvoiceTo>[3],
): Promise<void> {
  if (invoice.collection_method !== 'charge_automatically' || namesMethod(invoice)) return
  const subscription = invoice.parent?.subscription_details?.subscription ?? null
  if (subscription !== null && namesMethod(await fetchSubscription(deps, idOf(subscription)))) return
  try {
    await chargeInvoiceTo(deps, `${id}/${invoice.id}`, invoice, by)
  } catch (error) {
    if (!isRefusal(error)) throw error
    // Paid at this moment, it needs no card any more.
    const { status } = await fetchInvoice(deps, invoice.id)
    if (status === 'open' || status === 'draft') throw error
  }
}

/** Comes before the customer's own default. https://docs.stripe.com/billing/invoices/subscription#payment-method */
const namesMethod = (one: Pick<Stripe.Invoice, 'default_payment_method' | 'default_source'>): boolean =>
  one.default_payment_method !== null || one.default_source !== null

async function takeOff(deps: LookDeps, erasure: CustomerErasure, customer: Stripe.Customer): Promise<void> {
  const left = async () => {
    const { methods, sources } = await listMethods(deps, customer)
    return {
      methods: methods.map(({ id }) => id).filter((id) => erasure.paymentMethods?.includes(id)),
      sources: sources.filter((id) => erasure.sources?.includes(id)),
    }
  }
  const owner = { id: erasure.customerId, providerId: erasure.providerId }
  const { methods, sources } = await left()
  const goneMeanwhile = async (kind: 'methods' | 'sources', id: string, error: unknown) => {
    if (!isRefusal(error) || (await left())[kind].includes(id)) throw error
  }
  for (const id of methods) {
    await detachMethod(deps, `${erasure.id}/${id}`, owner, id).catch((error: unknown) =>
      goneMeanwhile('methods', id, error),
    )
  }
  for (const id of sources) {
    await deleteSource(deps, `${erasure.id}/${id}`, owner, id).catch((error: unknown) =>
      goneMeanwhile('sources', id, error),
    )
  }
}
