import { negate } from '@lockstep/core/money'
import { takenBack } from '@lockstep/core/taken-back'
import type { Claim } from '@lockstep/core/unused-time'
import type Stripe from 'stripe'
import { toSentParts } from './credited-since.ts'

/**
 * What each paid invoice of a subscription gives back of usage that older ones of them billed, by its id: it paid as much of
 * what else stands there. They are given newest first.
 */
export function correctionsOn(invoices: readonly Stripe.Invoice[]): ReadonlyMap<string, readonly Claim[]> {
  const oldestFirst = invoices.filter(({ status }) => status !== 'void').reverse()
  const taken = takenBack(oldestFirst.map(toSentParts))
  const paid = oldestFirst.filter(({ status }) => status === 'paid')
  return new Map(
    paid.map(({ id }) => [
      id,
      (taken.get(id) ?? []).flatMap(({ credits, amount }) =>
        credits === id || amount.minor >= 0n ? [] : [{ on: credits, amount: negate(amount) }],
      ),
    ]),
  )
}
