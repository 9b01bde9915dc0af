import type { Adjustment, AdjustmentEffect, Money } from '@lockstep/sdk'
import { type Command, Option } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { amountText, instantText } from '../output/format.ts'
import { bold, dim, green, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf } from './arguments.ts'

/** More than stand on any invoice; the newest ones. */
const MOST = 200

type Kind = 'credit' | 'charge' | 'note'

interface Told {
  readonly kind: Kind
  readonly description: string
  readonly reason: string
  readonly agent?: string
  readonly supersedes?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** `invoices adjust`, `adjustments` and `withdraw`: what support adds before an invoice is final. */
export function addAdjustments(invoices: Command): void {
  invoices
    .command('adjust')
    .description('credit, charge or note something on an invoice that is not final')
    .argument('<invoice>', "an invoice's id")
    .argument('[amount]', 'in major units, like 9.00; none for a note')
    .addOption(
      new Option('--kind <what>', 'what it is').choices(['credit', 'charge', 'note']).default('credit'),
    )
    .requiredOption('--description <text>', 'what the customer reads')
    .requiredOption('--reason <why>', 'why, for the records')
    .option('--agent <name>', 'the person behind it')
    .option('--supersedes <adjustment>', 'one that it takes the place of')
    .option('--dry-run', 'only say what would be done')
    .option('--yes', "don't ask")
    .action(async (id: string, amount: string | undefined, told: Told, command: Command) => {
      const { client, output } = contextOf(command)
      const { dryRun, yes, ...wanted } = told
      const body = { ...wanted, ...(amount !== undefined && { amount }) }
      const preview = await client.invoices.previewAdjustment(id, body)
      if (dryRun || !output.json) output.result(preview, effectText)
      if (dryRun) return
      if (!yes) await confirm(`Add this ${wanted.kind}?`)
      output.result(await client.invoices.adjust(id, body), adjustmentText)
    })
  invoices
    .command('adjustments')
    .description('who added what to an invoice, and why')
    .argument('<invoice>', "an invoice's id")
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await firstOf(client.invoices.adjustments(id), MOST), adjustmentTable)
    })
  invoices
    .command('withdraw')
    .description('take an adjustment back')
    .argument('<invoice>', "an invoice's id")
    .argument('<adjustment>', "the adjustment's id")
    .requiredOption('--reason <why>', 'why, for the records')
    .action(async (id: string, adjustment: string, { reason }: { reason: string }, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.invoices.withdrawAdjustment(id, adjustment, reason), adjustmentText)
    })
}

const text = (amount: Money) => `${amountText(amount)} ${amount.currency}`

function effectText({ before, after, toBalance }: AdjustmentEffect): string {
  const credited = toBalance.minor === '0' ? '' : `, ${text(toBalance)} of it on the customer's balance`
  return `${yellow('Would make')} ${text(before)} → ${bold(text(after))}${dim(credited)}`
}

function adjustmentText({ id, kind, amount, description, withdrawn }: Adjustment): string {
  const done = withdrawn ? 'taken back' : 'added'
  const much = kind === 'note' ? '' : ` ${text(amount)}`
  return `${green('✓')} ${kind}${much} ${done}: ${description}  ${dim(id)}`
}

function adjustmentTable(adjustments: Adjustment[]): string {
  return table(adjustments, [
    { title: 'made', cell: ({ madeAt }) => instantText(madeAt) },
    { title: 'kind', cell: ({ kind }) => kind },
    { title: 'amount', cell: ({ amount }) => amountText(amount), align: 'right' },
    { title: 'description', cell: ({ description }) => description },
    { title: 'why', cell: ({ reason }) => reason },
    { title: 'by', cell: ({ agent, madeBy }) => agent ?? madeBy },
    { title: 'taken back', cell: ({ withdrawn }) => (withdrawn ? withdrawn.reason : '') },
    { title: 'id', cell: ({ id }) => id },
  ])
}
