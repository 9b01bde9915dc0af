import type { StuckRefund } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { amountText, instantText } from '../output/format.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

export function addRefunds(program: Command): void {
  program
    .command('refunds')
    .description('money that was given back')
    .command('stuck')
    .description('what does not come to its end by itself, and why')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ limit }: { readonly limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const query = { limit: Math.min(limit, 100) }
      output.result(await firstOf(client.stuckRefunds.list(query), limit), stuckTable)
    })
}

function stuckTable(refunds: StuckRefund[]): string {
  return table(refunds, [
    { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'amount', align: 'right', cell: ({ amount }) => amountText(amount) },
    { title: 'invoice', cell: ({ invoice }) => invoice },
    { title: 'there', cell: ({ providerId }) => providerId ?? '' },
    { title: 'why', cell: ({ stuck }) => stuck.detail },
  ])
}
