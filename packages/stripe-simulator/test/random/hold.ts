import { isDeepStrictEqual } from 'node:util'

/** What must be so; throws with both sides. (vitest's `expect` lives only inside vitest, these checks do not.) */
export function hold(what: string, is: unknown, shouldBe: unknown): void {
  if (isDeepStrictEqual(is, shouldBe)) return
  throw new Error(`${what} is ${JSON.stringify(is)}, should be ${JSON.stringify(shouldBe)}`)
}

export function sum(amounts: readonly (number | null | undefined)[]): number {
  return amounts.reduce<number>((total, amount) => total + (amount ?? 0), 0)
}
