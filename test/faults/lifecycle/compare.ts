import { someAtOnce } from '@lockstep/service/some-at-once'
import type Stripe from 'stripe'
import { expectSame } from './answers.ts'
import { running } from './discounts.ts'
import type { Life } from './life.ts'
import { coupons, EXTRA_CENTS } from './plans.ts'
import type { Stage } from './stage.ts'

const READ_AT_ONCE = 8

/** Ours is what the provider says, and both are what the model says. Returns what is wrong with whom. */
export async function compareAll(stage: Stage, lives: readonly Life[]): Promise<Map<Life, Error>> {
  const [written, seen] = await Promise.all([
    readOurs(
      stage,
      lives.map(({ payer }) => payer.subscriptionId),
    ),
    readTheirs(
      stage,
      lives.map(({ payer }) => payer.subscription),
    ),
  ])
  const wrong = new Map<Life, Error>()
  for (const life of lives) {
    try {
      compare(life, written.get(life.payer.subscriptionId), seen.get(life.payer.subscription))
    } catch (error) {
      wrong.set(life, error as Error)
    }
  }
  return wrong
}

/** One by one: a list leaves out what is on a test clock. https://docs.stripe.com/api/subscriptions/list */
async function readTheirs(
  { world: { stripe } }: Stage,
  ids: readonly string[],
): Promise<Map<string, Stripe.Subscription>> {
  const found = new Map<string, Stripe.Subscription>()
  await someAtOnce(ids, READ_AT_ONCE, async (id) => {
    found.set(id, await stripe.subscriptions.retrieve(id))
  })
  return found
}

/** Pieces of the add-on in a row that has them. */
const extrasOf = (table: string) => `coalesce((${table}.addons -> 0 ->> 'quantity')::int, 0)`

interface Ours {
  readonly id: string
  readonly status: string
  readonly plan: string
  readonly quantity: number
  readonly extras: number
  readonly cancelAt: number | null
  readonly cancelAtPeriodEnd: boolean
  readonly endedAt: number | null
  readonly periodStart: number
  readonly periodEnd: number
  readonly collection: string
  readonly scheduled: string | null
  readonly hasSlot: boolean
  /** The provider's ids of what is taken off. */
  readonly discounts: readonly string[]
  /** Of the contract in force, by coupon. */
  readonly agreed: readonly {
    readonly coupon: string
    readonly duration: { readonly kind: string }
    readonly end: string | null
  }[]
  /** The last stretch of the history. */
  readonly last: {
    readonly status: string
    readonly cancelAt: number | null
    readonly quantity: number
    readonly extras: number
  } | null
}

async function readOurs({ world: { pool } }: Stage, ids: readonly string[]): Promise<Map<string, Ours>> {
  const { rows } = await pool.query<Ours>(
    `select s.id, s.status, v.plan_key as plan, s.quantity, ${extrasOf('s')} as extras,
            extract(epoch from s.cancel_at)::int as "cancelAt",
            s.cancel_at_period_end as "cancelAtPeriodEnd", extract(epoch from s.ended_at)::int as "endedAt",
            extract(epoch from s.current_period_start)::int as "periodStart",
            extract(epoch from s.current_period_end)::int as "periodEnd", s.collection,
            (select to_version.plan_key
               from plan_change c join plan_version to_version on to_version.id = c.plan_version_id
              where c.subscription_id = s.id and c.state = 'scheduled') as scheduled,
            exists (select from subscription_slot where subscription_id = s.id) as "hasSlot",
            s.discounts,
            (select c.document::jsonb -> 'agreement' -> 'discounts' from contract c
              where c.subscription_id = s.id
                and not exists (select from contract after where after.supersedes = c.id)) as agreed,
            (select jsonb_build_object('status', h.status, 'cancelAt', extract(epoch from h.cancel_at)::int,
                                       'quantity', h.quantity, 'extras', ${extrasOf('h')})
               from subscription_history h where h.subscription_id = s.id and h.ends_at = 'infinity') as last
       from subscription s join plan_version v on v.id = s.plan_version_id
      where s.id = any($1)`,
    [ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

function compare(life: Life, ours: Ours | undefined, theirs: Stripe.Subscription | undefined): void {
  const { expected: now } = life
  if (ours === undefined || theirs === undefined) throw new Error('It is not there.')
  const isExtra = ({ price }: { readonly price: { readonly unit_amount: number | null } }) =>
    price.unit_amount === EXTRA_CENTS
  const item = theirs.items.data.find((one) => !isExtra(one))
  const seen = {
    status: theirs.status as string,
    quantity: item?.quantity,
    extras: theirs.items.data.find(isExtra)?.quantity ?? 0,
    cancelAt: theirs.cancel_at,
    cancelAtPeriodEnd: theirs.cancel_at_period_end,
    endedAt: theirs.ended_at,
    periodStart: item?.current_period_start,
    periodEnd: item?.current_period_end,
  }
  const { status, quantity, extras, cancelAt, cancelAtPeriodEnd, endedAt, periodStart, periodEnd } = ours
  const written = { status, quantity, extras, cancelAt, cancelAtPeriodEnd, endedAt, periodStart, periodEnd }
  expectSame('ours is not the provider’s', written, seen)
  // What was planned for an end that came is history.
  const isOver = now.status === 'canceled'
  const planned = isOver
    ? { cancelAt, cancelAtPeriodEnd }
    : { cancelAt: now.cancelAt, cancelAtPeriodEnd: now.cancelAtPeriodEnd }
  expectSame('the model says otherwise', written, {
    status: now.status,
    quantity: now.terms.quantity,
    extras: now.terms.extras,
    ...planned,
    endedAt: now.endedAt,
    periodStart: now.period.start,
    periodEnd: now.period.end,
  })
  expectSame('plan', ours.plan, now.terms.plan)
  if (!isOver) expectSame('scheduled', ours.scheduled, now.scheduled?.plan ?? null)
  if (!isOver) expectSame('collection', ours.collection, now.collection)
  expectSame('discounts are not the provider’s', ours.discounts, theirs.discounts)
  // One that is good for one invoice stays in the contract; the provider drops it when it is used.
  const agreed = ours.agreed.filter(
    ({ duration, end }) => duration.kind !== 'once' && (end === null || Date.parse(end) / 1000 > now.now),
  )
  const lasting = running(now.discounts, now.now).filter(({ coupon }) => coupons[coupon].duration !== 'once')
  if (!isOver)
    expectSame(
      'what is agreed to be taken off',
      agreed.map(({ coupon }) => coupon).sort(),
      lasting.map(({ coupon }) => coupon).sort(),
    )
  // The last stretch is how it stands; the database sees to the rest.
  expectSame('history', ours.last, { status, cancelAt, quantity, extras })
  expectSame('the slot is held exactly while it lives', ours.hasSlot, !isOver)
}
