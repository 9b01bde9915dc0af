import { newTally, playStory } from '../../packages/stripe-simulator/test/random/play.ts'

export interface Played {
  readonly commands: number
  readonly refused: number
  readonly stories: number
  /** The next story's seed. */
  readonly seed: number
  /** Each begins with `seed N`. */
  readonly breaches: readonly string[]
}

/** Random commands to the simulator, story after story, each from its own seed, until there were enough. */
export async function playSimulator({ runs, seed }: { runs: number; seed: number }): Promise<Played> {
  const tally = newTally()
  const breaches: string[] = []
  let next = seed
  while (tally.commands < runs) {
    const breach = await playStory(next++, tally)
    if (breach !== undefined) breaches.push(breach)
  }
  const { commands, refused } = tally
  return { commands, refused, stories: next - seed, seed: next, breaches }
}
