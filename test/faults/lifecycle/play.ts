import { seeded } from '../../support/random.ts'
import { type Command, candidates } from './commands.ts'
import { compareAll } from './compare.ts'
import { finishAll } from './finish.ts'
import { newKilledStage } from './killed-stage.ts'
import { type Life, newLife } from './life.ts'
import { heard } from './model.ts'
import { reasonOf } from './reason.ts'
import { newStage, type Stage } from './stage.ts'

export interface Lived {
  readonly commands: number
  readonly lives: number
  readonly kills: number
  /** The next life's seed. */
  readonly seed: number
  /** Each begins with `seed N`. */
  readonly breaches: readonly string[]
}

const COMMANDS_A_LIFE = 25
/** What is heard of in one round is worked on in statements for many: the more, the cheaper each. */
const LIVES_AT_ONCE = 100
/** Commands under way at the same time. */
const HANDS = 12

export interface LifecycleRuns {
  readonly runs: number
  readonly seed: number
  /** Processes die in the middle of requests; one request is made at a time. */
  readonly withDeaths?: boolean
  /** The service runs in a process of its own, which is killed. */
  readonly withKills?: boolean
}

/** Random lives, each from a seed of its own, until `runs` commands were carried out. */
export async function playLifecycle(wanted: LifecycleRuns): Promise<Lived> {
  const { runs, seed, withDeaths = false, withKills = false } = wanted
  const stage: Stage & { kills?(): number } = withKills
    ? await newKilledStage(seeded(seed))
    : await newStage({ deaths: withDeaths ? seeded(seed) : undefined })
  const hands = withDeaths ? 1 : HANDS
  const breaches: string[] = []
  let [commands, lives, next] = [0, 0, seed]
  try {
    while (commands < runs) {
      const count = Math.min(LIVES_AT_ONCE, Math.ceil((runs - commands) / COMMANDS_A_LIFE))
      const played = await playGeneration(stage, { seed: next, count, hands })
      breaches.push(...played.breaches)
      lives += count
      commands += played.commands
      next += count
    }
  } finally {
    await stage.close()
  }
  return { commands, lives, kills: stage.kills?.() ?? 0, seed: next, breaches }
}

/**
 * Some lives side by side, a command each in every round; then everybody hears of what happened, and all are held
 * against the provider and the model. In two rounds of five nobody hears of anything in between.
 */
async function playGeneration(
  stage: Stage,
  { seed, count, hands }: { readonly seed: number; readonly count: number; readonly hands: number },
): Promise<{ commands: number; breaches: string[] }> {
  const breaches: string[] = []
  let commands = 0
  const weather = seeded(seed)
  const going = new Set<Life>()
  const failed = (life: Life, error: unknown) => {
    going.delete(life)
    breaches.push(`seed ${life.seed}: ${life.told.join('; ')}\n    ${reasonOf(error)}`)
  }
  const seeds = Array.from({ length: count }, (_, index) => seed + index)
  await byHands(hands, seeds, async (one) => void going.add(await newLife(stage, one)))
  await stage.settle(weather)
  for (let round = 0; round < COMMANDS_A_LIFE; round += 1) {
    const isDeaf = [2, 3].includes(round % 5)
    await byHands(hands, [...going], async (life) => {
      try {
        if (await step(stage, life, { isDeaf })) commands += 1
      } catch (error) {
        failed(life, error)
      }
    })
    if (round % 5 === 2) continue
    await stage.settle(weather)
    for (const life of going) {
      life.expected = heard(life.expected)
      life.isBehind = false
    }
    for (const [life, error] of await compareAll(stage, [...going])) failed(life, error)
  }
  await finishAll(stage, [...going], weather, failed)
  return { commands, breaches }
}

/**
 * One command; false where there is none. While nobody tells us what happens, we are asked until something happens without
 * us, and from then on only that does: a change that waits for the bank's question waits then.
 */
async function step(stage: Stage, life: Life, { isDeaf }: { readonly isDeaf: boolean }): Promise<boolean> {
  const mayBe = ({ isElsewhere, isToBeHeard }: Command) => isElsewhere || !(life.isBehind || isToBeHeard)
  const possible = candidates(life).filter((command) => !isDeaf || mayBe(command))
  if (possible.length === 0) return false
  const command = life.random.pick(possible)
  life.told.push(command.name)
  life.isBehind ||= command.isElsewhere
  const next = await command.run(stage, life)
  if (next.payer) {
    life.payer = next.payer
    life.payers.push(next.payer)
  }
  life.expected = next.model
  return true
}

async function byHands<T>(hands: number, all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = all.values()
  const hand = async () => {
    for (const one of queue) await work(one)
  }
  await Promise.all(Array.from({ length: Math.min(hands, all.length) }, hand))
}
