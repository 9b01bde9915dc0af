import { showOpen } from '../../invoice/show-open.ts'
import { passes } from '../../passing.ts'
import type { Db } from '../../postgres/connect.ts'
import { fromStripeUnits } from '../../provider/stripe/amount.ts'
import { someAtOnce } from '../../some-at-once.ts'
import { readOpenInvoices } from '../../store/open-invoices.ts'
import { meteredSubscriptions, providerUsageOf } from '../../store/provider-usage.ts'
import type { LookDeps } from '../look.ts'
import { readProviderUsage } from '../provider-usage.ts'

const AT_ONCE = 4

/**
 * Asks what the provider's own meters have counted, of every subscription that has such an item and was not asked about since the
 * import began. Killed, it goes on with those that are left. Where the provider does not answer, it waits; whoever is refused is named by
 * the proof.
 */
export async function carryUsage(deps: LookDeps, since: bigint): Promise<void> {
  for await (const page of meteredSubscriptions(deps.db, deps.provider, since)) {
    const left = page.filter(({ observedAfter }) => !observedAfter)
    await someAtOnce(left, AT_ONCE, async ({ id, providerId }) => {
      try {
        await readProviderUsage(deps, id)
      } catch (err) {
        if (passes(err)) throw err
        deps.log.warn({ err, subscription: providerId }, 'What the provider has counted was refused.')
      }
    })
  }
}

export interface UsageProof {
  /** Subscriptions of which was asked what the provider's meters have counted. */
  readonly carriedOver: number
  /** Those of which the provider did not say it. */
  readonly notCarriedOver: string[]
  /** What it said of them all, in its own preview, and what stands of that on current invoices here; minor units. */
  readonly amounts: { readonly currency: string; readonly there: string; readonly here: string }[]
}

const MOST_NAMED = 1000

/** Holds what the provider said it has counted against what the current invoices show of it. */
export async function proveUsage({ db, provider }: LookDeps, since: bigint): Promise<UsageProof> {
  const sums = new Map<string, { there: bigint; here: bigint }>()
  const notCarriedOver: string[] = []
  let carriedOver = 0
  for await (const page of meteredSubscriptions(db, provider, since)) {
    for (const { id, providerId, observedAfter } of page) {
      if (!observedAfter) {
        if (notCarriedOver.length < MOST_NAMED) notCarriedOver.push(providerId)
        continue
      }
      carriedOver += 1
      for (const { currency, there, here } of await amountsOf(db, id, since)) {
        const sum = sums.get(currency) ?? { there: 0n, here: 0n }
        sums.set(currency, { there: sum.there + there, here: sum.here + here })
      }
    }
  }
  const amounts = [...sums].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    ...{ carriedOver, notCarriedOver },
    amounts: amounts.map(([currency, { there, here }]) => ({
      ...{ currency, there: `${there}`, here: `${here}` },
    })),
  }
}

/** Of one subscription, in minor units: what the provider said, and what a reader of its current invoice sees. */
async function amountsOf(db: Db, subscriptionId: string, since: bigint) {
  const [open, usage] = await Promise.all([
    readOpenInvoices(db, { subscriptionId }),
    providerUsageOf(db, [subscriptionId]),
  ])
  const currency = open.subscriptions[0]?.currency
  if (currency === undefined) return []
  const stated = usage
    // What stands on a draft is of a period that is over.
    .filter((one) => one.observation > since && one.periodEnd > one.asOf)
    .reduce((sum, one) => sum + one.stated, 0n)
  const shown = (await showOpen(db, open))
    .filter(({ invoice }) => invoice.status === 'current')
    .flatMap(({ lines }) => lines)
    .filter(({ asOf }) => asOf !== null)
    .reduce((sum, { amount }) => sum + amount.minor, 0n)
  return [{ currency, there: fromStripeUnits(stated, currency).minor, here: shown }]
}
