import type { Addon } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

interface ListOptions {
  readonly plan?: string
  readonly product?: string
  readonly limit: number
}

/** `addons list`: what is sold beside plans. */
export function addAddons(program: Command): void {
  const addons = program.command('addons').description('what is sold beside a plan')
  addons
    .command('list')
    .description('add-ons by key, the newest version of each')
    .option('--plan <key>', 'those that go with it')
    .option('--product <key>', 'those of it')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ plan, product, limit }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const list = client.addons.list({
        ...(plan !== undefined && { plan }),
        ...(product !== undefined && { product }),
        limit: Math.min(limit, 100),
      })
      output.result(await firstOf(list, limit), addonTable)
    })
}

function addonTable(addons: Addon[]): string {
  return table(addons, [
    { title: 'add-on', cell: ({ key }) => key },
    { title: 'name', cell: ({ name }) => name },
    { title: 'version', cell: ({ version }) => `${version}`, align: 'right' },
    { title: 'prices', cell: ({ prices }) => prices.map(({ key }) => key).join(', ') },
    { title: '', cell: ({ currency }) => currency },
    { title: 'every', cell: ({ interval, intervalCount }) => `${intervalCount} ${interval}` },
    { title: 'goes with', cell: ({ plans }) => (plans === null ? 'any plan' : plans.join(', ')) },
    { title: 'for', cell: ({ audience }) => audience },
  ])
}
