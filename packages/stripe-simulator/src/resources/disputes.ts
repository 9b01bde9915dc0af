import type Stripe from 'stripe'
import { disputeFunds } from '../billing/dispute-funds.ts'
import { closeDispute, hasEvidence, submitEvidence } from '../billing/disputes.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { bool, clearable, gaps, metadata, playedOf, range, shape, text } from '../http/schema.ts'
import type { DisputeRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { findAs } from './lookup.ts'

const URL = '/v1/disputes'
const note = clearable(text(20_000))
const word = clearable(text())

/** "The combined character count of all fields is limited to 150,000." https://docs.stripe.com/api/disputes/update */
const MOST_CHARACTERS = 150_000

const evidence = shape({
  access_activity_log: note,
  billing_address: word,
  cancellation_policy_disclosure: note,
  cancellation_rebuttal: note,
  customer_email_address: word,
  customer_name: word,
  customer_purchase_ip: word,
  duplicate_charge_explanation: note,
  duplicate_charge_id: word,
  product_description: note,
  refund_policy_disclosure: note,
  refund_refusal_explanation: note,
  service_date: word,
  shipping_address: word,
  shipping_carrier: word,
  shipping_date: word,
  shipping_tracking_number: word,
  uncategorized_text: note,
  // Files, which the simulator does not hold.
  ...gaps(
    'appeal',
    'cancellation_policy',
    'customer_communication',
    'customer_signature',
    'duplicate_charge_documentation',
    'enhanced_evidence',
    'receipt',
    'refund_policy',
    'service_documentation',
    'shipping_documentation',
    'uncategorized_file',
  ),
})

/** https://docs.stripe.com/api/disputes */
export const disputeRoutes = [
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(disputeOf(world, path()))),
  post(
    `${URL}/:id`,
    shape({
      evidence,
      metadata,
      submit: bool,
      intended_submission_method: playedOf(
        ['manual', 'prefer_manual'],
        ['prefer_smart_disputes', 'smart_disputes'],
      ),
    }),
    ({ world, params, path }) => {
      const dispute = answerable(disputeOf(world, path()))
      const gathered = { ...dispute.evidence, ...defined(params.evidence ?? {}) }
      const texts = Object.values(gathered).filter((value) => typeof value === 'string')
      if (texts.reduce((sum, value) => sum + value.length, 0) > MOST_CHARACTERS) {
        throw invalid('The evidence of a dispute may have 150,000 characters in all.', 'evidence')
      }
      const next = { ...dispute, evidence: gathered as DisputeRow['evidence'] }
      const { has_evidence: before } = dispute.evidence_details
      // The customer may be called otherwise by now; what Stripe filled in is none of anybody's for that.
      const has = params.evidence === undefined ? before : hasEvidence(world, next)
      const staged = world.disputes.patch(dispute.id, {
        evidence: next.evidence,
        evidence_details: { ...dispute.evidence_details, has_evidence: has },
        intended_submission_method: params.intended_submission_method ?? dispute.intended_submission_method,
        metadata: mergeMetadata(dispute.metadata, params.metadata),
      })
      // Evidence is sent at once unless the caller says that it is only gathered.
      const submits = params.submit ?? params.evidence !== undefined
      if (submits) return world.render(submitEvidence(world, dispute.id))
      world.emit('charge.dispute.updated', staged)
      return world.render(staged)
    },
  ),
  post(`${URL}/:id/close`, nothing, ({ world, path }) =>
    world.render(closeDispute(world, answerable(disputeOf(world, path())).id, 'lost')),
  ),
  get(
    URL,
    shape({ ...paging, charge: text(), created: range, payment_intent: text() }),
    ({ world, params }) =>
      page(world.disputes, params, {
        noun: 'dispute',
        url: URL,
        where: params.charge === undefined ? null : { index: 'charge', key: params.charge },
        matches: (row) =>
          (params.payment_intent === undefined || row.payment_intent === params.payment_intent) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

function disputeOf(world: World, id: string): DisputeRow {
  return findAs('dispute', world.disputes, 'dispute', id)
}

function answerable(dispute: DisputeRow): DisputeRow {
  if (dispute.status === 'needs_response' || dispute.status === 'warning_needs_response') return dispute
  if (dispute.status === 'won' || dispute.status === 'lost') throw invalid('This dispute is already closed')
  throw invalid(`This dispute is ${dispute.status}; it cannot be answered any more.`)
}

export const disputeExpansions: Expansions = {
  dispute: {
    charge: (world, row) => world.render(world.charges.must(row.charge as string)),
    payment_intent: (world, row) =>
      row.payment_intent === null
        ? null
        : world.render(world.paymentIntents.must(row.payment_intent as string)),
  },
}

export function renderDispute(world: World, { own, ...dispute }: DisputeRow): Shown<Stripe.Dispute> {
  return { ...dispute, balance_transactions: disputeFunds(world, { ...dispute, own }) }
}
