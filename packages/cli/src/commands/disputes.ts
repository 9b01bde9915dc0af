import type { Dispute } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { amountText, instantText } from '../output/format.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

interface ListOptions {
  readonly customer?: string
  readonly invoice?: string
  readonly open?: true
  readonly limit: number
}

export function addDisputes(program: Command): void {
  const disputes = program
    .command('disputes')
    .description('payments that a bank took back; they are answered at the provider')
  disputes
    .command('list')
    .option('--customer <id>', 'our id of the customer')
    .option('--invoice <id>', 'our id of the invoice')
    .option('--open', 'those about which something is still to be decided')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ customer, invoice, open, limit }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const query = {
        limit: Math.min(limit, 100),
        ...(customer && { customer }),
        ...(invoice && { invoice }),
        ...(open && { open }),
      }
      output.result(await firstOf(client.disputes.list(query), limit), disputeTable)
    })
}

function disputeTable(disputes: Dispute[]): string {
  return table(disputes, [
    { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'amount', align: 'right', cell: ({ amount }) => amountText(amount) },
    { title: 'status', cell: ({ status }) => status },
    { title: 'reason', cell: ({ reason }) => reason },
    { title: 'answer by', cell: ({ respondBy }) => (respondBy === null ? '' : instantText(respondBy)) },
    { title: 'invoice', cell: ({ invoice }) => invoice ?? '' },
    { title: 'there', cell: ({ providerId }) => providerId },
  ])
}
