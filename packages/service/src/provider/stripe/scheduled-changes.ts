import { isDeepStrictEqual } from 'node:util'
import type { Interval } from '@lockstep/core/billing-cycle'
import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { callMayBeDone } from '../../store/operations.ts'
import { type CallDeps, readStripe } from './call.ts'
import { fetchSubscription, withAllLines } from './fetch.ts'
import { idOf, idOrNull } from './field.ts'
import { isOwn, ownMetadata } from './metadata.ts'
import { afterRunning, isAsMade, makeSchedule, releaseSchedule, tellSchedule } from './schedules.ts'
import type { ItemChange, WantedItem } from './subscription-changes.ts'

export interface ChangeToSchedule {
  readonly operation: string
  readonly subscriptionId: string
  readonly providerSubscription: string
  readonly items: readonly WantedItem[]
  /** What becomes another for that, of how it stood when it was decided. */
  readonly changes: readonly ItemChange[]
  /** All items of then; undefined where that was not written down. */
  readonly stood: readonly StoodItem[] | undefined
  /** The end of the period that runs. */
  readonly at: Instant
  readonly interval: Interval
  readonly intervalCount: number
  /** Periods are counted anew from `at`, because they have another length. */
  readonly changesRhythm: boolean
}

export type StoodItem = readonly [id: string, price: string, quantity: number | null]

/**
 * Has a subscription go on with other items when its period is over. A schedule is made of the
 * subscription as it is, with one more phase; one of ours that stands there already is told anew. After
 * one period it lets go of the subscription by itself.
 * https://docs.stripe.com/billing/subscriptions/subscription-schedules/use-cases
 */
export async function scheduleChange(
  deps: CallDeps,
  wanted: ChangeToSchedule,
): Promise<Stripe.SubscriptionSchedule> {
  const subscription = await fetchSubscription(deps, wanted.providerSubscription)
  const standing = await scheduleOf(deps, wanted, subscription)
  const schedule = standing ?? (await makeSchedule(deps, wanted))
  return tellPhases(deps, wanted, schedule, [
    running(subscription, schedule, wanted),
    coming(subscription, wanted),
  ])
}

/**
 * The schedule that was made for a change, and told nothing yet, is let go, as the change shall not be made any more: while
 * it stands nobody can plan anything else.
 */
export async function letGoOfMade(
  deps: CallDeps,
  { operation, subscriptionId, providerSubscription }: ChangeToSchedule,
): Promise<void> {
  if (!(await callMayBeDone(deps.db, operation))) return
  const { schedule } = await fetchSubscription(deps, providerSubscription)
  if (schedule === null) return
  const made = await readStripe(deps, (stripe) => stripe.subscriptionSchedules.retrieve(idOf(schedule)))
  if (!isAsMade(made)) return
  await releaseSchedule(deps, `${operation}/release`, { subscriptionId, scheduleId: made.id })
}

/**
 * Has what stands on a subscription by now go on behind a change that is planned: a phase names everything that is to be there,
 * and what was given since would end with the period. Discounts that somebody planned in the schedule to begin with the change
 * stay. https://docs.stripe.com/api/subscription_schedules/update#update_subscription_schedule-phases-discounts
 */
export async function keepBehindChange(
  deps: CallDeps,
  wanted: ChangeToSchedule,
  scheduleId: string,
): Promise<'told anew' | 'as it stands' | 'not ours'> {
  const [subscription, schedule] = await Promise.all([
    fetchSubscription(deps, wanted.providerSubscription),
    readStripe(deps, (stripe) => stripe.subscriptionSchedules.retrieve(scheduleId)),
  ])
  const [planned] = afterRunning(schedule)
  const isFollowed = idOrNull(subscription.schedule, 'schedule') === scheduleId
  if (!planned || !isFollowed || !mayBeTold(schedule, wanted.at)) return 'not ours'
  const next = coming(subscription, wanted, planned)
  if (isDeepStrictEqual(saidOf(planned), saidOf(next))) return 'as it stands'
  await tellPhases(deps, wanted, schedule, [running(subscription, schedule, wanted), next])
  return 'told anew'
}

/** Whether nothing but what comes at a moment is planned in it. More is somebody else's, and would be taken away by being told anew. */
export function mayBeTold(schedule: Stripe.SubscriptionSchedule, at: Instant): boolean {
  const [planned, ...later] = afterRunning(schedule)
  return schedule.status === 'active' && planned?.start_date === at && later.length === 0
}

/**
 * The next renewal as a change would make it that takes the place of what a schedule has planned: asked of the subscription, the
 * provider answers what the schedule makes of it, whatever items it is asked about.
 * https://docs.stripe.com/api/invoices/create_preview#create_create_preview-schedule_details
 */
