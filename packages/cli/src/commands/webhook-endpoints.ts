import type { WebhookEndpoint } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { bold, dim, green, red } from '../output/style.ts'
import { table } from '../output/table.ts'
import { collect, firstOf } from './arguments.ts'
import { eventTypesOf } from './event-types.ts'

const MOST_SHOWN = 200

interface Wanted {
  readonly type?: string[]
  readonly description?: string
}

export function addWebhookEndpoints(program: Command): void {
  const endpoints = program
    .command('webhook-endpoints')
    .description('where your application is told what happened')
  endpoints
    .command('create')
    .description('have events sent to an address; its secret is shown once')
    .argument('<url>')
    .option('--type <type>', 'only these events; several times', collect)
    .option('--description <text>', 'for people')
    .action(async (url: string, { type, ...rest }: Wanted, command: Command) => {
      const { client, output } = contextOf(command)
      const created = await client.webhookEndpoints.create({
        url,
        ...rest,
        ...(type && { types: eventTypesOf(type) }),
      })
      output.result(created, shownWithSecret)
    })
  endpoints
    .command('list')
    .description('endpoints, newest first')
    .action(async (_: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const all = await firstOf(client.webhookEndpoints.list({ limit: 100 }), MOST_SHOWN)
      output.result(all, (rows) =>
        table(rows, [
          { title: 'endpoint', cell: ({ id }) => id },
          { title: 'state', cell: stateText },
          { title: 'url', cell: ({ url }) => url },
          { title: 'events', cell: ({ types }) => types?.join(' ') ?? 'all' },
          {
            title: 'failing since',
            cell: ({ failingSince }) => (failingSince && instantText(failingSince)) || '',
          },
        ]),
      )
    })
  for (const [name, enabled, what] of [
    ['enable', true, 'send there again'],
    ['disable', false, 'send nothing there for now'],
  ] as const) {
    endpoints
      .command(name)
      .description(what)
      .argument('<endpoint>', 'its id')
      .action(async (id: string, _: unknown, command: Command) => {
        const { client, output } = contextOf(command)
        output.result(await client.webhookEndpoints.update(id, { enabled }), shown)
      })
  }
  endpoints
    .command('rotate-secret')
    .description('replace its secret; both sign for a while')
    .argument('<endpoint>', 'its id')
    .option('--overlap-hours <n>', 'how long the former one still signs, 0 to 168', Number, 24)
    .action(async (id: string, options: { overlapHours: number }, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.webhookEndpoints.rotateSecret(id, options), shownWithSecret)
    })
  endpoints
    .command('delete')
    .description('send nothing there any more, and forget what was sent')
    .argument('<endpoint>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.webhookEndpoints.delete(id), ({ url }) => `Deleted: ${url}`)
    })
}

const stateText = ({ state, disabledBecause }: WebhookEndpoint) =>
  state === 'enabled' ? green(state) : red(`${state}: ${disabledBecause}`)

const shown = (endpoint: WebhookEndpoint) => `${bold(endpoint.url)}: ${stateText(endpoint)}`

const shownWithSecret = ({ id, secret, ...endpoint }: WebhookEndpoint & { readonly secret: string }) =>
  [
    shown({ id, ...endpoint }),
    bold(secret),
    dim(`This is the only time the secret is shown. The endpoint's id is ${id}.`),
  ].join('\n')
