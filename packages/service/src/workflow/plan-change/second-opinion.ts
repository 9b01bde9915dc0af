import { estimateChange } from '@lockstep/core/change-estimate'
import type { ContractDocument } from '@lockstep/core/contract'
import type { Instant } from '@lockstep/core/instant'
import { type Money, sum } from '@lockstep/core/money'
import { sql } from 'kysely'
import { documentsOf } from '../../store/contracts.ts'
import { sqlTime } from '../../store/time.ts'
import type { LookDeps } from '../look.ts'
import { pricedItems } from '../subscription-items.ts'
import type { Decision } from './decide.ts'
import type { PreviewInvoice } from './preview.ts'

/** What our own computation says of the provider's. `notAsked`: it does not know all that counts. */
export type Opinion =
  | { readonly kind: 'agrees' | 'differs'; readonly total: string }
  | { readonly kind: 'notAsked'; readonly total: null }

const notAsked: Opinion = { kind: 'notAsked', total: null }

/** Stripe counts these in hundredths that do not exist, or without the hundredths that do. */
const UNLIKE: readonly string[] = ['isk', 'ugx', 'mga']

/**
 * Computes the prorations of a change once more, in core, where everything is known: no discounts now or before, no tax,
 * nothing else changed in this period, no items of somebody else's. Held against what the provider's lines
 * of this change add up to; usage that waits for an invoice is none of them.
 */
export async function secondOpinion(
  deps: LookDeps,
  decision: Decision,
  invoice: PreviewInvoice | null,
): Promise<Opinion> {
  const { subscription, standing, from, to, quantity, startsPeriod, trialEnd, prorationDate } = decision
  const { currency } = subscription
  const isPlain =
    standing.discounts.length === 0 && decision.discounts === null && !standing.isTaxed && trialEnd === null
  const { quantity: number, itemNumbers } = subscription
  const before = pricedItems({ version: from, quantity: number, addons: decision.fromAddons, itemNumbers })
  const isWhole = standing.items.length === before.length
  if (!invoice || !isPlain || !isWhole || UNLIKE.includes(currency)) return notAsked
  if (await wasChangedInPeriod(deps, decision)) return notAsked
  if (await wasEverDiscounted(deps, decision)) return notAsked
  const lines = estimateChange({
    before,
    after: pricedItems({
      ...{ version: to, quantity, addons: decision.addons },
      itemNumbers: decision.itemNumbers,
    }),
    period: standing.period,
    at: prorationDate,
    startsPeriod,
  })
  const ours = sum(
    currency,
    lines.map(({ amount }) => amount),
  )
  const theirs = sum(currency, ofThisChange(invoice, decision))
  return { kind: ours.minor === theirs.minor ? 'agrees' : 'differs', total: `${ours.minor}` }
}

/** Prorations as of this moment, and the fees of a period that begins. */
function ofThisChange({ lines }: PreviewInvoice, { prorationDate, startsPeriod, at }: Decision): Money[] {
  return lines
    .filter(({ isProration, period }) =>
      isProration ? period.start === prorationDate : startsPeriod && period.start >= at,
    )
    .map(({ amount }) => amount)
}

/** Whatever was changed, here or at the provider, made a contract. */
async function wasChangedInPeriod({ db }: LookDeps, { subscription, standing }: Decision): Promise<boolean> {
  const amended = await db
    .selectFrom('contract')
    .select('id')
    .where('subscriptionId', '=', subscription.id)
    .where('supersedes', 'is not', null)
    .where('acceptedAt', '>=', sql<Instant>`${sqlTime(standing.period.start)}`)
    .limit(1)
    .executeTakeFirst()
  return amended !== undefined
}

/** A coupon for once is used up with the first invoice, and what that was lowered to is what unused time gives back. */
async function wasEverDiscounted({ db }: LookDeps, { subscription }: Decision): Promise<boolean> {
  const documents = await documentsOf(db, subscription.id)
  return documents.some((text) => (JSON.parse(text) as ContractDocument).agreement.discounts.length > 0)
}
