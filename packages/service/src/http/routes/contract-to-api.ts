import type { AgreedAddon, AgreedFeature, Agreement, ContractDocument } from '@lockstep/core/contract'
import { grantFromJson } from '@lockstep/core/feature'
import { formatInstant } from '@lockstep/core/instant'
import { priceFromJson } from '@lockstep/core/price'
import type { ContractRow } from '../../store/contracts.ts'
import { discountToApi } from './discount-to-api.ts'
import { grantToApi } from './grant-to-api.ts'
import { priceToApi } from './price-to-api.ts'

const documentOf = ({ document }: ContractRow) => JSON.parse(document) as ContractDocument

export function contractSummaryToApi(row: ContractRow) {
  const { id, customerId, externalId, subscriptionId, sequence, supersedes, supersededBy } = row
  const { plan } = documentOf(row).agreement
  return {
    ...{ id, customer: customerId, externalId, subscription: subscriptionId, sequence },
    ...{ plan: plan.key, planVersion: plan.version, supersedes, supersededBy },
    acceptedAt: formatInstant(row.acceptedAt),
    concludedAt: formatInstant(row.concludedAt),
    hash: row.hash.toString('hex'),
    previousHash: row.previousHash?.toString('hex') ?? null,
  }
}

export function contractToApi(row: ContractRow) {
  const { seller, acceptance, agreement, supersedes } = documentOf(row)
  const { person, erasedAt } = row
  return {
    ...contractSummaryToApi(row),
    seller: seller && {
      ...{ name: seller.name, address: seller.address, email: seller.email, taxId: seller.taxId },
    },
    person,
    erasedAt: erasedAt === null ? null : formatInstant(erasedAt),
    terms: acceptance.terms,
    requestOrigin: acceptance.requestOrigin,
    agreement: agreementToApi(agreement),
    changes: [...(supersedes?.changes ?? [])],
    text: row.document,
  }
}

function agreementToApi({ plan, prices, features, addons = [], discounts, ...terms }: Agreement) {
  const { key, name, version, rollsInto } = plan
  return {
    ...terms,
    plan: { key, name, version, rollsInto },
    prices: prices.map((price) => priceToApi(priceFromJson(price))),
    features: features.map(featureToApi),
    addons: addons.map(addonToApi),
    discounts: discounts.map(discountToApi),
  }
}

function addonToApi({ key, name, version, quantity, prices, features }: AgreedAddon) {
  return {
    ...{ key, name, version, quantity },
    prices: prices.map((price) => priceToApi(priceFromJson(price))),
    features: features.map(featureToApi),
  }
}

function featureToApi({ name, unitLabel, ...grant }: AgreedFeature) {
  return { ...grantToApi(grantFromJson(grant)), name, unitLabel }
}
