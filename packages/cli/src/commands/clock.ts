import { parseInstant } from '@lockstep/core/instant'
import type { Client, TestClock } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { type Report, withProgress } from '../output/progress.ts'
import { table } from '../output/table.ts'
import { firstOf, parseTime } from './arguments.ts'

const MOST_CLOCKS_SHOWN = 200

export function addClock(program: Command): void {
  const clock = program.command('clock').description('test clocks: a time of their own for some customers')
  clock
    .command('list')
    .description('test clocks, newest first')
    .action(async (_: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await firstOf(client.testClocks.list({ limit: 100 }), MOST_CLOCKS_SHOWN), clockTable)
    })
  clock
    .command('create')
    .description('make a test clock; name it when registering a customer on it')
    .argument('<name>', 'to find it by')
    .requiredOption('--at <time>', 'where it starts: a day (its first second in UTC), or RFC 3339', parseTime)
    .action(async (name: string, { at }: { at: string }, command: Command) => {
      const { client, output } = contextOf(command)
      const made = await client.testClocks.create({ frozenTime: at, name })
      output.result(made, ({ id, frozenTime }) => `${id}  ${name}, ${instantText(frozenTime)}`)
    })
  clock
    .command('advance')
    .description('turn a test clock forward, through everything that becomes due on the way')
    .argument('<clock>', 'its id or its name')
    .requiredOption('--to <time>', 'a day (its first second in UTC), or RFC 3339', parseTime)
    .action(async (idOrName: string, { to }: { to: string }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findClock(client, idOrName)
      const work = (report: Report) => advance(client, id, to, report)
      const clock = await withProgress(`Turning ${idOrName} to ${instantText(to)}`, work, {
        json: output.json,
      })
      output.result(clock, ({ frozenTime }) => `It is ${instantText(frozenTime)} now.`)
    })
}

async function advance(client: Client, id: string, to: string, report: Report) {
  const { frozenTime: from } = await client.testClocks.advance(id, to)
  const whole = (parseInstant(to) ?? 0) - (parseInstant(from) ?? 0)
  const onProgress = ({ frozenTime }: TestClock) => {
    const done = (parseInstant(frozenTime) ?? 0) - (parseInstant(from) ?? 0)
    report(`${instantText(frozenTime)}, ${Math.floor((100 * done) / Math.max(whole, 1))} %`)
  }
  const result = await client.testClocks.ready(id, { onProgress })
  if ((parseInstant(result.frozenTime) ?? 0) < (parseInstant(to) ?? 0)) {
    throw new Error(`It stopped at ${instantText(result.frozenTime)}; the log of the service says why.`)
  }
  return { result, summary: 'done' }
}

/** By id, or by the name somebody gave it. */
export async function findClock(client: Client, idOrName: string): Promise<TestClock> {
  if (!idOrName.startsWith('test_clock_')) {
    for await (const clock of client.testClocks.list({ limit: 100 }))
      if (clock.name === idOrName) return clock
  }
  return client.testClocks.read(idOrName)
}

function clockTable(clocks: TestClock[]): string {
  return table(clocks, [
    { title: 'name', cell: ({ name }) => name ?? '' },
    { title: 'id', cell: ({ id }) => id },
    { title: 'stands at', cell: ({ frozenTime }) => instantText(frozenTime) },
    {
      title: 'status',
      cell: ({ status, target }) => (target ? `${status} to ${instantText(target)}` : status),
    },
  ])
}
