import type { AttachedAddon } from '@lockstep/core/addon'
import {
  type Agreement,
  agreementOf,
  type ContractDocument,
  canonicalText,
  contractFormatOf,
} from '@lockstep/core/contract'
import { amend } from '@lockstep/core/contract-amendment'
import type { Discount } from '@lockstep/core/discount'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import type { Trx } from '../postgres/connect.ts'
import { agreedOf, loadAttached } from '../store/addons.ts'
import {
  addContract,
  lastLink,
  lockChain,
  readAcceptance,
  readContract,
  readContractInForce,
} from '../store/contracts.ts'
import { readFeatures } from '../store/features.ts'
import { loadPlanVersion } from '../store/plans.ts'
import { readSeller } from '../store/seller.ts'
import { readSubscription } from '../store/subscriptions.ts'
import { type Accepted, contractIdOf, recordAcceptance } from './acceptance.ts'
import { sha256 } from './digest.ts'

export interface Conclusion {
  readonly customerId: string
  readonly subscriptionId: string
  readonly planVersionId: string
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
  readonly discounts: readonly Discount[]
  /** Where they are others than the plan's. */
  readonly trialDays?: number
  /** Where it was asked for, in the application's words. */
  readonly requestOrigin: string | null
  /** Now, in the customer's own time. */
  readonly at: Instant
}

/**
 * Makes the first contract of a subscription, of what was accepted when it was asked for
 * ({@link recordAcceptance}). Concluding again changes nothing and answers the same contract.
 */
export async function concludeContract(trx: Trx, conclusion: Conclusion): Promise<string> {
  const { customerId, subscriptionId, planVersionId, quantity, discounts, at } = conclusion
  const contractId = contractIdOf(subscriptionId)
  const [, known, { plan, version }, subscription, features, acceptance, addons] = await Promise.all([
    lockChain(trx, customerId),
    readContract(trx, contractId),
    loadPlanVersion(trx, planVersionId),
    readSubscription(trx, subscriptionId),
    readFeatures(trx),
    readAcceptance(trx, contractId),
    loadAttached(trx, conclusion.addons),
  ])
  if (known) return contractId
  const agreement = agreementOf({
    plan: { ...plan, trialDays: conclusion.trialDays ?? plan.trialDays },
    ...{ version, versionId: planVersionId, quantity, discounts },
    startsAt: subscription?.startedAt ?? at,
    features,
    addons: addons.map(agreedOf),
  })
  // A registration that was begun before acceptances were recorded.
  if (!acceptance) await recordAcceptance(trx, { contractId, customerId, acceptedAt: at })
  await append(trx, { ...conclusion, contractId, agreement, supersedes: null })
  return contractId
}

export interface AmendmentInput {
  readonly subscriptionId: string
  readonly contractId: string
  /** What becomes different; what is not mentioned stays as it was agreed. */
  readonly changed: Partial<Agreement>
  readonly requestOrigin: string | null
  readonly accepted: Accepted
  readonly at: Instant
}

/**
 * Makes the contract that takes the place of the one in force. Amending again under the same id changes
 * nothing; an amendment that changes nothing is no contract, and answers the one in force.
 */
export async function amendContract(trx: Trx, input: AmendmentInput): Promise<string> {
  const { contractId, subscriptionId, at } = input
  const found = await readContractInForce(trx, subscriptionId)
  if (!found) throw new Error(`There is no contract of ${subscriptionId}.`)
  await lockChain(trx, found.customerId)
  if (await readContract(trx, contractId)) return contractId
  // Read again: another amendment may have come before the lock.
  const current = (await readContractInForce(trx, subscriptionId)) ?? found
  const { customerId } = current
  const { agreement, changes } = amend(
    (JSON.parse(current.document) as ContractDocument).agreement,
    input.changed,
  )
  if (changes.length === 0) return current.id
  await recordAcceptance(trx, { ...input.accepted, contractId, customerId, acceptedAt: at })
  await append(trx, {
    ...{ contractId, customerId, subscriptionId, agreement, at },
    planVersionId: agreement.plan.versionId,
    requestOrigin: input.requestOrigin,
    supersedes: { contract: current.id, changes },
  })
  return contractId
}

interface Link
  extends Pick<Conclusion, 'customerId' | 'subscriptionId' | 'planVersionId' | 'requestOrigin' | 'at'> {
  readonly contractId: string
  readonly agreement: Agreement
  readonly supersedes: ContractDocument['supersedes']
}

/** Adds a contract to the end of the customer's chain, which must be locked. */
async function append(trx: Trx, link: Link): Promise<void> {
  const { contractId, customerId, subscriptionId, planVersionId, agreement, supersedes, at } = link
  const [acceptance, last, seller] = await Promise.all([
    readAcceptance(trx, contractId),
    lastLink(trx, customerId),
    readSeller(trx),
  ])
  if (!acceptance?.person) throw new Error(`Nobody accepted ${contractId}.`)
  const { termsVersion, termsUrl, acceptedAt, person } = acceptance
  const document: ContractDocument = {
    format: contractFormatOf(agreement),
    id: contractId,
    sequence: (last?.sequence ?? 0) + 1,
    previous: last?.hash.toString('hex') ?? null,
    seller,
    buyer: { customer: customerId, person: sha256(canonicalText(person)) },
    subscription: subscriptionId,
    agreement,
    acceptance: {
      at: formatInstant(acceptedAt),
      requestOrigin: link.requestOrigin,
      terms: termsVersion === null ? null : { version: termsVersion, url: termsUrl },
    },
    supersedes,
  }
  const text = canonicalText(document)
  await addContract(trx, {
    ...{ id: contractId, customerId, subscriptionId, planVersionId, acceptedAt, at },
    sequence: document.sequence,
    supersedes: supersedes?.contract ?? null,
    document: text,
    hash: Buffer.from(sha256(text), 'hex'),
    previousHash: last?.hash ?? null,
  })
}
