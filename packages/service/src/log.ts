import { pino } from 'pino'
import type { Config } from './config.ts'
import { redact } from './redact.ts'

export type Log = pino.Logger

/** The database driver hangs its whole client on an error: pages of it, and none of them is the error. */
function errorWithoutClient(error: unknown): unknown {
  const shown = pino.stdSerializers.err(error as Error) as object | undefined
  if (typeof shown !== 'object' || shown === null || !('client' in shown)) return shown
  return { ...shown, client: undefined }
}

/** One JSON object a line, on standard output unless told otherwise. */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>, output?: pino.DestinationStream): Log {
  return pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: errorWithoutClient },
      redact: {
        paths: [
          'authorization',
          'headers.authorization',
          'req.headers.authorization',
          '*.headers.authorization',
        ],
        censor: '[redacted]',
      },
      // The last word over every line, so that it does not matter where in it a secret hides.
      hooks: { streamWrite: redact },
    },
    output ?? pino.destination({ dest: 1, sync: false }),
  )
}
