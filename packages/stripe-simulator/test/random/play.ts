import Stripe from 'stripe'
import fc from '../../../../test/support/fast-check.ts'
import { checkEvents } from './check-events.ts'
import { checkPayments } from './check-payments.ts'
import { checkPeriods } from './check-periods.ts'
import { checkStates } from './check-states.ts'
import { checkSums } from './check-sums.ts'
import { History } from './history.ts'
import { moneySteps } from './money-steps.ts'
import type { Step } from './step.ts'
import { begin, type Setting, type Story } from './story.ts'
import { subscriptionSteps } from './subscription-steps.ts'
import { timeSteps } from './time-steps.ts'

export interface Tally {
  /** Commands that did something: the valid ones. */
  commands: number
  /** Commands that were refused with a 4xx: a declined card, an ended subscription. Not counted above. */
  refused: number
  /** By name: done and refused. */
  readonly kinds: Map<string, { done: number; refused: number }>
}

export const newTally = (): Tally => ({ commands: 0, refused: 0, kinds: new Map() })

/** Most stories are short, so that a breach is told quickly; one in twenty goes on for years. */
const stepsOf = (seed: number): number => (seed % 20 === 0 ? 150 : 50)

const setting: fc.Arbitrary<Setting> = fc.record({
  currency: fc.constantFrom('usd', 'jpy', 'kwd'),
  mode: fc.constantFrom('classic', 'flexible'),
  afterRetries: fc.constantFrom('cancel', 'unpaid', 'past_due'),
})

const step = fc.oneof(...subscriptionSteps, ...moneySteps, ...timeSteps)

function steps(seed: number): fc.Arbitrary<Step[]> {
  const [minLength, maxLength] = [stepsOf(seed), stepsOf(seed)]
  return fc.array(step, { minLength, maxLength, size: 'max' })
}

/** Plays the story of a seed; undefined where all held, else what broke and the fewest commands that break it. */
export async function playStory(seed: number, tally: Tally): Promise<string | undefined> {
  const [drawn] = fc.sample(fc.tuple(setting, steps(seed)), { seed, numRuns: 1 })
  const [given, all] = drawn as [Setting, Step[]]
  const broken = await play(given, all, tally)
  if (broken === undefined) return undefined
  const fewest = await reduce(given, all.slice(0, broken.after))
  const told = fewest.steps.map(({ name, given: values }) => `    ${name} ${JSON.stringify(values)}`)
  return [`seed ${seed}: ${fewest.why ?? broken.why}`, `    ${JSON.stringify(given)}`, ...told].join('\n')
}

/** Leaves out one command after the other, from the last, as long as something still breaks. */
async function reduce(
  given: Setting,
  all: readonly Step[],
): Promise<{ why?: string; steps: readonly Step[] }> {
  let fewest: { why?: string; steps: readonly Step[] } = { steps: all }
  for (let index = all.length - 1; index >= 0; index--) {
    const steps = fewest.steps.filter((_step, place) => place !== index)
    const broken = await play(given, steps, newTally())
    if (broken !== undefined) fewest = { why: broken.why, steps: steps.slice(0, broken.after) }
  }
  return fewest
}

interface Broken {
  readonly why: string
  /** How many commands had been given. */
  readonly after: number
}

async function play(given: Setting, drawn: readonly Step[], tally: Tally): Promise<Broken | undefined> {
  const story = await begin(given)
  const history = new History()
  // Five times and at the end: a look at everything costs more the longer a story is.
  const checkEvery = Math.max(1, Math.floor(drawn.length / 5))
  let after = 0
  try {
    for (const step of drawn) {
      after++
      await run(story, step, tally)
      if (after % checkEvery === 0) await check(story, history, 'listed')
    }
    await check(story, history, 'retrieved')
    return undefined
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error), after }
  } finally {
    await story.world.close()
  }
}

/** Refusals are part of the conversation. A 500 is a bug, and so is an operation that is a gap. */
async function run(story: Story, step: Step, tally: Tally): Promise<void> {
  const kind = tally.kinds.get(step.name) ?? { done: 0, refused: 0 }
  tally.kinds.set(step.name, kind)
  let done = true
  try {
    done = await step.run(story)
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError) || (error.statusCode ?? 500) >= 500)
      throw new Error(`${step.name}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    kind.refused++
    tally.refused++
    return
  }
  if (!done) return
  kind.done++
  tally.commands++
}

async function check(story: Story, history: History, how: 'listed' | 'retrieved'): Promise<void> {
  await history.read(story)
  await checkSums(story)
  await checkPayments(story)
  await checkStates(story, history)
  await checkPeriods(story, history)
  await checkEvents(story, history, how)
}
