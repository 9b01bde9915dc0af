import type { Command } from 'commander'
import type { StripeSetupOptions } from '../start/stripe-setup.ts'
import { UsageError } from '../usage-error.ts'

/** The commands that hand over to the service itself; everything else only talks to it. */
export function addServiceCommands(program: Command): void {
  program
    .command('start')
    .description('run everything here: Postgres, a Stripe simulator and the service, with examples')
    .option('--no-demo', 'without the example customers')
    .action(async (options: { demo: boolean }) => {
      const { start } = await import('../start/start.ts')
      await start(options)
    })
  program
    .command('migrate')
    .description('bring the database of DATABASE_URL to this version')
    .action(async () => {
      const { migrate } = await import('../start/migrate.ts')
      await migrate()
    })
  program
    .command('doctor')
    .description('say what is wrong with this set-up')
    .action(async (_: unknown, command: Command) => {
      // It looks at settings, database and Stripe from where it runs: of a service elsewhere it would say nothing.
      if (command.optsWithGlobals<{ url?: string }>().url !== undefined)
        throw new UsageError(
          'The doctor looks at the set-up of this machine.',
          'Run it where the service runs, without --url.',
        )
      const { doctor } = await import('../start/doctor.ts')
      await doctor()
    })
  program
    .command('stripe')
    .description('what Stripe has to know of this service')
    .command('setup')
    .description('let Stripe send here exactly what is handled: shown, and with --apply done')
    .requiredOption(
      '--endpoint <address>',
      'where the service is reached from outside, like https://billing.example.org',
    )
    .option('--rotate', 'make a second endpoint, whose secret shall replace the first one')
    .option('--retire', 'delete all but the newest, once the service takes its secret')
    .option('--apply', 'do it')
    .option('--yes', "don't ask")
    .action(async (options: StripeSetupOptions, command: Command) => {
      const { setUpStripe } = await import('../start/stripe-setup.ts')
      await setUpStripe(options, { json: command.optsWithGlobals<{ json?: boolean }>().json === true })
    })
}
