import type { MeasuredEvent } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { bold } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

/** `invoices explain`: one line, from its amount down to its events. */
export function addExplanation(invoices: Command): void {
  invoices
    .command('explain')
    .description('how the amount of a line came about, down to its events')
    .argument('<invoice>', "an invoice's id")
    .argument('<line>', "the key of its price, or the line's id: --json shows both")
    .option('--events <n>', 'how many events', parseCount, 20)
    .action(async (id: string, line: string, options: { events: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const { explanation, derivation, corrections, ...told } = await client.invoices.explain(id, line)
      const events = told.events && (await firstOf(client.invoices.lineEvents(id, line), options.events))
      output.result({ line: told.line, derivation, explanation, corrections, events }, () =>
        [bold(told.line.description), ...explanation, ...(events ? [eventTable(events)] : [])].join('\n'),
      )
    })
}

function eventTable(events: MeasuredEvent[]): string {
  return table(events, [
    { title: 'time', cell: ({ time }) => instantText(time) },
    { title: 'quantity', cell: ({ quantity }) => quantity, align: 'right' },
    { title: 'source', cell: ({ source }) => source },
    { title: 'id', cell: ({ id }) => id },
  ])
}
