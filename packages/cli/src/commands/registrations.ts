import type { Registration } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { registrationTable, registrationText } from '../output/registration-text.ts'
import { signUpSweepText } from '../output/sign-up-sweep-text.ts'
import { CUSTOMER, firstOf, parseCount } from './arguments.ts'
import {
  endedAloud,
  type RegistrationFlags,
  registrationOf,
  report,
  withRegistrationOptions,
} from './new-registration.ts'

interface ListFlags {
  readonly state?: Registration['state']
  readonly customer?: string
  readonly plan?: string
  readonly cause?: Registration['cause'] & string
  readonly limit: number
}

export function addRegistrations(program: Command): void {
  const registrations = program
    .command('registrations')
    .description('from a request to a running subscription')
  const create = registrations
    .command('create')
    .description('register a user of yours on a plan, and wait until it is done')
  withRegistrationOptions(create).action(
    async (externalId: string, flags: RegistrationFlags, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await client.registrations.create(await registrationOf(client, externalId, flags))
      report(await endedAloud(client, id), output.result.bind(output))
    },
  )
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
    .option('--customer <customer>', CUSTOMER)
    .option('--plan <key>', 'on this plan, in whatever version')
    .option(
      '--cause <cause>',
      'that came to nothing: declined, authentication, abandoned, canceled or refused',
    )
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ customer: whose, limit, ...filter }: ListFlags, command: Command) => {
      const { client, output } = contextOf(command)
      const customer = whose === undefined ? undefined : (await findCustomer(client, whose)).id
      const page = client.registrations.list({ ...filter, customer, limit: Math.min(limit, 100) })
      output.result(await firstOf(page, limit), registrationTable)
    })
  registrations
    .command('resume')
    .description('go on now with one that failed, is parked or waits for the customer')
    .argument('<registration>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      await client.registrations.resume(id)
      report(await endedAloud(client, id), output.result.bind(output))
    })
  registrations
    .command('cancel')
    .description('give up one that has not ended, and undo what was made')
    .argument('<registration>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      await client.registrations.cancel(id)
      const canceled = await endedAloud(client, id)
      output.result(canceled, registrationText)
      if (canceled.state !== 'rolledBack') process.exitCode = 1
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
