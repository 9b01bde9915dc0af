import { sleep } from './retry.ts'

export interface WaitOptions<T> {
  /** Told of every state that was read. */
  readonly onProgress?: (state: T) => void
  readonly signal?: AbortSignal
}

const FIRST_PAUSE_SECONDS = 0.05
const LONGEST_PAUSE_SECONDS = 1

/** Reads until it is done: often at first, once a second later. */
export async function until<T>(
  read: () => Promise<T>,
  done: (state: T) => boolean,
  { onProgress, signal }: WaitOptions<T> = {},
): Promise<T> {
  for (let pause = FIRST_PAUSE_SECONDS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_SECONDS)) {
    const state = await read()
    onProgress?.(state)
    if (done(state)) return state
    await sleep(pause, signal)
  }
}
