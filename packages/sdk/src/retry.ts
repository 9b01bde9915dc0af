import { ConnectionError, ProblemError } from './problem-error.ts'

export interface RetryOptions {
  /** Tries in all, the first one included. */
  readonly attempts: number
  /** The longest pause; a server that asks for more gets no further try. */
  readonly maxDelaySeconds: number
  /** [0, 1). Spreads the tries of many clients that failed together. */
  readonly random: () => number
  readonly sleep: (seconds: number, signal: AbortSignal | undefined) => Promise<void>
}

export const defaultRetry: RetryOptions = {
  attempts: 4,
  maxDelaySeconds: 20,
  random: Math.random,
  sleep,
}

const FIRST_DELAY_SECONDS = 0.25

/**
 * Tries again what may succeed later. Every request may be repeated: reads change nothing, usage
 * events have their identity, and all other writes carry one idempotency key through all tries.
 */
export async function withRetry<T>(
  { attempts, maxDelaySeconds, random, sleep }: RetryOptions,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt()
    } catch (error) {
      const delay = delaySeconds(error, tried, random)
      if (delay === undefined || delay > maxDelaySeconds || tried >= attempts || signal?.aborted) throw error
      await sleep(delay, signal)
    }
  }
}

/** How long to wait after the failed try number `tried`; undefined where trying again is no use. */
function delaySeconds(error: unknown, tried: number, random: () => number): number | undefined {
  if (!isTransient(error)) return undefined
  if (error instanceof ProblemError && error.retryAfterSeconds !== undefined) return error.retryAfterSeconds
  // Half of it fixed, half of it by chance: never at once, never all together.
  const longest = FIRST_DELAY_SECONDS * 2 ** (tried - 1)
  return longest / 2 + (longest / 2) * random()
}

function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionError) return true
  if (!(error instanceof ProblemError)) return false
  // Our own first try may still be running when its answer got lost.
  if (error.code === 'idempotency_key_in_use') return true
  return [429, 502, 503, 504].includes(error.status)
}

/** Ends early, by the signal's reason, when the caller gives up. */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    const timer = setTimeout(done, seconds * 1000)
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