export async function previewInPlaceOf(
  deps: Pick<CallDeps, 'provider'>,
  wanted: Omit<ChangeToSchedule, 'operation' | 'subscriptionId'>,
  schedule: string,
): Promise<Stripe.Invoice> {
  const [subscription, standing] = await Promise.all([
    fetchSubscription(deps, wanted.providerSubscription),
    readStripe(deps, (stripe) => stripe.subscriptionSchedules.retrieve(schedule)),
  ])
  const phases = [running(subscription, standing, wanted), coming(subscription, wanted)]
  const details = { end_behavior: 'release', proration_behavior: 'none', phases } as const
  return readStripe(deps, async (stripe) =>
    withAllLines(stripe, await stripe.invoices.createPreview({ schedule, schedule_details: details })),
  )
}

type PhaseParam = Stripe.SubscriptionScheduleUpdateParams.Phase
type SeenPhase = Stripe.SubscriptionSchedule.Phase

function tellPhases(
  deps: CallDeps,
  wanted: ChangeToSchedule,
  { id }: Stripe.SubscriptionSchedule,
  phases: PhaseParam[],
): Promise<Stripe.SubscriptionSchedule> {
  const metadata = ownMetadata(deps.provider, wanted.operation, {
    lockstep_subscription: wanted.subscriptionId,
  })
  const body = { end_behavior: 'release' as const, proration_behavior: 'none' as const, phases, metadata }
  return tellSchedule(deps, wanted, id, body)
}

/**
 * The phase that runs is told as the subscription is, because somebody may have changed it since the schedule was made, and
 * would see it changed back.
 */
function running(
  subscription: Stripe.Subscription,
  { id, phases, current_phase: current }: Stripe.SubscriptionSchedule,
  { at }: Pick<ChangeToSchedule, 'at'>,
): PhaseParam {
  const phase = phases.find(({ start_date: start }) => start === current?.start_date)
  if (!phase) throw new Error(`The schedule ${id} has no phase that runs.`)
  return {
    ...{ start_date: phase.start_date, end_date: at, proration_behavior: 'none' },
    ...ofAll(subscription),
    items: subscription.items.data.map(asItStands),
  }
}

function asItStands(item: Stripe.SubscriptionItem): PhaseParam['items'][number] {
  return {
    price: item.price.id,
    ...(item.quantity !== undefined && { quantity: item.quantity }),
    ...ofItem(item),
  }
}

/**
 * Phases say everything: what is not repeated would end with the one that runs. An item that takes the place of another has
 * what that has of its own, as where it is changed at once.
 */
function coming(
  subscription: Stripe.Subscription,
  wanted: Omit<ChangeToSchedule, 'operation' | 'subscriptionId'>,
  planned?: SeenPhase,
): PhaseParam {
  const standing = subscription.items.data
  const inThePlaceOf = (price: string) => {
    const { id } = wanted.changes.find((change) => change.price === price) ?? {}
    return standing.find((item) => item.price.id === price) ?? standing.find((item) => item.id === id)
  }
  return {
    duration: { interval: wanted.interval, interval_count: wanted.intervalCount },
    proration_behavior: 'none',
    ...(wanted.changesRhythm && { billing_cycle_anchor: 'phase_start' as const }),
    ...ofAll(subscription, planned?.discounts),
    items: [
      ...wanted.items.map(({ providerPrice: price, quantity }) => ({
        price,
        ...(quantity !== null && { quantity }),
        ...ofItem(inThePlaceOf(price), planned?.items.find((one) => idOf(one.price) === price)?.discounts),
      })),
      ...notConcerned(standing, wanted, planned).map(asItStands),
    ],
  }
}

/**
 * Items that are somebody else's, as a change that is made at once leaves them alone. What was added since and is not planned
 * with it so far is one of them only while all that stood then does: otherwise it may have come in the place of what is to be
 * changed, and would be billed beside that.
 */
function notConcerned(
  standing: readonly Stripe.SubscriptionItem[],
  { items, changes, stood }: Pick<ChangeToSchedule, 'items' | 'changes' | 'stood'>,
  planned: SeenPhase | undefined,
): Stripe.SubscriptionItem[] {
  if (stood === undefined) return []
  const stands = ([id, price]: StoodItem) =>
    standing.some((item) => item.id === id && item.price.id === price)
  const isWhole = stood.every(stands)
  return standing.filter(({ id, price }) => {
    const isOurs = changes.some((change) => change.id === id)
    const isWanted = items.some(({ providerPrice }) => providerPrice === price.id)
    const stoodThen = stood.some(([before, its]) => before === id && its === price.id)
    const isPlanned = planned?.items.some((its) => idOf(its.price) === price.id) === true
    return !isOurs && !isWanted && (isWhole || stoodThen || isPlanned)
  })
}

/**
 * What a phase is told of all that it bills, and of how that is collected: of what it leaves out the schedule says how it
 * was when the schedule was made. Of a list that is left out nothing is said, and an empty one is none.
 */
