import type { NewPriceOverride, PriceOverride, PriceOverrideEffect } from '@lockstep/sdk'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findSubscription } from '../find-subscription.ts'
import { amountText, instantText } from '../output/format.ts'
import { bold, dim, green, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { UsageError } from '../usage-error.ts'
import { firstOf, SUBSCRIPTION } from './arguments.ts'

/** More than any subscription was given; the newest ones. */
const MOST = 200

interface Told {
  readonly terms?: NonNullable<NewPriceOverride['terms']>
  readonly plan?: boolean
  readonly from: NonNullable<NewPriceOverride['from']>
  readonly reason: string
  readonly agent?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** `subscriptions own-price` and `own-prices`: what one subscription pays in the place of its plan's price. */
export function addPriceOverrides(subscriptions: Command): void {
  subscriptions
    .command('own-price')
    .description("give a subscription its own price for usage, or the plan's again")
    .argument('<subscription>', SUBSCRIPTION)
    .argument('<price>', "the price's key in the plan")
    .option(
      '--terms <json>',
      'as in the catalogue, like \'{"model":"perUnit","unitAmount":"0.008"}\'',
      parseTerms,
    )
    .option('--plan', "the plan's price again")
    .addOption(
      new Option('--from <period>', 'the first period that it holds for')
        .choices(['currentPeriod', 'nextPeriod'])
        .default('nextPeriod'),
    )
    .requiredOption('--reason <why>', 'why, for the records')
    .option('--agent <name>', 'the person behind it')
    .option('--dry-run', 'only say what it would do')
    .option('--yes', "don't ask")
    .action(async (name: string, price: string, told: Told, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name)
      const { dryRun, yes, from, reason, agent } = told
      const body = { price, terms: termsOf(told), from, reason, ...(agent !== undefined && { agent }) }
      const preview = await client.priceOverrides.preview(id, body)
      if (dryRun || !output.json) output.result(preview, effectText)
      if (dryRun) return
      if (!yes) await confirm(`Change ${price} of ${id}?`)
      output.result(await client.priceOverrides.set(id, body), overrideText)
    })
  subscriptions
    .command('own-prices')
    .description('who gave a subscription which price of its own, and why; the one made last first')
    .argument('<subscription>', SUBSCRIPTION)
    .action(async (name: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name, { orOver: true })
      output.result(await firstOf(client.priceOverrides.list(id), MOST), overrideTable)
    })
}

/** What is in it the service judges, which knows the plan's price. */
function parseTerms(text: string): NonNullable<Told['terms']> {
  try {
    return JSON.parse(text) as NonNullable<Told['terms']>
  } catch {
    throw new InvalidArgumentError('Write it as JSON, like {"model":"perUnit","unitAmount":"0.008"}.')
  }
}

function termsOf({ terms, plan = false }: Told): NewPriceOverride['terms'] {
  if (plan === (terms !== undefined))
    throw new UsageError('Which price it is to be is not clear.', "Give --terms, or --plan for the plan's.")
  return terms ?? null
}

function effectText({ before, after, startsAt, changes }: PriceOverrideEffect): string {
  const much = `${amountText(before)} → ${bold(`${amountText(after)} ${after.currency}`)}`
  const lines = changes.length === 0 ? ['nothing agreed becomes different'] : changes
  return [
    `${yellow('Would make')} the current invoice ${much}; from ${instantText(startsAt)} on`,
    ...lines.map((line) => `  ${dim(line)}`),
  ].join('\n')
}

const whose = ({ terms }: PriceOverride) => (terms === null ? "the plan's" : terms.model)

function overrideText(override: PriceOverride): string {
  const { id, price, startsAt } = override
  return `${green('✓')} ${price}: ${whose(override)}, from ${instantText(startsAt)} on  ${dim(id)}`
}

function overrideTable(overrides: PriceOverride[]): string {
  return table(overrides, [
    { title: 'made', cell: ({ madeAt }) => instantText(madeAt) },
    { title: 'price', cell: ({ price }) => price },
    { title: 'is', cell: whose },
    { title: 'from', cell: ({ startsAt }) => instantText(startsAt) },
    { title: 'why', cell: ({ reason }) => reason },
    { title: 'by', cell: ({ agent, madeBy }) => agent ?? madeBy },
    { title: 'id', cell: ({ id }) => id },
  ])
}
