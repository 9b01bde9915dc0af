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
import type { ItemNumbers } from '@lockstep/core/item-numbers'
import type { Seller } from '@lockstep/core/seller'
import type { Trx } from '../postgres/connect.ts'
import { agreedOf, loadAttached } from '../store/addons.ts'
import {
  addContract,
  type ChainEnd,
  lockChain,
  readChainEnd,
  readContractInForce,
} from '../store/contracts.ts'
import { readFeatures } from '../store/features.ts'
import { loadPlanVersion } from '../store/plans.ts'
import { readSeller } from '../store/seller.ts'
import { startedAtOf } from '../store/subscriptions.ts'
import { type Accepted, contractIdOf, recordAcceptance } from './acceptance.ts'
import { sha256 } from './digest.ts'

export interface Conclusion {
  readonly customerId: string
  readonly subscriptionId: string
  readonly planVersionId: string
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
  readonly itemNumbers?: ItemNumbers
  readonly discounts: readonly Discount[]
  /** Where they are others than the plan's. */
  readonly trialDays?: number
  /** After how many it is over; absent where somebody ends it. */
  readonly payments?: number
  /** When the subscription began, if that was read. */
  readonly startsAt?: Instant | undefined
  /** Where it was asked for, in the application's words. */
  readonly requestOrigin: string | null
  /** Of one whose acceptance was not recorded: what is known of it, and when it was; now, by the seller's text, unless said. */
  readonly accepted?: Accepted
  readonly acceptedAt?: Instant
  /** Now, in the customer's own time. */
  readonly at: Instant
}

/**
 * Makes the first contract of a subscription, of what was accepted when it was asked for
 * ({@link recordAcceptance}). Concluding again changes nothing and answers the same contract.
 */
export async function concludeContract(trx: Trx, conclusion: Conclusion): Promise<string> {
  const { customerId, subscriptionId, planVersionId, quantity, discounts, accepted = {}, at } = conclusion
  const { itemNumbers = {} } = conclusion
  const contractId = contractIdOf(subscriptionId)
  // The chain is locked before any of it is read.
  const [, end, seller, { plan, version }, features, startsAt, addons] = await Promise.all([
    lockChain(trx, customerId),
    readChainEnd(trx, customerId, contractId),
    readSeller(trx),
    loadPlanVersion(trx, planVersionId),
    readFeatures(trx),
    conclusion.startsAt ?? startedAtOf(trx, subscriptionId),
    loadAttached(trx, conclusion.addons),
  ])
  if (end.isMade) return contractId
  const agreement = agreementOf({
    plan: { ...plan, trialDays: conclusion.trialDays ?? plan.trialDays },
    ...{ version, versionId: planVersionId, quantity, itemNumbers, discounts },
    ...(conclusion.payments !== undefined && { payments: conclusion.payments }),
    startsAt: startsAt ?? at,
    features,
    addons: addons.map(agreedOf),
  })
  await append(trx, { ...conclusion, contractId, agreement, supersedes: null, accepted }, end, seller)
  return contractId
}

export interface AmendmentInput {
  readonly customerId: string
  readonly subscriptionId: string
  readonly contractId: string
  /** What becomes different of what was agreed; what is not mentioned stays. */
  readonly changed: (agreed: Agreement) => Partial<Agreement> | Promise<Partial<Agreement>>
  readonly requestOrigin: string | null
  readonly accepted: Accepted
  readonly at: Instant
}

/**
 * Makes the contract that takes the place of the one in force. Amending again under the same id changes
 * nothing; an amendment that changes nothing is no contract, and answers the one in force. Of a subscription
 * without a contract nothing was agreed on that could become different: undefined.
 */
export async function amendContract(trx: Trx, input: AmendmentInput): Promise<string | undefined> {
  const { contractId, subscriptionId, customerId, at } = input
  // The chain is locked before any of it is read.
  const [, end, seller, current] = await Promise.all([
    lockChain(trx, customerId),
    readChainEnd(trx, customerId, contractId),
    readSeller(trx),
    readContractInForce(trx, subscriptionId),
  ])
  if (end.isMade) return contractId
  if (!current) return undefined
  const { agreement: agreed } = JSON.parse(current.document) as ContractDocument
  const { agreement, changes } = amend(agreed, await input.changed(agreed))
  if (changes.length === 0) return current.id
  const link = {
    ...{ contractId, customerId, subscriptionId, agreement, at },
    planVersionId: agreement.plan.versionId,
    requestOrigin: input.requestOrigin,
    accepted: input.accepted,
    supersedes: { contract: current.id, changes },
  }
  await append(trx, link, end, seller)
  return contractId
}

interface Link
  extends Pick<
    Conclusion,
    'customerId' | 'subscriptionId' | 'planVersionId' | 'requestOrigin' | 'acceptedAt' | 'at'
  > {
  readonly contractId: string
  readonly agreement: Agreement
  readonly supersedes: ContractDocument['supersedes']
  /** Of one whose acceptance was not recorded when it was asked for. */
  readonly accepted: Accepted
}

/** Adds a contract to the end of the customer's chain, which must be locked. */
async function append(trx: Trx, link: Link, end: ChainEnd, seller: Seller | null): Promise<void> {
  const { contractId, customerId, subscriptionId, planVersionId, agreement, supersedes, at } = link
  const { last } = end
  if (!end.acceptance)
    await recordAcceptance(trx, {
      ...link.accepted,
      contractId,
      customerId,
      acceptedAt: link.acceptedAt ?? at,
    })
  const acceptance = end.acceptance ?? (await readChainEnd(trx, customerId, contractId)).acceptance
  if (!acceptance) throw new Error(`Nobody accepted ${contractId}.`)
  const { terms, acceptedAt, person } = acceptance
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
      terms,
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
