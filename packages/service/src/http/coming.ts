import type { FastifyReply } from 'fastify'
import type { Came } from '../store/coming.ts'

/** A request's coming, and what its answer tells. */
export interface Coming extends Came {
  /** The answer says that this is over: whoever comes after the answer knew it. */
  tells(id: string): void
  /** The answer goes out at this moment. */
  answers(): void
}

/** What comes after one of the last so many is told from it by the database's clock alone. */
const MOST_TOLD = 10_000

/** When this process told of something for the first time that it is over, by its id, oldest first. */
const toldAt = new Map<string, number>()

/** Asked before anything is waited for: what is told to others meanwhile, this request did not know when it came. */
export function comingOf(reply: Pick<FastifyReply, 'elapsedTime'>): Coming {
  const cameAt = performance.now() - reply.elapsedTime
  const over: string[] = []
  return {
    waitedSeconds: () => (performance.now() - cameAt) / 1000,
    knew(id) {
      const told = toldAt.get(id)
      return told !== undefined && told <= cameAt
    },
    tells: (id) => void over.push(id),
    answers() {
      for (const id of over) if (!toldAt.has(id)) toldAt.set(id, performance.now())
      for (const oldest of toldAt.keys()) {
        if (toldAt.size <= MOST_TOLD) return
        toldAt.delete(oldest)
      }
    },
  }
}
