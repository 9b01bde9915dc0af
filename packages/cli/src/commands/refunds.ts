import type { StuckRefund } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { amountText, instantText } from '../output/format.ts'
import { green, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

interface Acknowledging {
  readonly reason: string
  readonly agent?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function addRefunds(program: Command): void {
  const refunds = program.command('refunds').description('money that was given back')
  refunds
    .command('stuck')
    .description('what does not come to its end by itself, and why')
    .option('--all', 'those that a person has acknowledged as well')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ all, limit }: { readonly all?: true; readonly limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const query = { ...(all && { all }), limit: Math.min(limit, 100) }
      output.result(await firstOf(client.stuckRefunds.list(query), limit), stuckTable)
    })
  refunds
    .command('acknowledge')
    .description('say that nothing is left to be done about a stuck refund')
    .argument('<refund>', "a refund's id")
    .requiredOption('--reason <text>', 'why, for the records')
    .option('--agent <name>', 'the person behind it')
    .option('--dry-run', 'only show what would be acknowledged')
    .option('--yes', "don't ask")
    .action(async (id: string, { reason, agent, dryRun, yes }: Acknowledging, command: Command) => {
      const { client, output } = contextOf(command)
      const said = { reason, ...(agent !== undefined && { agent }) }
      if (dryRun || !yes) {
        const shown = await client.stuckRefunds.acknowledge(id, said)
        if (dryRun || !output.json) output.result(shown, (refund) => stuckTable([refund]))
        if (dryRun) return
        await confirm('Acknowledge it? Nobody is told of it any more.')
      }
      output.result(await client.stuckRefunds.acknowledge(id, said, { dryRun: false }), acknowledgedText)
    })
}

function acknowledgedText({ id, acknowledgement: said }: StuckRefund): string {
  return `${green('✓')} ${id}${said ? `  acknowledged ${instantText(said.at)}: ${said.reason}` : ''}`
}

function stuckTable(refunds: StuckRefund[]): string {
  return table(refunds, [
    { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'amount', align: 'right', cell: ({ amount }) => amountText(amount) },
    { title: 'invoice', cell: ({ invoice }) => invoice },
    { title: 'id', cell: ({ id }) => id },
    { title: 'there', cell: ({ providerId }) => providerId ?? '' },
    { title: 'why', cell: ({ stuck }) => stuck.detail },
    { title: '', cell: ({ acknowledgement: said }) => (said ? yellow(`acknowledged: ${said.reason}`) : '') },
  ])
}
