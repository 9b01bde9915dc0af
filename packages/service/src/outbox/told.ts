import { disputeEvents } from '@lockstep/core/dispute'
import {
  creditNoteEvents,
  invoiceEvents,
  type OutgoingEventType,
  refundEvents,
  subscriptionEvents,
} from '@lockstep/core/outgoing-event'
import { creditNoteToApi } from '../http/routes/credit-notes.ts'
import { customerToApi } from '../http/routes/customers.ts'
import { disputeToApi } from '../http/routes/disputes.ts'
import { invoiceToApi } from '../http/routes/invoice-to-api.ts'
import { planChangeToApi } from '../http/routes/plan-change-to-api.ts'
import { refundToApi } from '../http/routes/refunds.ts'
import { registrationToApi } from '../http/routes/registration-to-api.ts'
import { spendAlertToApi } from '../http/routes/spend-limit-to-api.ts'
import { subscriptionToApi } from '../http/routes/subscriptions.ts'
import type { Trx } from '../postgres/connect.ts'
import { asItStood } from '../store/as-it-stood.ts'
import { readCreditNote } from '../store/credit-notes.ts'
import { readCustomer } from '../store/customers.ts'
import { readDispute } from '../store/disputes.ts'
import { invoicesOfProvider, readInvoiceRow } from '../store/invoices.ts'
import { entityIdOf } from '../store/mappings.ts'
import type { NewOutgoingEvent, OutgoingChange } from '../store/outgoing-events.ts'
import { readPlanChange } from '../store/plan-changes.ts'
import { readRefund } from '../store/refunds.ts'
import { readRegistration } from '../store/registrations.ts'
import { readAlert } from '../store/spend-alerts.ts'
import { readSubscription } from '../store/subscriptions.ts'
import { readInstallation } from '../workflow/observe/installation.ts'

/** Of one change: what it is called, and whose and of what it is, as the API shows it. */
type Told = Pick<NewOutgoingEvent, 'subjectId' | 'customerId' | 'data'> & {
  readonly types: readonly OutgoingEventType[]
}

type Row = Readonly<Record<string, unknown>>
type Teller = (trx: Trx, change: OutgoingChange) => Promise<Told | undefined>

/** What is told of a change of each table that is watched: the index of it. */
const tellers: Readonly<Record<string, Teller>> = {
  customer: (trx, { subject }) => ofCustomer(trx, subject, 'customer.created'),
  customer_profile: (trx, { subject, after }) =>
    ofCustomer(trx, subject, after === null ? 'customer.deleted' : 'customer.updated'),
  workflow: (trx, change) =>
    change.after?.kind === 'register' ? ofRegistration(trx, change) : ofAskedChange(trx, change),
  customer_at_provider: ofDeletionThere,
  subscription: ofSubscription,
  plan_change: ofPlanChange,
  invoice: ofInvoice,
  spend_alert: ofSpendAlert,
  refund: ofRefund,
  credit_note: ofCreditNote,
  dispute: ofDispute,
  provider_event: (trx, change) =>
    change.after?.type === 'customer.subscription.trial_will_end'
      ? ofTrialEnding(trx, change)
      : ofAttempt(trx, change),
}

/** The events that a change makes; none where nobody needs to hear of it. */
export async function told(trx: Trx, change: OutgoingChange): Promise<NewOutgoingEvent[]> {
  const found = await tellers[change.source]?.(trx, change)
  if (!found) return []
  const { types, ...event } = found
  return types.map((type) => ({ ...event, type, happenedAt: change.changedAt }))
}

/** Never as it stood: who it is stands in one place, where it can be erased. */
async function ofCustomer(trx: Trx, id: string, type: OutgoingEventType): Promise<Told | undefined> {
  const customer = await readCustomer(trx, id)
  return customer && { types: [type], subjectId: id, customerId: id, data: customerToApi(customer) }
}

/** As it stood, since whoever registered meanwhile may be linked to another one already. */
async function ofDeletionThere(trx: Trx, { subject, after }: OutgoingChange): Promise<Told | undefined> {
  const deletedAt = after?.deletedAt
  if (typeof deletedAt !== 'number') return ofCustomer(trx, subject, 'customer.updated')
  const customer = await readCustomer(trx, subject)
  if (!customer) return undefined
  const stood = { ...customer, providerId: null, deletedAtProvider: deletedAt }
  const types = ['customer.deleted_at_provider'] as const
  return { types, subjectId: subject, customerId: subject, data: customerToApi(stood) }
}

const registrationTypes: Readonly<Record<string, OutgoingEventType>> = {
  completed: 'registration.completed',
  requiresAction: 'registration.requires_action',
  rolledBack: 'registration.failed',
  parked: 'registration.parked',
}

async function ofRegistration(trx: Trx, { subject, after }: OutgoingChange): Promise<Told | undefined> {
  const row = await trx
    .selectFrom('registration')
    .select('id')
    .where('workflowId', '=', subject)
    .executeTakeFirst()
  const type = registrationTypes[String(after?.state)]
  if (!row || !type || !after) return undefined
  const registration = await readRegistration(asItStood(trx, 'workflow', after), row.id)
  return registration && { types: [type], ...ofOwn(registration), data: registrationToApi(registration) }
}

