import type { Command } from 'commander'

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
    .action(async () => {
      const { doctor } = await import('../start/doctor.ts')
      await doctor()
    })
}
