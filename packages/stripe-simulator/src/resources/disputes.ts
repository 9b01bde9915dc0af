import { closeDispute, submitEvidence } from '../billing/disputes.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { bool, clearable, gaps, metadata, range, shape, text } from '../http/schema.ts'
import type { DisputeRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { findAs } from './lookup.ts'

const URL = '/v1/disputes'
const note = clearable(text(20_000))

const evidence = shape({
  access_activity_log: note,
  billing_address: note,
  cancellation_policy_disclosure: note,
  cancellation_rebuttal: note,
  customer_email_address: note,
  customer_name: note,
  customer_purchase_ip: note,
  duplicate_charge_explanation: note,
  duplicate_charge_id: note,
  product_description: note,
  refund_policy_disclosure: note,
  refund_refusal_explanation: note,
  service_date: note,
  shipping_address: note,
  shipping_carrier: note,
  shipping_date: note,
  shipping_tracking_number: note,
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
    shape({ evidence, metadata, submit: bool, ...gaps('intended_submission_method') }),
    ({ world, params, path }) => {
      const dispute = answerable(disputeOf(world, path()))
      const gathered = { ...dispute.evidence, ...defined(params.evidence ?? {}) }
      const texts = Object.values(gathered).filter((value) => typeof value === 'string')
      const staged = world.disputes.patch(dispute.id, {
        evidence: gathered as DisputeRow['evidence'],
        evidence_details: { ...dispute.evidence_details, has_evidence: texts.length > 0 },
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
