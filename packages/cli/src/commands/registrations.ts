import type { Registration } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { registrationTable, registrationText } from '../output/registration-text.ts'
import { signUpSweepText } from '../output/sign-up-sweep-text.ts'
import { collect, firstOf, parseCount } from './arguments.ts'
import { findClock } from './clock.ts'

interface NewRegistration {
  readonly plan?: string
  readonly coupon?: string[]
  readonly email?: string
  readonly name?: string
  readonly quantity?: number
  readonly paymentMethod?: string
  readonly paymentPage?: string
  readonly clock?: string
  readonly slot?: string
  readonly purchase?: string
  readonly origin?: string
}

export function addRegistrations(program: Command): void {
  const registrations = program
    .command('registrations')
    .description('from a request to a running subscription')
  registrations
    .command('create')
    .description('register a user of yours on a plan, and wait until it is done')
    .argument('<external-id>', "your own id of the user, such as 'user_4711'")
    .option('--plan <key>', 'a plan of the catalogue; the one for signing up unless given')
    .option('--coupon <key>', 'a coupon of the catalogue; may be given several times', collect)
    .option('--email <address>')
    .option('--name <name>')
    .option('--quantity <n>', 'of the recurring prices: seats, for example', parseCount)
    .option('--payment-method <id>', "a payment method's id at the provider, such as pm_card_visa")
    .option('--payment-page <url>', 'let the customer leave one on a page, and come back to this address')
    .option('--clock <clock>', 'put the customer on this test clock, by its id or name')
    .option('--slot <key>', 'which of the customer’s subscriptions it is')
    .option('--purchase <type>', 'how it is bought: membership unless given')
    .option('--origin <text>', 'where the request came from', 'cli')
    .action(async (externalId: string, options: NewRegistration, command: Command) => {
      const { client, output } = contextOf(command)
      const { clock, paymentPage: returnUrl, coupon: coupons, origin: requestOrigin, ...rest } = options
      const testClock = clock === undefined ? undefined : (await findClock(client, clock)).id
      const body = {
        externalId,
        ...rest,
        ...(returnUrl && { paymentPage: { returnUrl } }),
        ...(coupons && { coupons }),
        ...(requestOrigin && { requestOrigin }),
        ...(testClock && { testClock }),
      }
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
  registrations
    .command('list')
    .description('registrations, newest first')
    .option(
      '--state <state>',
      'running, requiresAction, failed, completed, compensating, rolledBack or parked',
    )
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ state, limit }: { state?: Registration['state']; limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const page = client.registrations.list({ state, limit: Math.min(limit, 100) })
      output.result(await firstOf(page, limit), registrationTable)
    })
  registrations
    .command('resume')
    .description('go on now with one that failed, is parked or waits for the customer')
    .argument('<registration>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      await client.registrations.resume(id)
      report(await client.registrations.ended(id), output.result.bind(output))
    })
  registrations
    .command('cancel')
    .description('give up one that has not ended, and undo what was made')
    .argument('<registration>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      await client.registrations.cancel(id)
      output.result(await client.registrations.ended(id), registrationText)
    })
  registrations
    .command('sweep')
    .description('customers whom nobody registered, of an hour or older; with --apply, register them')
    .option('--apply', 'register them on the plan for signing up')
    .action(async ({ apply = false }: { apply?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.signUps.sweep({ dryRun: !apply }), signUpSweepText)
    })
}

type Result = (registration: Registration, render: (registration: Registration) => string) => void

function report(registration: Registration, result: Result): void {
  result(registration, registrationText)
  const { state } = registration
  if (state !== 'completed' && state !== 'requiresAction') process.exitCode = 1
}
