import { isDeepStrictEqual } from 'node:util'
import type { Payer } from '../../../packages/service/test/support/billing-world.ts'
import { seeded } from '../../support/random.ts'
import { answered, expectSame } from '../lifecycle/answers.ts'
import { iso } from '../lifecycle/life.ts'
import { newStage, type Stage } from '../lifecycle/stage.ts'
import { chanceChange, chanceStart, keyed, type Wish } from './chance.ts'
import { askStripe, type Line, sayTheSame, type Terms } from './third-opinion.ts'
import { chanceWares } from './wares.ts'

/** How many cases of each sort there were: a test that met none of a sort tests less than it says. */
interface Sorts {
  billed: number
  agreed: number
  notAsked: number
  inTrial: number
  trialEnded: number
  withAddons: number
  withCoupon: number
  nothing: number
}

export interface ChangesPlayed {
  readonly changes: number
  readonly sorts: Sorts
  /** The next customer's seed. */
  readonly seed: number
  /** Each begins with `seed N`. */
  readonly breaches: readonly string[]
}

const CHANGES_EACH = 5
/** Customers, each of a seed of its own, that buy from one catalogue: that of the first of them. */
const CUSTOMERS_EACH = 20
const DAY = 86_400
const HOUR = 3600

/**
 * A preview is the deed: whatever the plans, the numbers, the add-ons, the moment, the currency, coupon and trial, what
 * is shown is what Stripe itself says of it, and what is then billed, line by line and to the smallest coin.
 */
export async function playPlanChanges({
  runs,
  seed,
}: {
  readonly runs: number
  readonly seed: number
}): Promise<ChangesPlayed> {
  const sorts: Sorts = {
    ...{ billed: 0, agreed: 0, notAsked: 0, inTrial: 0, trialEnded: 0 },
    ...{ withAddons: 0, withCoupon: 0, nothing: 0 },
  }
  const breaches: string[] = []
  let [changes, next] = [0, seed]
  while (changes < runs) {
    const first = next - (next % CUSTOMERS_EACH)
    const stage = await newStage({ catalog: chanceWares(seeded(first)) })
    try {
      for (; next < first + CUSTOMERS_EACH && changes < runs; next += 1) {
        const breach = await playCustomer(stage, next, sorts)
        if (breach !== undefined) breaches.push(`seed ${next}: ${breach}`)
        changes += CHANGES_EACH
      }
    } finally {
      await stage.close()
    }
  }
  return { changes, sorts, seed: next, breaches }
}

/** One customer who changes a few times, at moments of chance. */
async function playCustomer(stage: Stage, seed: number, sorts: Sorts): Promise<string | undefined> {
  const random = seeded(seed)
  // Of its own, so that what is heard when changes nothing of what is wished.
  const weather = seeded(seed + 1_000_000_007)
  const start = chanceStart(random, seed)
  const told = [`${start.terms.currency} ${start.terms.plan} from ${iso(start.at)} ${start.coupons}`]
  try {
    const plan = `${start.terms.currency}-${start.terms.plan}`
    const { quantity } = start.terms
    const payer = await stage.world.register(plan, iso(start.at), { quantity, coupons: start.coupons })
    await stage.settle(weather)
    let terms = start.terms
    let at = start.at
    let coupons = start.coupons.length
    for (let number = 0; number < CHANGES_EACH; number += 1) {
      // Some at once, so that two fall into one period and one into the second in which the period began.
      if (number % 2 === 1) {
        at += (1 + random.below(45)) * DAY + random.below(DAY)
        await stage.world.turn(payer, iso(at))
        await stage.settle(weather)
        // Of a renewal that is a draft nothing was paid yet, so nothing of it is credited: its hour is let pass.
        if ((await lastInvoice(stage, payer))?.status === 'draft') {
          at += HOUR
          await stage.world.turn(payer, iso(at))
          await stage.settle(weather)
        }
      }
      const isTrial =
        (await stage.world.stripe.subscriptions.retrieve(payer.subscription)).status === 'trialing'
      const wish = chanceChange(random, terms, { at, isTrial, mayHaveCoupon: start.coupons.length === 0 })
      coupons += wish.coupon === undefined ? 0 : 1
      told.push(`${iso(at)} ${JSON.stringify(wish.payload)}`)
      terms = await change(stage, payer, { from: terms, wish, at, isTrial, coupons, sorts })
    }
    return undefined
  } catch (error) {
    return `${told.join('; ')}\n    ${error instanceof Error ? error.message : String(error)}`
  }
}