function ofAll(
  { discounts, default_tax_rates: rates, ...collected }: Stripe.Subscription,
  beside: readonly SeenDiscount[] = [],
): Omit<PhaseParam, 'items'> {
  const {
    collection_method: how,
    default_payment_method: method,
    description,
    automatic_tax: tax,
  } = collected
  return {
    collection_method: how,
    invoice_settings: invoiceSettings(collected),
    ...(method !== null && { default_payment_method: idOf(method) }),
    automatic_tax: { enabled: tax.enabled, ...liableAccount(tax.liability) },
    // Empty, it is none, whatever the schedule says of all its phases.
    description: description ?? '',
    discounts: [...discounts.map(discountParam), ...beside.flatMap(toBeRedeemed)],
    ...(rates && rates.length > 0 && { default_tax_rates: rates.map(({ id }) => id) }),
  }
}

/** A phase that has any of its own has none of the schedule's. */
function invoiceSettings({
  collection_method: how,
  days_until_due: days,
  invoice_settings: settings,
}: Pick<Stripe.Subscription, 'collection_method' | 'days_until_due' | 'invoice_settings'>): NonNullable<
  PhaseParam['invoice_settings']
> {
  const { account_tax_ids: taxIds, custom_fields: fields, description, footer, issuer } = settings
  return {
    ...(how === 'send_invoice' && days !== null && { days_until_due: days }),
    ...(taxIds && taxIds.length > 0 && { account_tax_ids: taxIds.map(idOf) }),
    ...(fields && fields.length > 0 && { custom_fields: fields }),
    ...(description !== null && { description }),
    ...(footer !== null && { footer }),
    issuer: { type: issuer.type, ...(issuer.account && { account: idOf(issuer.account) }) },
  }
}

/** Who is liable where it is another account of the platform's; otherwise Stripe knows. */
function liableAccount(liability: Stripe.Subscription.AutomaticTax['liability']) {
  if (!liability?.account) return {}
  return { liability: { type: liability.type, account: idOf(liability.account) } }
}

function ofItem(
  item: Stripe.SubscriptionItem | undefined,
  beside: readonly SeenDiscount[] = [],
): Pick<PhaseParam['items'][number], 'discounts' | 'tax_rates'> {
  const discounts = [...(item?.discounts ?? []).map(discountParam), ...beside.flatMap(toBeRedeemed)]
  const rates = item?.tax_rates ?? []
  return {
    ...(discounts.length > 0 && { discounts }),
    ...(rates.length > 0 && { tax_rates: rates.map(({ id }) => id) }),
  }
}

type SeenDiscount = SeenPhase['discounts'][number]
type GivenDiscount = Stripe.SubscriptionScheduleUpdateParams.Phase.Discount

/** We name discounts that run; who planned to redeem something there wants that too. */
function toBeRedeemed({ coupon, promotion_code: code }: SeenDiscount): GivenDiscount[] {
  if (code !== null) return [{ promotion_code: idOf(code) }]
  return coupon === null ? [] : [{ coupon: idOf(coupon) }]
}

/** What a phase is to bill and to take off, and how that is collected, in whichever form it is said. */
function saidOf({ discounts, default_tax_rates: rates, items, ...rest }: SeenPhase | PhaseParam) {
  const { collection_method: how, default_payment_method: method, invoice_settings: settings } = rest
  const { days_until_due: days, account_tax_ids: taxIds, custom_fields: fields, ...worded } = settings ?? {}
  return {
    ...{ discounts: namesOf(discounts), rates: idsOf(rates) },
    collected: [how ?? null, days ?? null, method ? idOf(method) : null, rest.automatic_tax?.enabled],
    said: [rest.description || null, worded.description || null, worded.footer || null],
    shown: [(taxIds || []).map(idOf), (fields || []).map(({ name, value }) => [name, value])],
    items: items.map((item) => [
      ...[idOf(item.price ?? ''), item.quantity ?? null, namesOf(item.discounts), idsOf(item.tax_rates)],
    ]),
  }
}

type NamedDiscounts = SeenPhase['discounts'] | PhaseParam['discounts']

function namesOf(discounts: NamedDiscounts): (string | null)[] {
  return (discounts || []).map(({ discount, coupon, promotion_code: code }) => {
    const named = discount ?? code ?? coupon
    return named == null ? null : idOf(named)
  })
}

function idsOf(rates: readonly (string | { readonly id: string })[] | '' | null | undefined): string[] {
  return (rates || []).map(idOf)
}

/** The schedule that stands on a subscription and that we may tell anew. */
async function scheduleOf(
  deps: CallDeps,
  { operation }: ChangeToSchedule,
  { schedule }: Stripe.Subscription,
): Promise<Stripe.SubscriptionSchedule | undefined> {
  if (schedule === null) return undefined
  const found = await readStripe(deps, (stripe) => stripe.subscriptionSchedules.retrieve(idOf(schedule)))
  // Made of the subscription by this very call, whose answer was lost; or ours from an earlier change.
  if (isOwn(deps.provider, found) || (isAsMade(found) && (await callMayBeDone(deps.db, operation))))
    return found
  const detail = 'Somebody else planned changes of the subscription at the payment provider.'
  throw new Problem('subscription_not_changeable', detail)
}

const discountParam = (discount: string | Stripe.Discount) => ({ discount: idOf(discount) })
