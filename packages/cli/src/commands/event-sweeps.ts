import type { EventSweep } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { dim, green, red } from '../output/style.ts'
import { table } from '../output/table.ts'

export function addEventSweeps(program: Command): void {
  const events =
    program.commands.find((command) => command.name() === 'events') ??
    program.command('events').description('what the provider says happened')
  events
    .command('sweep')
    .description('say what no webhook brought; with --apply, take it in')
    .option('--apply', 'take it in, and read the objects made since the last sweep')
    .option('--yes', "don't ask")
    .action(async ({ apply, yes }: { apply?: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      if (!apply) return output.result(await client.providerEvents.sweep(), sweepText)
      if (!yes) {
        const found = await client.providerEvents.sweep()
        if (!output.json) output.result(found, sweepText)
        await confirm('Take it in?')
      }
      output.result(await client.providerEvents.sweep({ dryRun: false }), sweepText)
    })
}

function sweepText({
  dryRun,
  from,
  readsEverything,
  read,
  missed,
  events,
  unstorable,
  objects,
  stalled,
}: EventSweep): string {
  const head = [`Of ${read} events since ${instantText(from)}, ${missed} were not here.`]
  if (readsEverything)
    head.push(
      `The last sweep is longer ago than events are kept: ${dryRun ? 'every object will be read' : 'every object was read'}.`,
    )
  if (stalled > 0)
    head.push(`${stalled} customers have a subscription that should have moved on, and nobody told of it.`)
  if (objects !== null)
    head.push(`${objects.looked} objects were listed; ${objects.changed} were not here as they are there.`)
  const failed = objects?.failed ?? 0
  if (failed > 0)
    head.push(red(`✗ ${failed} could not be written down: the service's log says which and why.`))
  head.push(...unstorable.map(({ id, reason }) => red(`✗ ${id} cannot be stored: ${reason}`)))
  const isInStep =
    missed === 0 && failed === 0 && stalled === 0 && !readsEverything && (objects?.changed ?? 0) === 0
  if (isInStep) return `${green('✓')} ${head.join('\n  ')}`
  if (events.length === 0) return head.join('\n')
  const rows = table(events, [
    { title: 'happened', cell: ({ created }) => instantText(created) },
    { title: 'event', cell: ({ id }) => id },
    { title: 'type', cell: ({ type }) => type },
    { title: 'delivery', cell: ({ undelivered }) => (undelivered ? 'not delivered' : 'none to us') },
  ])
  const rest = missed > events.length ? dim(`\n… and ${missed - events.length} more`) : ''
  return `${head.join('\n')}\n\n${rows}${rest}`
}
