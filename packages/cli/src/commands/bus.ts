import { randomUUID } from 'node:crypto'
import type { BusMessage } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { bold, dim, green, red, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { UsageError } from '../usage-error.ts'
import { type AddressFlags, addressOf, withAddressOptions } from './address.ts'
import { firstOf, parseCount } from './arguments.ts'
import { findClock } from './clock.ts'

interface Profile extends AddressFlags {
  readonly email?: string
  readonly name?: string
  readonly plan?: string
  readonly clock?: string
  readonly source: string
  readonly id?: string
}

interface ListOptions {
  readonly state?: BusMessage['state']
  readonly limit: number
}

export function addBus(program: Command): void {
  const bus = program.command('bus').description('messages of new profiles')
  const publish = bus
    .command('publish')
    .description('tell of a new profile, as the service that owns profiles would')
    .argument('<external-id>', "your own id of the user, such as 'user_4711'")
    .option('--email <address>')
    .option('--name <name>')
    .option('--plan <key>', "instead of the catalogue's plan for sign-ups")
    .option('--clock <clock>', 'put the customer on this test clock, by its id or name')
    .option('--source <source>', 'who tells', 'lockstep-cli')
    .option('--id <id>', "the message's own id; the same twice counts once")
  withAddressOptions(publish).action(async (externalId: string, options: Profile, command: Command) => {
    const { client, output } = contextOf(command)
    const { clock, source, id = randomUUID(), email, name, plan } = options
    const address = addressOf(options)
    // It would be let pass, as what other services' messages carry besides.
    if (address?.country === '') throw new UsageError('The address has no country.', 'Give --country too.')
    const testClock = clock === undefined ? undefined : (await findClock(client, clock)).id
    const data = { externalId, email, name, plan, testClock, address }
    const type = 'auth.profile.created'
    await client.busMessages.publish({ specversion: '1.0', id, source, type, data })
    output.result({ source, id }, () => `Published: ${bold(id)} of ${source}. See: lockstep bus list`)
  })
  bus
    .command('list')
    .description('what the bus delivered, newest first')
    .option('--state <state>', 'received, processed or parked')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ state, limit }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const query = { limit: Math.min(limit, 100), ...(state && { state }) }
      output.result(await firstOf(client.busMessages.list(query), limit), messageTable)
    })
  bus
    .command('show')
    .description('one message, and what became of it')
    .argument('<message>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.busMessages.read(id), messageText)
    })
  bus
    .command('retry')
    .description('look at a parked message again; safe at any time')
    .argument('<message>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.busMessages.retry(id), messageText)
    })
}

const colors = { received: yellow, processed: green, parked: red }

function messageTable(messages: BusMessage[]): string {
  return table(messages, [
    { title: 'received', cell: ({ receivedAt }) => instantText(receivedAt) },
    { title: 'state', cell: ({ state, outcome }) => (outcome ? `${state}: ${outcome}` : state) },
    { title: 'source', cell: ({ source }) => source },
    { title: 'message', cell: ({ messageId }) => messageId },
    { title: 'id', cell: ({ id }) => id },
    { title: 'problem', cell: ({ problem }) => problem?.detail ?? '' },
  ])
}

function messageText({ id, state, outcome, problem, registration, ...message }: BusMessage): string {
  const lines = [
    `${bold(message.messageId)} of ${bold(message.source)}: ${colors[state](state)}${outcome ? `, ${outcome}` : ''}`,
    dim(`message       ${id}`),
    dim(`subject       ${message.subject}`),
    dim(`received      ${instantText(message.receivedAt)}`),
  ]
  if (registration) lines.push(dim(`registration  ${registration}`))
  if (problem) lines.push(`${red('✗')} ${problem.title} ${problem.detail}`)
  return lines.join('\n')
}