interface Asked {
  readonly from: Terms
  readonly wish: Wish
  readonly at: number
  readonly isTrial: boolean
  /** That it had so far, and gets now. */
  readonly coupons: number
  readonly sorts: Sorts
}

interface Invoice {
  readonly lines: readonly { readonly description: string; readonly amount: { readonly minor: string } }[]
  readonly total: { readonly minor: string }
}

/** Previewed, asked of Stripe, done as it was shown, and held against the invoice. Returns what it runs on then. */
async function change(stage: Stage, payer: Payer, asked: Asked): Promise<Terms> {
  const { from, wish, at, isTrial, coupons, sorts } = asked
  const { to, payload } = wish
  const url = `/v1/subscriptions/${payer.subscriptionId}`
  const shown = await stage.ask({ method: 'POST', url: `${url}/preview`, payload, key: keyed() })
  if (shown.body.code === 'empty_change') {
    sorts.nothing += 1
    return from
  }
  expectSame('the preview is answered', [shown.status, shown.body.detail], [200, undefined])
  const { dueNow, secondOpinion, token } = shown.body as unknown as Previewed
  if (secondOpinion === 'differs') throw new Error('Our second opinion differs.')
  // A coupon alone waits for the next invoice.
  const isOther = !isDeepStrictEqual(onSale(from), onSale(to))
  expectSame('something is due now', dueNow !== null, wish.endsTrial || (!isTrial && isOther))
  const promised = dueNow?.lines.map(({ amount, description }) => ({
    amount: Number(amount.minor),
    description,
  }))
  if (promised !== undefined) {
    const { coupon, endsTrial } = wish
    const { lines } = await askStripe(stage, payer, { from, to, coupon, endsTrial, at })
    if (!sayTheSame(promised, lines.data, { coupons }))
      throw new Error(`Shown: ${printed(promised)}; Stripe says: ${printed(lines.data)}`)
  }
  const before = await lastInvoice(stage, payer)
  await answered(stage, { method: 'PATCH', url, payload: { ...payload, preview: token } }, 200)
  const after = await lastInvoice(stage, payer)
  if (dueNow === null) {
    expectSame('nothing is billed', after?.id, before?.id)
    if (isTrial) sorts.inTrial += 1
    return to
  }
  if (!after || after.id === before?.id) throw new Error('Nothing was billed.')
  const billed = [...printed(after.lines.data), `${after.total}`]
  expectSame('billed as shown', billed, [...printed(promised ?? []), dueNow.total.minor])
  sorts.billed += 1
  if (isTrial) sorts.trialEnded += 1
  if (wish.coupon !== undefined) sorts.withCoupon += 1
  if (Object.values(to.addons).some((number) => number > 0)) sorts.withAddons += 1
  sorts[secondOpinion === 'agrees' ? 'agreed' : 'notAsked'] += 1
  return to
}

/** Without the add-ons that it has none of. */
function onSale({ addons, ...terms }: Terms): object {
  return { ...terms, addons: Object.fromEntries(Object.entries(addons).filter(([, number]) => number > 0)) }
}

interface Previewed {
  readonly dueNow: Invoice | null
  readonly secondOpinion: 'agrees' | 'differs' | 'notAsked'
  readonly token: string
}

/** Each line as one text, in an order of its own. */
function printed(lines: readonly Line[]): string[] {
  return lines.map(({ amount, description }) => `${amount} ${description}`).sort()
}

async function lastInvoice({ world: { stripe } }: Stage, { subscription }: Payer) {
  const { data } = await stripe.invoices.list({ subscription, limit: 1 })
  return data[0]
}
