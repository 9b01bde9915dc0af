import type { Import } from '@lockstep/sdk'
import { amountText } from './format.ts'
import { green, red } from './style.ts'
import { table } from './table.ts'

type Proof = NonNullable<Import['proof']>

/** Of one by a version of before, what it did not say is not looked for. */
export function isProven(proof: Proof | null): boolean {
  return (
    proof !== null &&
    proof.unequalCount === 0 &&
    (proof.unequalRevenueCount ?? 0) === 0 &&
    proof.mrr.every(isSame) &&
    proof.counts.every(({ there, here }) => there <= here) &&
    (proof.usage?.notCarriedOver.length ?? 0) === 0 &&
    (proof.usage?.amounts ?? []).every(isSame)
  )
}

type BothSides = Proof['mrr'][number]

const isSame = ({ there, here }: BothSides) => there.minor === here.minor

const MOST_SHOWN = 20

/** What an import proved, and whom it names; of long lists the first twenty. `id`: the import's, which names more. */
export function proofTexts(id: string, proof: Proof): string[] {
  const mark = isProven(proof) ? green('✓') : red('✗')
  const texts = [
    `${mark} ${proof.subscriptions} subscriptions held against each other, ${proof.unequalCount} differ; a month brings ${amountsText(proof.mrr)}.`,
  ]
  const missing = proof.counts.filter(({ there, here }) => here < there)
  if (missing.length > 0)
    texts.push(
      missing
        .map(({ type, there, here }) => `${red('✗')} of ${there} × ${type}, ${here} are here`)
        .join('\n'),
    )
  if (proof.unequal.length > 0)
    texts.push(
      table(proof.unequal.slice(0, MOST_SHOWN), [
        { title: 'differs', cell: ({ providerId }) => providerId },
        { title: 'in', cell: ({ differences }) => differencesText(differences) },
      ]) + more(proof.unequalCount, proof.unequal, id),
    )
  const { unequalRevenue = [], unequalRevenueCount = 0 } = proof
  if (unequalRevenue.length > 0)
    texts.push(
      table(unequalRevenue.slice(0, MOST_SHOWN), [
        { title: 'a month of', cell: ({ providerId, subscription }) => providerId ?? subscription ?? '' },
        { title: 'customer', cell: ({ customer }) => customer ?? 'not here' },
        { title: 'at Stripe', cell: ({ there }) => amountText(there), align: 'right' },
        { title: 'here', cell: ({ here }) => amountText(here), align: 'right' },
        { title: '', cell: ({ here }) => here.currency },
      ]) + more(unequalRevenueCount, unequalRevenue, id),
    )
  const { billedThere = [], billedThereCount = 0 } = proof
  if (billedThere.length > 0)
    texts.push(
      `Stripe alone bills ${billedThereCount} × item beside what is here, where a plan is paid in one rhythm and one currency. To have one here, move it to a subscription of its own at Stripe, or to a price that is paid as the plan is.`,
      table(billedThere.slice(0, MOST_SHOWN), [
        { title: 'an item of', cell: ({ providerId }) => providerId },
        { title: 'price', cell: ({ price }) => price },
        { title: 'paid in another', cell: ({ because }) => because },
        { title: 'a month', cell: ({ month }) => amountText(month), align: 'right' },
        { title: '', cell: ({ month }) => month.currency },
      ]) + more(billedThereCount, billedThere, id),
    )
  if (proof.meteredThere > 0)
    texts.push(
      `Stripe itself measures and bills usage of ${proof.meteredThere} × subscription: it stays there.`,
    )
  if (proof.usage !== undefined && proof.meteredThere > 0) texts.push(usageText(proof.usage, id))
  return texts
}

function usageText(
  { carriedOver, notCarriedOver, amounts }: NonNullable<Proof['usage']>,
  id: string,
): string {
  const shown = `What Stripe has counted so far is shown on ${carriedOver} × current invoice: ${amountsText(amounts)}.`
  if (notCarriedOver.length === 0) return shown
  const named = notCarriedOver.slice(0, MOST_SHOWN).join(', ')
  return `${shown}\n${red('✗')} Stripe did not say it of ${named}; it is asked again.${more(notCarriedOver.length, notCarriedOver, id)}`
}

/** Once where both sides say the same. */
function amountsText(amounts: readonly BothSides[]): string {
  const texts = amounts.map(({ there, here }) => {
    const same = isSame({ there, here })
    return `${same ? amountText(here) : `${amountText(here)} here, ${amountText(there)} there`} ${here.currency}`
  })
  return texts.join(', ') || 'nothing'
}

function differencesText(differences: Proof['unequal'][number]['differences']): string {
  return differences.map(({ field, here, there }) => `${field} ${here} here, ${there} there`).join('; ')
}

/** What is not shown of a long list. */
function more(count: number, named: readonly unknown[], id: string): string {
  const rest = count - Math.min(MOST_SHOWN, named.length)
  return rest === 0 ? '' : `\nand ${rest} more: see GET /v1/imports/${id}, which names ${named.length}.`
}
