import type { Registration } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { bold, dim, green, red, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { parseCount } from './arguments.ts'
import { findClock } from './clock.ts'

interface NewRegistration {
  readonly plan: string
  readonly email?: string
  readonly name?: string
  readonly quantity?: number
  readonly paymentMethod?: string
  readonly clock?: string
  readonly slot?: string
}

export function addRegistrations(program: Command): void {
  const registrations = program
    .command('registrations')
    .description('from a request to a running subscription')
  registrations
    .command('create')
    .description('register a user of yours on a plan, and wait until it is done')
    .argument('<external-id>', "your own id of the user, such as 'user_4711'")
    .requiredOption('--plan <key>', 'a plan of the catalogue')
    .option('--email <address>')
    .option('--name <name>')
    .option('--quantity <n>', 'of the recurring prices: seats, for example', parseCount)
    .option('--payment-method <id>', "a payment method's id at the provider, such as pm_card_visa")
    .option('--clock <clock>', 'put the customer on this test clock, by its id or name')
    .option('--slot <key>', 'which of the customer’s subscriptions it is')
    .action(async (externalId: string, options: NewRegistration, command: Command) => {
      const { client, output } = contextOf(command)
      const { clock, ...rest } = options
      const testClock = clock === undefined ? undefined : (await findClock(client, clock)).id
      const body = { externalId, ...rest, ...(testClock && { testClock }) }
      const { id } = await client.registrations.create(body)
      report(await client.registrations.ended(id), output.result.bind(output))
    })
  registrations
    .command('show')
    .description('how far a registration came')
    .argument('<registration>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.registrations.read(id), registrationText)
    })
}

type Result = (registration: Registration, render: (registration: Registration) => string) => void

function report(registration: Registration, result: Result): void {
  result(registration, registrationText)
  if (registration.state !== 'completed') process.exitCode = 1
}

const colors = { completed: green, running: yellow, compensating: yellow, rolledBack: red, parked: red }

function registrationText({ id, state, stage, steps, problem, ...registration }: Registration): string {
  const { externalId, plan, planVersion, customer, subscription } = registration
  const lines = [
    `${bold(externalId)} on ${bold(plan)}, version ${planVersion}: ${colors[state](state)}`,
    dim(`registration  ${id}`),
    dim(`customer      ${customer}`),
    dim(`subscription  ${subscription}`),
  ]
  if (problem) lines.push(`${red('✗')} ${stage ? `${stage}: ` : ''}${problem.title} ${problem.detail}`)
  const stepTable = table(steps, [
    { title: 'step', cell: ({ name }) => name },
    { title: 'state', cell: ({ state }) => state },
    { title: 'ended', cell: ({ endedAt }) => instantText(endedAt) },
  ])
  return [...lines, '', stepTable].join('\n')
}
