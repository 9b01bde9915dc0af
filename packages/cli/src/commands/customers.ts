import type { Customer, Erasure } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { instantText } from '../output/format.ts'
import { dim, green, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

export function addCustomers(program: Command): void {
  const customers = program.command('customers').description('who pays')
  customers
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
  customers
    .command('erase')
    .description('erase who a customer is, for good; contracts and invoices stay')
    .argument('<customer>', "a customer's id, or your own id of it")
    .option('--dry-run', 'only say what would be erased')
    .option('--yes', "don't ask")
    .action(async (what: string, { dryRun, yes }: { dryRun?: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id, externalId } = await findCustomer(client, what)
      if (dryRun) return output.result(await client.customers.erase(id), erasureText)
      if (!yes) {
        const found = await client.customers.erase(id)
        if (!output.json) output.result(found, erasureText)
        await confirm(`Erase who ${externalId} is? Nobody can bring it back.`)
      }
      output.result(await client.customers.erase(id, { dryRun: false }), erasureText)
    })
}

function erasureText({ dryRun, erased, remains, provider }: Erasure): string {
  const counted = Object.entries(erased).map(([what, count]) => `  ${what.padEnd(14)} ${count}`)
  const there = { told: 'gone', queued: 'will be told' }
  return [
    dryRun ? yellow('Would be erased:') : `${green('✓')} Erased:`,
    ...counted,
    ...(provider === null ? [] : [`  ${'at provider'.padEnd(14)} name and address ${there[provider]}`]),
    dim('Remains:'),
    ...remains.map(({ what, count, why }) => `  ${count === null ? '' : `${count} `}${what}: ${dim(why)}`),
  ].join('\n')
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
