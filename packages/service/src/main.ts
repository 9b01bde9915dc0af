import { CannotStart } from './cannot-start.ts'
import { ConfigurationInvalid, readConfig } from './config.ts'
import { createLog } from './log.ts'
import { startService } from './service.ts'
import { letThemDieYoung } from './young-objects.ts'

/** Exit codes: 2 for a configuration to correct, 1 for anything else that keeps us from running. */
async function main(): Promise<void> {
  letThemDieYoung()
  const config = readConfig(process.env)
  const log = createLog(config)
  const service = await startService(config, { log })

  const stop = (signal: string) => {
    log.info({ signal }, 'stopping')
    // Longer than anything should take; then what is in hand is left to the next start.
    setTimeout(() => process.exit(1), 12_000).unref()
    service.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  void service.databaseGone.then(async ({ message, remedy }) => {
    log.fatal({ remedy }, message)
    setTimeout(() => process.exit(1), 12_000).unref()
    await service.close()
    process.exit(1)
  })
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  process.on('unhandledRejection', (err) => log.error({ err }, 'a promise was rejected and nobody listened'))
}

main().catch((error: unknown) => {
  if (!(error instanceof CannotStart)) throw error
  process.stderr.write(`lockstep cannot start. ${error.message}\n\nWhat to do: ${error.remedy}\n`)
  process.exit(error instanceof ConfigurationInvalid ? 2 : 1)
})
