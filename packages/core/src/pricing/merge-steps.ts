import { assert } from '../assert.ts'
import { formatDecimal, parseDecimal } from '../decimal.ts'
import type { Step } from '../derivation.ts'

/** Finer than any amount or quantity of a step. */
const DIGITS = 30

/**
 * The steps of several groups that were priced each by itself, put together: what has the same rate, tier
 * or package size is one step with everything added up. So a line of a thousand groups has as many steps
 * as one of two.
 */
export function mergeSteps(steps: readonly Step[]): Step[] {
  const merged = new Map<string, Step>()
  for (const step of steps) {
    const name = nameOf(step)
    const known = merged.get(name)
    merged.set(name, known ? addStep(known, step) : step)
  }
  return [...merged.values()].sort((a, b) => (a.kind === 'tier' && b.kind === 'tier' ? a.tier - b.tier : 0))
}

function nameOf(step: Step): string {
  switch (step.kind) {
    case 'flat':
      return step.kind
    case 'perUnit':
      return `${step.kind} ${step.rate}`
    case 'package':
      return `${step.kind} ${step.size} ${step.amountPerPackage}`
    case 'tier':
      return `${step.kind} ${step.tier}`
    case 'included':
    case 'maximum':
    case 'minimum':
    case 'share':
    case 'carried':
    case 'adjustment':
      throw new Error(`No group has a step ${step.kind}.`)
  }
}

function addStep(a: Step, b: Step): Step {
  const amount = plus(a.amount, b.amount)
  if (a.kind === 'flat' && b.kind === 'flat') return { ...a, quantity: plus(a.quantity, b.quantity), amount }
  if (a.kind === 'perUnit' && b.kind === 'perUnit') {
    return { ...a, quantity: plus(a.quantity, b.quantity), amount }
  }
  if (a.kind === 'package' && b.kind === 'package') {
    return { ...a, quantity: plus(a.quantity, b.quantity), packages: plus(a.packages, b.packages), amount }
  }
  assert(a.kind === 'tier' && b.kind === 'tier')
  return { ...a, quantity: plus(a.quantity, b.quantity), flat: plus(a.flat, b.flat), amount }
}

function plus(a: string, b: string): string {
  const [left, right] = [parseDecimal(a, DIGITS), parseDecimal(b, DIGITS)]
  assert(left !== undefined && right !== undefined)
  return formatDecimal(left + right, DIGITS)
}
