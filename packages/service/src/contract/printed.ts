import { describeGrant } from '@lockstep/core/catalog/describe'
import type { AgreedAddon, Agreement, ContractDocument, Person } from '@lockstep/core/contract'
import { type Discount, describeDiscount } from '@lockstep/core/discount'
import { grantFromJson } from '@lockstep/core/feature'
import { formatInstant } from '@lockstep/core/instant'
import { type ItemNumbers, ofAddon } from '@lockstep/core/item-numbers'
import type { PriceJson } from '@lockstep/core/price'
import { priceInWords } from '@lockstep/core/price-in-words'
import { printedQuantity } from '@lockstep/core/printed-amount'
import { formatQuantity, type Quantity } from '@lockstep/core/quantity'
import { type PrintedDocument, type PrintedSection, printedInstant } from '../document/printed.ts'
import type { ContractRow } from '../store/contracts.ts'

/**
 * How the quantities of what is included are printed. A contract is printed for ever as when it was concluded, so one of
 * the first printing has no thousands apart.
 */
const PRINTINGS = { 1: formatQuantity, 2: printedQuantity } as const

type QuantityText = (quantity: Quantity) => string

/** A contract laid out for paper. */
export function printed(row: ContractRow): PrintedDocument {
  const document = JSON.parse(row.document) as ContractDocument
  const { agreement, acceptance, supersedes } = document
  const quantityText = PRINTINGS[row.printing]
  const sections: PrintedSection[] = [
    { title: 'Parties', rows: partyRows(document, row) },
    { title: 'Agreement', rows: agreementRows(agreement) },
    { title: 'Prices', rows: pricedRows(agreement.prices, agreement.itemNumbers, agreement.payments) },
    { title: 'Included', rows: featureRows(agreement, quantityText) },
    ...(agreement.addons ?? []).map((addon) => addonSection(addon, agreement.itemNumbers, quantityText)),
    {
      title: 'Discounts',
      rows: agreement.discounts.map((discount) => [discount.name, [discountLine(discount)]]),
    },
    { title: 'Changed', rows: (supersedes?.changes ?? []).map((change) => ['', [change]]) },
    { title: 'Acceptance', rows: acceptanceRows(acceptance, row.person) },
  ]
  return {
    title: `Contract: ${agreement.plan.name}`,
    subtitle: `${row.id}, number ${document.sequence} of this customer`,
    sections: sections.filter(({ rows }) => rows.length > 0),
    footer: [
      `SHA-256 ${row.hash.toString('hex')}`,
      document.previous === null ? 'The first contract of this customer.' : `Follows ${document.previous}`,
    ],
  }
}

type Rows = PrintedSection['rows']

function discountLine({ start, end, ...discount }: Discount): string {
  const from = printedInstant(start)
  return describeDiscount({ ...discount, start: from, end: end === null ? null : printedInstant(end) })
}

function partyRows({ seller, buyer }: ContractDocument, { person, erasedAt }: ContractRow): Rows {
  const known = person && [person.name, person.address, person.email].filter((line) => line !== null)
  const erased =
    erasedAt === null ? [] : [`Personal data erased on ${printedInstant(formatInstant(erasedAt))}`]
  return [
    [
      'Seller',
      seller
        ? [seller.name, seller.address, seller.email, seller.taxId && `Tax number ${seller.taxId}`].filter(
            (line) => line !== null,
          )
        : ['Not named'],
    ],
    ['Customer', [...(known ?? erased), buyer.customer]],
  ]
}

const every = ({ interval, intervalCount }: Agreement['billingCycle']): string =>
  intervalCount === 1 ? `every ${interval}` : `every ${intervalCount} ${interval}s`

/** One that is over after a payment has no cycle, whatever the plan's prices are counted by. */
function billed({ billingCycle, payments, currency }: Agreement): string {
  const how =
    payments === 1
      ? 'once, at the beginning'
      : `${every(billingCycle)}${payments === undefined ? '' : `, ${payments} times; then it is over`}`
  return `${how}, in ${currency.toUpperCase()}`
}

function agreementRows(agreement: Agreement): Rows {
  const { plan, usageCycle, trial, ...rest } = agreement
  return [
    ['Plan', [`${plan.name} (${plan.key}, version ${plan.version})`]],
    ['Begins', [printedInstant(rest.startsAt)]],
    ['Billed', [billed(agreement)]],
    ...(usageCycle ? [['Usage', [`billed ${every(usageCycle)}`]] as const] : []),
    ['Quantity', [`${rest.quantity}`]],
    [
      'Trial',
      [
        trial === null
          ? 'none'
          : `${trial.days} days; usage in it is ${trial.usage === 'free' ? 'free' : 'billed'}`,
      ],
    ],
    ...(plan.rollsInto === null ? [] : [['Afterwards', [`goes on to ${plan.rollsInto}`]] as const]),
  ]
}

function pricedRows(prices: readonly PriceJson[], numbers: ItemNumbers = {}, payments?: number): Rows {
  return prices.map((price) => [price.name, pricedLines(price, numbers[price.key], payments)] as const)
}

function pricedLines(price: PriceJson, number: number | null | undefined, payments?: number): string[] {
  const when = price.timing === 'inAdvance' ? 'in advance' : 'in arrears'
  const howOften = payments === 1 ? 'once, ' : 'each period, '
  return [
    ...priceInWords(price),
    `${price.kind === 'recurring' ? howOften : ''}${when}`,
    ...(number === undefined ? [] : [number === null ? 'not charged' : `${number} times`]),
  ]
}

function addonSection(
  { name, key, version, quantity, prices, features }: AgreedAddon,
  numbers: ItemNumbers | undefined,
  quantityText: QuantityText,
): PrintedSection {
  return {
    title: `Add-on: ${name}`,
    rows: [
      ['Add-on', [`${quantity} × ${name} (${key}, version ${version})`]],
      ...pricedRows(prices, ofAddon(key, numbers ?? {})),
      ...featureRows({ features }, quantityText),
    ],
  }
}

function featureRows({ features }: Pick<Agreement, 'features'>, quantityText: QuantityText): Rows {
  return features.map(({ name, unitLabel, ...grant }) => [
    name,
    [describeGrant(grantFromJson(grant), quantityText) + (unitLabel === null ? '' : ` (${unitLabel})`)],
  ])
}

function acceptanceRows(
  { at, terms, requestOrigin }: ContractDocument['acceptance'],
  person: Person | null,
): Rows {
  const rows: [string, string | null][] = [
    ['When', printedInstant(at)],
    ['Text', terms && `Version ${terms.version}${terms.url === null ? '' : `, ${terms.url}`}`],
    ['From', requestOrigin],
    ['Address on the network', person?.ipAddress ?? null],
    ['With', person?.userAgent ?? null],
  ]
  return rows.flatMap(([label, line]) => (line === null ? [] : [[label, [line]] as const]))
}
