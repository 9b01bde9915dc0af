import type { UsageExpiry } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { countText, instantText } from '../output/format.ts'
import { dim, green } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

/** `usage retention` and `usage expired`: which raw events need not be kept, and which are not. */
export function addUsageRetention(usage: Command): void {
  usage
    .command('retention')
    .description('drop the raw events of months that need no longer be kept; shown first, done after asking')
    .option('--dry-run', 'show it and do nothing', false)
    .option('--yes', "don't ask")
    .action(async ({ dryRun, yes }: { dryRun: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      if (dryRun || !yes) {
        const planned = await client.usage.expire()
        if (dryRun || !output.json) output.result(planned, expiryText)
        if (dryRun || !planned.months.some(isDue)) return
        await confirm('Drop these events?')
      }
      output.result(await client.usage.expire({ dryRun: false }), expiryText)
    })
  usage
    .command('expired')
    .description('months whose raw events are no longer kept, newest first')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const list = client.usage.expired({ limit: Math.min(limit, 100) })
      output.result(await firstOf(list, limit), (months) =>
        table(months, [
          { title: 'month', cell: ({ month }) => month },
          { title: 'state', cell: ({ state }) => state },
          { title: 'events', cell: ({ events }) => countOf(events), align: 'right' },
          { title: 'late', cell: ({ lateEvents }) => countOf(lateEvents), align: 'right' },
          { title: 'decided', cell: ({ decidedAt }) => instantText(decidedAt) },
          { title: 'by', cell: ({ decidedBy }) => decidedBy },
        ]),
      )
    })
}

type PlannedMonth = UsageExpiry['months'][number]

const isDue = ({ verdict }: PlannedMonth) => verdict !== 'hold'

const countOf = (events: number | null) => (events === null ? '' : countText(events))

function expiryText({ dryRun, keepMonths, months }: UsageExpiry): string {
  if (keepMonths === null && months.length === 0)
    return `Every event is kept. ${dim('LOCKSTEP_USAGE_RETENTION_MONTHS is all.')}`
  const head = `Events are kept for ${keepMonths ?? 'all'} months before the one that runs.`
  if (months.length === 0) return `${green('✓')} ${head} There are none of older ones.`
  const words = { expire: dryRun ? 'would be dropped' : 'dropped', hold: 'kept', expiring: 'goes on' }
  const rows = table(months, [
    { title: 'month', cell: ({ month }) => month },
    { title: 'events', cell: ({ events }) => countOf(events), align: 'right' },
    { title: '', cell: ({ verdict }) => words[verdict] },
    { title: 'because', cell: ({ holds }) => holds.map(holdText).join(', ') },
  ])
  return `${head}\n\n${rows}`
}

const CAUSES = {
  clock: 'a test clock stands earlier',
  open: 'an open period reaches into it',
  recent: 'its invoice became final a short while ago',
  pending: 'something of it is still to be billed',
  drift: 'the rollups do not hold what the events do',
} as const

const holdText = ({ cause, customers, example }: PlannedMonth['holds'][number]): string =>
  `${CAUSES[cause]} (${customers === 1 ? example : `${customers} customers, like ${example}`})`
