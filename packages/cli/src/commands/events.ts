import type { ProviderEvent, ProviderEventWithPayload } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { countedText, instantText } from '../output/format.ts'
import { bold, dim, green, red, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

interface Filters {
  readonly type?: string
  readonly object?: string
  readonly outcome?: string
  readonly from?: string
  readonly before?: string
}

interface ListOptions extends Filters {
  readonly state?: ProviderEvent['state']
  readonly limit: number
}

interface ReplayOptions extends Filters {
  readonly state?: Exclude<ProviderEvent['state'], 'received'>
  readonly apply?: boolean
  readonly yes?: boolean
}

export function addEvents(program: Command): void {
  const events = program.command('events').description('what the provider says happened')
  filtered(events.command('list').description('newest first'))
    .option('--state <state>', 'received, processed, ignored or parked')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ limit, ...options }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const query = { ...filterOf(options), limit: Math.min(limit, 100) }
      output.result(await firstOf(client.providerEvents.list(query), limit), eventTable)
    })
  events
    .command('show')
    .description('one event, what became of it, and its payload')
    .argument('<event>', "the provider's id of it")
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.providerEvents.read(id), payloadText)
    })
  events
    .command('retry')
    .description('look at its object again; safe at any time')
    .argument('<event>', "the provider's id of it")
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.providerEvents.retry(id), eventText)
    })
  filtered(
    events.command('replay').description('say how many would be looked at again; with --apply, have them be'),
  )
    .option('--state <state>', 'processed, ignored or parked')
    .option('--apply', 'look at them again')
    .option('--yes', "don't ask")
    .action(async ({ apply, yes, ...options }: ReplayOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const filter = filterOf(options)
      const planned = await client.providerEvents.replay(filter)
      if (!apply) return output.result(planned, replayText)
      if (!yes) {
        if (!output.json) output.result(planned, replayText)
        await confirm('Look at them again?')
      }
      output.result(await client.providerEvents.replay({ ...filter, dryRun: false }), replayText)
    })
}

function filtered(command: Command): Command {
  return command
    .option('--type <type>', "the provider's name of the kind, such as invoice.paid")
    .option('--object <id>', "the provider's id of the object it is about")
    .option('--outcome <word>', 'what was done, such as needs_mapping')
    .option('--from <moment>', 'received then or later')
    .option('--before <moment>', 'received earlier')
}

/** What was given, under the names of the API. */
function filterOf<S extends string>({
  from,
  before,
  state,
  type,
  object,
  outcome,
}: Filters & { readonly state?: S }) {
  return {
    ...(state && { state }),
    ...(type && { type }),
    ...(object && { object }),
    ...(outcome && { outcome }),
    ...(from && { receivedFrom: from }),
    ...(before && { receivedBefore: before }),
  }
}

const colors = { received: yellow, processed: green, ignored: dim, parked: red }

function eventTable(events: ProviderEvent[]): string {
  return table(events, [
    { title: 'received', cell: ({ receivedAt }) => instantText(receivedAt) },
    { title: 'state', cell: ({ state, outcome }) => (outcome ? `${state}: ${outcome}` : state) },
    { title: 'type', cell: ({ type }) => type },
    { title: 'object', cell: ({ objectId }) => objectId },
    { title: 'event', cell: ({ id }) => id },
    { title: 'problem', cell: ({ problem }) => problem?.detail ?? '' },
  ])
}

function eventText({ id, type, objectId, state, outcome, problem, ...event }: ProviderEvent): string {
  const lines = [
    `${bold(type)}: ${colors[state](state)}${outcome ? `, ${outcome}` : ''}`,
    dim(`event     ${id}`),
    dim(`object    ${objectId}`),
    dim(`happened  ${instantText(event.created)}`),
    dim(`received  ${instantText(event.receivedAt)}`),
  ]
  if (event.attempts > 0) lines.push(dim(`tries     ${event.attempts}`))
  if (problem) lines.push(`${red('✗')} ${problem.title} ${problem.detail}`)
  return lines.join('\n')
}

function payloadText({ payload, ...event }: ProviderEventWithPayload): string {
  const content =
    payload === null
      ? dim('(its payload takes a key with every scope that reads)')
      : JSON.stringify(payload, null, 2)
  return `${eventText(event)}\n\n${content}`
}

function replayText({
  dryRun,
  events,
  objects,
}: {
  dryRun: boolean
  events: number
  objects: number
}): string {
  const are = dryRun ? 'would be' : events === 1 ? 'is' : 'are'
  return `${countedText(events, 'event')} of ${countedText(objects, 'object')} ${are} looked at again.`
}
