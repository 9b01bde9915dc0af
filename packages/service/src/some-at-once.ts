/** Works through all of them, so many at the same time. One that fails fails the whole, when those in hand have ended. */
export async function someAtOnce<T>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const queue = all.values()
  let hasFailed = false
  const worker = async () => {
    for (const one of queue) {
      if (hasFailed) return
      await work(one).catch((error: unknown) => {
        hasFailed = true
        throw error
      })
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(atOnce, all.length) }, worker))
  for (const end of ended) if (end.status === 'rejected') throw end.reason
}
