import { newTally, playStory } from '../../packages/stripe-simulator/test/random/play.ts'

export interface Played {
  /** Commands that did something. */
  readonly commands: number
  /** Commands that were refused, as they should be. */
  readonly refused: number
  /** The next story's seed. */
  readonly seed: number
  /** Each begins with `seed N`. */
  readonly breaches: readonly string[]
}

/** Random commands to the simulator, story after story, each from its own seed, until `runs` of them did something. */
export async function playSimulator({ runs, seed }: { runs: number; seed: number }): Promise<Played> {
  const tally = newTally()
  const breaches: string[] = []
  let next = seed
  while (tally.commands < runs) {
    const breach = await playStory(next++, tally)
    if (breach !== undefined) breaches.push(breach)
  }
  const { commands, refused } = tally
  return { commands, refused, seed: next, breaches }
}
