import type { Client, Delivery, DeliveryWithLog } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { countText, instantText } from '../output/format.ts'
import { bold, dim, green, red, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { collect, firstOf, parseCount, parseTime } from './arguments.ts'
import { eventTypesOf } from './event-types.ts'

interface ListOptions {
  readonly endpoint?: string
  readonly state?: Delivery['state']
  readonly event?: string
  readonly customer?: string
  readonly limit: number
}

interface ReplayOptions {
  readonly event?: string[]
  readonly type?: string[]
  readonly since?: string
  readonly until?: string
  readonly apply?: boolean
  readonly yes?: boolean
}

export function addDeliveries(program: Command): void {
  const deliveries = program.command('deliveries').description('what was sent to webhook endpoints')
  deliveries
    .command('list')
    .description('deliveries, newest first')
    .option('--endpoint <endpoint>', 'to this one, by its id')
    .option('--state <state>', 'waiting, delivered or failed')
    .option('--event <event>', 'of this event, the webhook-id')
    .option('--customer <customer>', 'of this customer, by our id')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ limit, ...filter }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const list = client.deliveries.list({ ...filter, limit: Math.min(limit, 100) })
      output.result(await firstOf(list, limit), deliveryTable)
    })
  deliveries
    .command('show')
    .description('one delivery: what was sent, and each answer')
    .argument('<delivery>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.deliveries.read(id), deliveryText)
    })
  deliveries
    .command('retry')
    .description('send one again, now; safe at any time')
    .argument('<delivery>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.deliveries.retry(id), (delivery) => deliveryTable([delivery]))
    })
  deliveries
    .command('replay')
    .description('send events to an endpoint again; says what it would send, unless told to apply')
    .argument('<endpoint>', 'its id')
    .option('--event <event>', 'this one; several times', collect)
    .option('--type <type>', 'only these; several times', collect)
    .option('--since <time>', 'what happened from then on', parseTime)
    .option('--until <time>', 'what happened before then', parseTime)
    .option('--apply', 'send them')
    .option('--yes', "don't ask")
    .action(async (id: string, options: ReplayOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const { event, type, apply, yes, ...times } = options
      const wish = { ...times, ...(event && { events: event }), ...(type && { types: eventTypesOf(type) }) }
      if (!apply || !yes) {
        const planned = await client.webhookEndpoints.replay(id, { ...wish, dryRun: true })
        if (!apply) return output.result(planned, replayText)
        if (!output.json) output.result(planned, (all) => `Would send: ${countsText(all)}`)
        await confirm('Send them?')
      }
      const queued = await client.webhookEndpoints.replay(id, { ...wish, dryRun: false })
      output.result(queued, (all) => `Queued: ${countsText(all)}`)
    })
}

type Replay = Awaited<ReturnType<Client['webhookEndpoints']['replay']>>

const countsText = ({ events, deliveredBefore }: Replay) =>
  `${bold(countText(events))} events, ${countText(deliveredBefore)} of them taken before.`

const replayText = (all: Replay) => `Would send: ${countsText(all)}\n${dim('Nothing was sent. Add --apply.')}`

const colors = { waiting: yellow, delivered: green, failed: red }

function deliveryTable(rows: Delivery[]): string {
  return table(rows, [
    { title: 'happened', cell: ({ happenedAt }) => instantText(happenedAt) },
    { title: 'event', cell: ({ type }) => type },
    { title: 'of', cell: ({ subject }) => subject },
    { title: 'to', cell: addressOf },
    { title: 'state', cell: ({ state }) => colors[state](state) },
    { title: 'attempts', cell: ({ attempts }) => `${attempts}`, align: 'right' },
    { title: 'answer', cell: ({ lastStatus }) => `${lastStatus ?? ''}` },
    { title: 'next', cell: ({ nextAttemptAt }) => (nextAttemptAt ? instantText(nextAttemptAt) : '') },
    { title: 'id', cell: ({ id }) => id },
  ])
}

/** A service of before says the endpoint, and not where that is. */
const addressOf = ({ url, endpoint }: Pick<Delivery, 'url' | 'endpoint'>) => url || endpoint

const MOST_SHOWN = 100

/** An error page may be long: `--json` has what is kept of it. */
const beginningOf = (text: string) => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text)

function deliveryText({ log, data, ...delivery }: DeliveryWithLog): string {
  const answers = log.map(({ at, status, body, problem, durationMs }) => {
    const [said = ''] = body?.split('\n') ?? []
    const answer = status === null ? red(problem ?? 'no answer') : `${status} ${beginningOf(said)}`
    return `  ${instantText(at)}  ${answer.trim()}  ${dim(`${durationMs} ms`)}`
  })
  return [
    `${bold(delivery.type)} of ${delivery.subject}: ${colors[delivery.state](delivery.state)}`,
    dim(`webhook-id  ${delivery.event}`),
    dim(`to          ${addressOf(delivery)}`),
    ...answers,
    data === null
      ? dim('(what was sent takes a key that reads such objects)')
      : JSON.stringify(data, null, 2),
  ].join('\n')
}
