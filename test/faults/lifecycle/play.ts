import { type BillingWorld, newBillingWorld } from '../../../packages/service/test/support/billing-world.ts'
import { seeded } from '../../support/random.ts'
import { playLife } from './story.ts'

export interface Lived {
  readonly commands: number
  readonly lives: number
  /** The next life's seed. */
  readonly seed: number
  /** Each begins with `seed N`. */
  readonly breaches: readonly string[]
}

const COMMANDS_A_LIFE = 12

/** Random lives, each from a seed of its own, until `runs` commands were carried out. */
export async function playLifecycle({ runs, seed }: { runs: number; seed: number }): Promise<Lived> {
  const world: BillingWorld = await newBillingWorld()
  const breaches: string[] = []
  let [commands, lives, next] = [0, 0, seed]
  try {
    while (commands < runs) {
      lives += 1
      commands += COMMANDS_A_LIFE
      try {
        await playLife(world, seeded(next), COMMANDS_A_LIFE)
      } catch (error) {
        breaches.push(`seed ${next}: ${error instanceof Error ? error.message : String(error)}`)
      }
      next += 1
    }
  } finally {
    await world.close()
  }
  return { commands, lives, seed: next, breaches }
}
