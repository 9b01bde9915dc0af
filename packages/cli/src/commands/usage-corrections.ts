import { readFileSync } from 'node:fs'
import type { UsageCorrection, UsageCorrectionPreview } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { amountText, instantText, periodText } from '../output/format.ts'
import { dim, green, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { UsageError } from '../usage-error.ts'
import { firstOf, parseCount, parseTime } from './arguments.ts'

interface Told {
  readonly reason: string
  readonly agent?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

type Wanted = Parameters<ReturnType<typeof contextOf>['client']['usage']['correct']>[0]

/** `usage void`, `amend`, `backfill` and `corrections`: shown first, done after asking. */
export function addUsageCorrections(usage: Command): void {
  const named = (command: Command) =>
    told(
      command
        .argument('<source>', "the event's source")
        .argument('<id>', "the event's id")
        .requiredOption('--time <when>', "the event's own time", parseTime),
    )
  named(usage.command('void').description('let an event count no more')).action(
    (source: string, id: string, { time, ...how }: Told & { time: string }, command: Command) =>
      correct(command, how, { kind: 'void', source, id, time, ...given(how) }),
  )
  named(usage.command('amend').description('let an event count otherwise'))
    .argument('<quantity>', 'what it should have said')
    .action(
      (
        source: string,
        id: string,
        quantity: string,
        { time, ...how }: Told & { time: string },
        command: Command,
      ) => correct(command, how, { kind: 'amend', source, id, time, quantity, ...given(how) }),
    )
  told(usage.command('backfill').description('tell a stretch of time anew'))
    .argument('<customer>', "a customer's id, or your own id of it")
    .argument('<meter>', "the meter's key")
    .argument('[file]', 'all there was, one CloudEvent in JSON on each line; without it, nothing was')
    .requiredOption('--start <when>', 'from when on', parseTime)
    .requiredOption('--end <when>', 'before when', parseTime)
    .action(
      async (
        who: string,
        meter: string,
        file: string | undefined,
        { start, end, ...how }: Told & { start: string; end: string },
        command: Command,
      ) => {
        const { id: customer } = await findCustomer(contextOf(command).client, who)
        const events = file === undefined ? [] : readEvents(file)
        await correct(command, how, { kind: 'backfill', customer, meter, start, end, events, ...given(how) })
      },
    )
  usage
    .command('corrections')
    .description("who corrected a customer's usage, and why; newest first")
    .argument('<customer>', "a customer's id, or your own id of it")
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async (who: string, { limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id: customer } = await findCustomer(client, who)
      const list = client.usage.corrections({ customer, limit: Math.min(limit, 100) })
      output.result(await firstOf(list, limit), correctionTable)
    })
}

function told(command: Command): Command {
  return command
    .requiredOption('--reason <why>', 'why, for the records')
    .option('--agent <name>', 'the person behind it')
    .option('--dry-run', 'only say what would be done')
    .option('--yes', "don't ask")
}

const given = ({ reason, agent }: Told) => ({ reason, ...(agent !== undefined && { agent }) })

async function correct(command: Command, { dryRun, yes }: Told, wanted: Wanted): Promise<void> {
  const { client, output } = contextOf(command)
  const preview = await client.usage.previewCorrection(wanted)
  if (dryRun || !output.json) output.result(preview, previewText)
  if (dryRun) return
  if (!yes) await confirm('Correct it?')
  output.result(await client.usage.correct(wanted), ({ id }) => `${green('✓')} corrected  ${dim(id)}`)
}

function readEvents(file: string): unknown[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as unknown]
    } catch {
      throw new UsageError(`${file}:${i + 1} is not JSON.`, 'Write one CloudEvent on each line.')
    }
  })
}

const countText = ({ events, quantity }: UsageCorrection['removed']) =>
  `${quantity} in ${events} ${events === 1 ? 'event' : 'events'}`

function previewText({ meter, removed, added, invoices }: UsageCorrectionPreview): string {
  const lines = invoices.flatMap(({ invoice, final, lines }) =>
    lines.map(
      ({ line, amount: { before, after } }) =>
        `  ${line}  ${amountText(before)} → ${amountText(after)} ${after.currency}  ${dim(
          final ? `${invoice} is final: the difference comes with the next` : invoice,
        )}`,
    ),
  )
  const head = `${yellow('Would take out')} ${countText(removed)} ${yellow('and put in')} ${countText(added)} of ${meter}`
  return [head, ...(lines.length > 0 ? lines : [dim('  no line changes')])].join('\n')
}

function correctionTable(corrections: UsageCorrection[]): string {
  return table(corrections, [
    { title: 'made', cell: ({ madeAt }) => instantText(madeAt) },
    { title: 'what', cell: ({ kind }) => kind },
    { title: 'meter', cell: ({ meter }) => meter },
    { title: 'of', cell: ({ event, period }) => event?.id ?? periodText(period) },
    { title: 'taken out', cell: ({ removed }) => removed.quantity, align: 'right' },
    { title: 'put in', cell: ({ added }) => added.quantity, align: 'right' },
    { title: 'why', cell: ({ reason }) => reason },
    { title: 'by', cell: ({ agent, madeBy }) => agent ?? madeBy },
  ])
}
