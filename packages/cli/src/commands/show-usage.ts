import type { UsageReport } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { countText, periodText } from '../output/format.ts'
import { dim } from '../output/style.ts'
import { type Column, table } from '../output/table.ts'
import { CUSTOMER, parseTime } from './arguments.ts'

interface ShowOptions {
  readonly meter?: string
  readonly from?: string
  readonly until?: string
  readonly each?: 'hour' | 'day'
  readonly by?: string
  readonly only?: string
}

export function addShowUsage(usage: Command): void {
  usage
    .command('show')
    .description('what a customer used, in the period that runs unless told otherwise')
    .argument('<customer>', CUSTOMER)
    .option('--meter <key>', 'of one meter')
    .option('--from <date>', 'from then on', parseTime)
    .option('--until <date>', 'before then', parseTime)
    .option('--each <hour|day>', 'a figure for each of them')
    .option('--by <dimensions>', 'kept apart by these: region,app')
    .option('--only <values>', 'only with these values: region:eu,app:web')
    .action(async (what: string, { meter, from, until, each, by, only }: ShowOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      const query = { customer: id, meter, start: from, end: until, groupBy: each, by, only }
      output.result(await client.usage.read(query), usageText)
    })
}

function usageText({ period, data }: UsageReport): string {
  const apart = [...new Set(data.flatMap(({ dimensions }) => Object.keys(dimensions ?? {})))]
  const columns: Column<UsageReport['data'][number]>[] = [
    { title: 'meter', cell: ({ meter }) => meter },
    ...apart.map((name) => ({
      title: name,
      cell: ({ dimensions }: UsageReport['data'][number]) => dimensions?.[name] ?? '–',
    })),
    { title: 'time', cell: periodText },
    { title: 'quantity', align: 'right', cell: ({ quantity }) => quantity },
    { title: '', cell: ({ unitLabel }) => unitLabel },
    { title: 'events', align: 'right', cell: ({ events }) => countText(events) },
  ]
  return [dim(periodText(period)), table(data, columns)].join('\n')
}
