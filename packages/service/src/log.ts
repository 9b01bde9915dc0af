import { pino } from 'pino'
import type { Config } from './config.ts'
import { redact } from './redact.ts'

export type Log = pino.Logger

/**
 * The database driver hangs its whole client on an error: pages of it, and none of them is the error. And
 * what was caused by something came the same way, which is told once.
 */
function shownError(error: unknown): unknown {
  const shown = pino.stdSerializers.err(error as Error) as { stack?: unknown } | undefined
  if (typeof shown !== 'object' || shown === null) return shown
  const { stack } = shown
  return {
    ...shown,
    ...('client' in shown && { client: undefined }),
    ...(typeof stack === 'string' && { stack: withoutRepeatedFrames(stack) }),
  }
}

const CAUSE = '\ncaused by: '

/** Of each cause only the frames that stand in none before it. */
function withoutRepeatedFrames(stack: string): string {
  const told = new Set<string>()
  return stack
    .split(CAUSE)
    .map((part) => {
      const lines = part.split('\n')
      const fresh = lines.filter((line) => !told.has(line))
      for (const line of lines) if (/^\s+at /.test(line)) told.add(line)
      return fresh.join('\n')
    })
    .join(CAUSE)
}

/** One JSON object a line, on standard output unless told otherwise. */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>, output?: pino.DestinationStream): Log {
  return pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: shownError },
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
