import type { Contract, ContractChain } from '@lockstep/sdk'
import { instantText } from './format.ts'
import { bold, dim, green, red } from './style.ts'

/** What was agreed, a line each; prices in full stand on the page and in the PDF. */
export function contractText(contract: Contract): string {
  const { agreement, person, terms, seller } = contract
  const { plan, usageCycle, trial, prices, features, discounts } = agreement
  const rows: [string, string][] = [
    ['seller', seller?.name ?? '–'],
    [
      'customer',
      person ? (person.name ?? contract.externalId) : `${contract.externalId}, personal data erased`,
    ],
    ['billed', `${billedText(agreement)}, in ${agreement.currency}`],
    ['usage billed', usageCycle ? every(usageCycle) : ''],
    ['trial', trial === null ? 'none' : `${trial.days} days, usage ${trial.usage}`],
    ['quantity', `${agreement.quantity}`],
    ['numbers', numbersText(agreement.itemNumbers)],
    ['prices', prices.map(({ name }) => name).join(', ')],
    ['included', features.map(featureText).join(', ')],
    ['discounts', discounts.map(({ name }) => name).join(', ')],
    ['accepted', `${instantText(contract.acceptedAt)}${terms ? `, text ${terms.version}` : ''}`],
    ['supersedes', contract.supersedes ?? ''],
    ['superseded by', contract.supersededBy ?? ''],
    ['SHA-256', contract.hash],
  ]
  const head = `${bold(plan.name)} ${dim(`${plan.key}, version ${plan.version}`)}`
  const lines = rows.filter(([, text]) => text !== '').map(([label, text]) => `  ${label.padEnd(14)} ${text}`)
  const changes = contract.changes.map((change) => `  ${dim('changed')}        ${change}`)
  return [head, ...lines, ...changes].join('\n')
}

function numbersText(numbers: Contract['agreement']['itemNumbers'] = {}): string {
  return Object.entries(numbers)
    .map(([key, number]) => (number === null ? `no ${key}` : `${number} × ${key}`))
    .join(', ')
}

function billedText({ billingCycle, payments }: Contract['agreement']): string {
  if (payments === 1) return 'once'
  return payments === undefined ? every(billingCycle) : `${every(billingCycle)}, ${payments} times`
}

function every({ interval, intervalCount }: Contract['agreement']['billingCycle']): string {
  return `every ${intervalCount === 1 ? interval : `${intervalCount} ${interval}s`}`
}

function featureText({ name, kind, upTo }: Contract['agreement']['features'][number]): string {
  if (kind === 'switch') return name
  return `${name} ${upTo === null ? 'without end' : `up to ${upTo}`}`
}

export function chainText({ intact, contracts, erased, head, broken }: ContractChain): string {
  if (intact) {
    const gone = erased === 0 ? '' : `, the personal data of ${erased} erased`
    return `${green('✓')} ${contracts} ${contracts === 1 ? 'contract' : 'contracts'}, unbroken${gone}\n${dim(head ?? '')}`.trim()
  }
  return `${red('✗')} broken at number ${broken?.sequence}, ${broken?.contract}\n  ${broken?.reason}`
}
