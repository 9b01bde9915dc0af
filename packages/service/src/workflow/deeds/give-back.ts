import { type Money, money } from '@lockstep/core/money'
import type { ReasonToKeep } from '@lockstep/core/unused-time'
import type { UnusedTime } from '../../provider/stripe/unused-time.ts'
import type { Step } from '../journal.ts'
import type { LookDeps } from '../look.ts'
import type { DeedRun } from './deed.ts'
import { giveBackOf, type PartInSteps, type Refusal } from './give-back-of.ts'

/** What is left of a period, by the invoices at the provider that it was paid with; in minor units, as text. */
export interface Unused {
  readonly currency: string
  readonly parts: readonly PartInSteps[]
  /** What is unused and was not to be given back from the start. */
  readonly withheld: readonly Withheld[]
}

/** As it was reckoned before several invoices were looked at: recorded so, it is carried out so. */
interface OfOneInvoice {
  readonly invoice: string
  readonly amount: string
  readonly currency: string
}

export type ReckonedUnused = Unused | OfOneInvoice

export interface Withheld {
  readonly reason: ReasonToKeep
  readonly amount: string
}

/** What was given back for unused time; amounts in minor units, as text. */
export interface GivenBack {
  readonly how: 'credit' | 'refund'
  readonly amount: string
  readonly currency: string
  /** What the provider said where it refused some of it: the subscription has ended all the same. */
  readonly problem: Refusal | null
  /** The rest of what is unused. Deeds of before it was told have none. */
  readonly withheld?: readonly Withheld[]
}

/** As it is recorded; null where nothing is unused. */
export function toRecord({ parts, withheld }: UnusedTime, currency: string): Unused | null {
  if (parts.length === 0 && withheld.length === 0) return null
  return {
    currency,
    parts: parts.map(({ invoice, amount, creditedSince }) => ({
      ...{ invoice, amount: `${amount.minor}`, creditedSince: `${creditedSince.minor}` },
    })),
    withheld: withheld.map(({ reason, amount }) => ({ reason, amount: `${amount.minor}` })),
  }
}

/**
 * Gives unused time back, to the customer's balance or to the card: by a credit note on each of the invoices that it was paid
 * with, one after the other. Where something else gave money back since it was reckoned, what is left is given, and the
 * rest is said: the subscription has ended, and nobody is there to be asked.
 */
export async function giveBack(
  deps: LookDeps,
  step: Step,
  deed: Pick<DeedRun<unknown>, 'deedId' | 'workflowId' | 'subscriptionId'>,
  { how, unused: reckoned }: { readonly how: 'credit' | 'refund'; readonly unused: ReckonedUnused },
): Promise<GivenBack> {
  const unused = 'parts' in reckoned ? reckoned : ofOneInvoice(reckoned)
  const { currency } = unused
  const kept = new Map(unused.withheld.map(({ reason, amount }) => [reason, BigInt(amount)]))
  const keep = (reason: ReasonToKeep, minor: bigint) => kept.set(reason, (kept.get(reason) ?? 0n) + minor)
  let given = 0n
  let problem: Refusal | null = null
  // Names of steps: of the first invoice as when there was only one.
  let count = 0
  const next = () => {
    count += 1
    return count === 1 ? '' : ` ${count}`
  }
  for (const part of unused.parts) {
    const outcome = await giveBackOf(deps, step, deed, { how, currency, part, next })
    const wanted = BigInt(part.amount)
    given += outcome.given
    problem = outcome.problem ?? problem
    if (outcome.given < wanted) keep(outcome.problem ? 'refused' : 'givenBack', wanted - outcome.given)
  }
  return {
    ...{ how, amount: `${given}`, currency, problem },
    withheld: [...kept].map(([reason, minor]) => ({ reason, amount: `${minor}` })),
  }
}

function ofOneInvoice({ invoice, amount, currency }: OfOneInvoice): Unused {
  return { currency, parts: [{ invoice, amount, creditedSince: '0' }], withheld: [] }
}

/** What is withheld, as it was recorded. */
export function withheldOf({ currency, withheld = [] }: GivenBack): {
  readonly reason: ReasonToKeep
  readonly amount: Money
}[] {
  return withheld.map(({ reason, amount }) => ({ reason, amount: money(BigInt(amount), currency) }))
}
