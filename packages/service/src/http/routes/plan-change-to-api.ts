import { formatInstant, type Instant } from '@lockstep/core/instant'
import { attachedOf } from '../../store/addons.ts'
import type { PlanChange } from '../../store/plan-changes.ts'
import { awaitsCustomer, problemOf } from '../../store/workflows.ts'
import type { ChangePreview, PreviewInvoice } from '../../workflow/plan-change/preview.ts'
import type { RequiredAction } from '../../workflow/registration-record.ts'
import { moneyToApi } from '../money-to-api.ts'

/** A change as its readers see it: with what the customer has to do, and why it came to nothing. */
export function planChangeToApi(change: PlanChange) {
  const problem = problemOf(change.problem)
  return {
    id: change.id,
    subscription: change.subscriptionId,
    customer: change.customerId,
    from: {
      ...{ plan: change.fromPlanKey, planVersion: change.fromPlanVersion },
      ...{ quantity: change.fromQuantity, addons: change.fromAddons },
    },
    to: {
      ...{ plan: change.planKey, planVersion: change.planVersion },
      ...{ quantity: change.quantity, addons: change.addons },
    },
    coupons: change.coupons,
    withoutCoupons: change.withoutCoupons,
    direction: change.direction,
    takesEffect: change.takesEffect,
    state: stateOf(change),
    action: actionOf(change),
    problem: problem ? { code: problem.code, title: problem.title, detail: problem.detail } : null,
    dueAt: timeOf(change.dueAt),
    effectiveAt: timeOf(change.effectiveAt),
    contract: change.concluded,
    requestedBy: change.requestedBy,
    requestOrigin: change.requestOrigin,
    createdAt: formatInstant(change.createdAt),
  }
}

function stateOf({ state, workflowState, action }: PlanChange) {
  if (state !== 'applying') return state
  if (awaitsCustomer({ state: workflowState, action })) return 'requiresAction' as const
  return workflowState === 'parked' ? workflowState : state
}

function actionOf({ action }: PlanChange) {
  if (action === null) return null
  const { type, url, expiresAt } = action as RequiredAction
  return { type, url, expiresAt: formatInstant(expiresAt) }
}

export function previewToApi({ decision, dueNow, nextInvoice, ...preview }: ChangePreview) {
  const { subscription, from, to, quantity, addons, direction, takesEffect, startsPeriod, scheduled } =
    decision
  return {
    subscription: subscription.id,
    from: {
      ...{ plan: from.plan.key, planVersion: from.version },
      ...{ quantity: subscription.quantity, addons: subscription.addons },
    },
    to: { plan: to.plan.key, planVersion: to.version, quantity, addons: addons.map(attachedOf) },
    ...{ direction, takesEffect, startsPeriod },
    takesEffectAt: formatInstant(preview.takesEffectAt),
    dueNow: dueNow && invoiceToApi(dueNow),
    nextInvoice: nextInvoice && invoiceToApi(nextInvoice),
    recurring: moneyToApi(preview.recurring),
    contractChanges: preview.contractChanges,
    warnings: preview.warnings,
    withdraws: scheduled?.id ?? null,
    needsPaymentPage: decision.needsPaymentPage,
    secondOpinion: preview.secondOpinion.kind,
    token: preview.token,
    expiresAt: formatInstant(preview.expiresAt),
  }
}

export function invoiceToApi({ at, lines, subtotal, total, amountDue, credited }: PreviewInvoice) {
  return {
    at: formatInstant(at),
    lines: lines.map(({ period, amount, ...line }) => ({
      ...line,
      period: { start: formatInstant(period.start), end: formatInstant(period.end) },
      amount: moneyToApi(amount),
    })),
    subtotal: moneyToApi(subtotal),
    total: moneyToApi(total),
    amountDue: moneyToApi(amountDue),
    credited: moneyToApi(credited),
  }
}

const timeOf = (at: Instant | null) => (at === null ? null : formatInstant(at))