/** A change of plan whose customer has to confirm the payment. */
async function ofAskedChange(trx: Trx, { subject, after }: OutgoingChange): Promise<Told | undefined> {
  if (after?.state !== 'requiresAction') return undefined
  const row = await trx
    .selectFrom('planChange')
    .select('id')
    .where('workflowId', '=', subject)
    .executeTakeFirst()
  const change = row && (await readPlanChange(asItStood(trx, 'workflow', after), row.id))
  if (!change) return undefined
  return { types: ['plan_change.requires_action'], ...ofOwn(change), data: planChangeToApi(change) }
}

async function ofSubscription(trx: Trx, { subject, before, after, changedAt }: OutgoingChange) {
  if (!after) return undefined
  const subscription = await readSubscription(asItStood(trx, 'subscription', after), subject)
  if (!subscription) return undefined
  const types = subscriptionEvents(before && standingOf(before), standingOf(after))
  return { types, ...ofOwn(subscription), data: subscriptionToApi(subscription, changedAt) }
}

/** The row as the trigger wrote it down, by the names of its columns. */
function standingOf(row: Row) {
  return {
    status: row.status,
    collection: row.collection,
    planVersionId: row.plan_version_id,
    quantity: row.quantity,
    addons: row.addons,
    currentPeriodEnd: row.current_period_end,
    trialEnd: row.trial_end,
    cancelAt: row.cancel_at,
    cancelAtPeriodEnd: row.cancel_at_period_end,
  } as Parameters<typeof subscriptionEvents>[1]
}

const planChangeTypes: Readonly<Record<string, OutgoingEventType>> = {
  scheduled: 'plan_change.scheduled',
  effective: 'plan_change.effective',
  withdrawn: 'plan_change.withdrawn',
  refused: 'plan_change.refused',
}

async function ofPlanChange(trx: Trx, { subject, after }: OutgoingChange): Promise<Told | undefined> {
  const type = planChangeTypes[String(after?.state)]
  if (!type || !after) return undefined
  const change = await readPlanChange(asItStood(trx, 'planChange', after), subject)
  return change && { types: [type], ...ofOwn(change), data: planChangeToApi(change) }
}

async function ofInvoice(trx: Trx, { subject, before, after }: OutgoingChange): Promise<Told | undefined> {
  if (!before || !after) return undefined
  const types = invoiceEvents(statusOf(before), statusOf(after))
  if (types.length === 0) return undefined
  return invoiceTold(trx, await readInvoiceRow(asItStood(trx, 'invoice', after), subject), types)
}

async function invoiceTold(
  trx: Trx,
  invoice: Awaited<ReturnType<typeof readInvoiceRow>>,
  types: readonly OutgoingEventType[],
): Promise<Told | undefined> {
  const customer = invoice && (await readCustomer(trx, invoice.customerId))
  return customer && { types, ...ofOwn(invoice), data: invoiceToApi(invoice, customer) }
}

async function ofRefund(trx: Trx, { subject, before, after }: OutgoingChange): Promise<Told | undefined> {
  if (!after) return undefined
  const types = refundEvents(before && statusOf(before), statusOf(after))
  const refund = types.length > 0 && (await readRefund(asItStood(trx, 'refund', after), subject))
  return refund ? { types, ...ofOwn(refund), data: refundToApi(refund) } : undefined
}

async function ofDispute(trx: Trx, { subject, before, after }: OutgoingChange): Promise<Told | undefined> {
  if (!after) return undefined
  const types = disputeEvents(before && statusOf(before), statusOf(after))
  const dispute = types.length > 0 && (await readDispute(asItStood(trx, 'dispute', after), subject))
  return dispute ? { types, ...ofOwn(dispute), data: disputeToApi(dispute) } : undefined
}

async function ofCreditNote(trx: Trx, { subject, before, after }: OutgoingChange): Promise<Told | undefined> {
  if (!after) return undefined
  const types = creditNoteEvents(before && statusOf(before), statusOf(after))
  const note = types.length > 0 && (await readCreditNote(asItStood(trx, 'creditNote', after), subject))
  return note ? { types, ...ofOwn(note), data: creditNoteToApi(note) } : undefined
}

/** It never changes, so it is read as it stands. */
async function ofSpendAlert(trx: Trx, { subject }: OutgoingChange): Promise<Told | undefined> {
  const alert = await readAlert(trx, subject)
  if (!alert) return undefined
  const type = alert.kind === 'cap' ? 'spend_limit.cap_reached' : 'spend_limit.alert_reached'
  return {
    types: [type],
    subjectId: alert.limitId,
    customerId: alert.customerId,
    data: spendAlertToApi(alert),
  }
}

async function ofAttempt(trx: Trx, { subject, after }: OutgoingChange): Promise<Told | undefined> {
  const [invoice] = await invoicesOfProvider(trx, [subject])
  const type =
    after?.type === 'invoice.payment_failed' ? 'invoice.payment_failed' : 'invoice.payment_action_required'
  return invoiceTold(trx, invoice, [type])
}

async function ofTrialEnding(trx: Trx, { subject, changedAt }: OutgoingChange): Promise<Told | undefined> {
  const id = await entityIdOf(trx, await readInstallation(trx), 'subscription', subject)
  const subscription = id === undefined ? undefined : await readSubscription(trx, id)
  if (!subscription) return undefined
  const data = subscriptionToApi(subscription, changedAt)
  return { types: ['subscription.trial_ending'], ...ofOwn(subscription), data }
}

const ofOwn = ({ id, customerId }: { readonly id: string; readonly customerId: string }) => ({
  subjectId: id,
  customerId,
})

const statusOf = <Status extends string>(row: Row) => row.status as Status
