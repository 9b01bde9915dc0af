import type { Customer } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

export function addCustomers(program: Command): void {
  program
    .command('customers')
    .description('who pays')
    .command('list')
    .description('customers, newest first')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(
        await firstOf(client.customers.list({ limit: Math.min(limit, 100) }), limit),
        customerTable,
      )
    })
}

function customerTable(customers: Customer[]): string {
  return table(customers, [
    { title: 'customer', cell: ({ externalId }) => externalId },
    { title: 'name', cell: ({ name }) => name ?? '' },
    { title: 'id', cell: ({ id }) => id },
    { title: 'provider', cell: ({ providerId }) => providerId ?? '–' },
    { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'test clock', cell: ({ testClock }) => testClock ?? '' },
  ])
}
