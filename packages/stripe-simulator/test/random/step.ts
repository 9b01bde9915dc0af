import fc from '../../../../test/support/fast-check.ts'
import type { Story } from './story.ts'

/** One command, drawn: what it is called with, and how it is done. */
export interface Step {
  readonly name: string
  readonly given: Readonly<Record<string, unknown>>
  /** False where the story has nothing yet that it could be done to. */
  readonly run: (story: Story) => Promise<boolean>
}

/** A kind of command: how often it comes, what is drawn for it, and the call, undefined without anything to call it on. */
export function kind<Given extends Record<string, unknown>>(
  weight: number,
  name: string,
  given: { [Key in keyof Given]: fc.Arbitrary<Given[Key]> },
  call: (story: Story, given: Given) => Promise<unknown>,
): fc.WeightedArbitrary<Step> {
  const arbitrary = fc.record(given).map((drawn): Step => {
    const values = drawn as Given
    return { name, given: values, run: async (story) => (await call(story, values)) !== undefined }
  })
  return { weight, arbitrary }
}

/** Which one of a list that is only known when the step is run. */
export const which = fc.nat({ max: 999 })
export const PRORATIONS = ['create_prorations', 'always_invoice', 'none'] as const
