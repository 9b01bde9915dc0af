import type {
  CancellationPreview,
  Money,
  Subscription,
  SubscriptionDeed,
  SubscriptionStats,
  SubscriptionStretch,
} from '@lockstep/sdk'
import { amountText, countText, instantText, periodText, timesText } from './format.ts'
import { bold, dim, green, red, yellow } from './style.ts'
import { table } from './table.ts'

const colors = { full: green, grace: yellow, inactive: red, ended: dim }

export function subscriptionTable(subscriptions: readonly Subscription[]): string {
  return table(subscriptions, [
    { title: 'customer', cell: ({ externalId }) => externalId },
    { title: 'plan', cell: ({ plan, planVersion }) => `${plan} ${dim(`v${planVersion}`)}` },
    { title: 'status', cell: ({ status, access }) => colors[access](status) },
    { title: 'ends', cell: endText },
    { title: 'since', cell: ({ startedAt }) => instantText(startedAt) },
    { title: 'id', cell: ({ id }) => id },
  ])
}

export function subscriptionText(subscription: Subscription): string {
  const { externalId, plan, planVersion, status, access, currentPeriod, trial, collection } = subscription
  const { graceEndsAt, id, customer, providerId, quantity } = subscription
  const end = endText(subscription)
  return [
    `${bold(externalId)} on ${bold(plan)}, version ${planVersion}${timesText(quantity)}: ${colors[access](status)}`,
    ...subscription.addons.map(
      (one) => `with          ${one.addon}, version ${one.version}${timesText(one.quantity)}`,
    ),
    ...discountTexts(subscription),
    `access        ${access}${graceEndsAt === null ? '' : `, until ${instantText(graceEndsAt)}`}`,
    `period        ${periodText(currentPeriod)}`,
    ...(trial === null ? [] : [`trial         ${periodText(trial)}`]),
    ...(end === '' ? [] : [`ends          ${end}`]),
    ...scheduledTexts(subscription),
    ...(collection === 'charging' ? [] : [yellow(`invoices      ${collection}`)]),
    dim(`subscription  ${id}`),
    dim(`customer      ${customer}`),
    dim(`provider      ${providerId ?? '–'}`),
  ].join('\n')
}

/** What is taken off by itself; nothing where that was not asked for. */
function discountTexts({ discounts }: Subscription): string[] {
  if (discounts === null) return [yellow('less          what the provider takes off is not known yet')]
  return (discounts ?? []).map((one) => {
    const much = one.off.kind === 'percent' ? `${one.off.percent} %` : moneyText(one.off.amount)
    const key = one.coupon === null || one.coupon === one.name ? '' : ` (${one.coupon})`
    const long = { once: ', once', repeating: '', forever: '' }[one.duration]
    const until = one.end === null ? long : `, until ${instantText(one.end)}`
    return `less          ${much}, ${one.name}${key}${until}`
  })
}

const moneyText = (money: Money) => `${amountText(money)} ${money.currency}`

/** What comes when the period is over, as far as it is something else than what runs. */
function scheduledTexts({ scheduledChange, unreadSchedule, ...now }: Subscription): string[] {
  const unread = unreadSchedule === null ? [] : [yellow(`planned       at the provider: ${unreadSchedule}`)]
  if (scheduledChange === null) return unread
  const { plan, planVersion, quantity, addons, takesEffectAt, id } = scheduledChange
  const withAddons = addons.map((one) => `${one.addon}${timesText(one.quantity)}`).join(', ')
  const what = [
    `${plan}, version ${planVersion}${timesText(quantity)}`,
    ...(withAddons === '' ? (now.addons.length > 0 ? ['without add-ons'] : []) : [`with ${withAddons}`]),
  ]
  return [
    yellow(`then          ${what.join(', ')}, from ${instantText(takesEffectAt)}`),
    dim(`              ${id}`),
    ...unread,
  ]
}

function endText({ cancelAt, cancelAtPeriodEnd, endedAt, currentPeriod }: Subscription): string {
  if (endedAt !== null) return dim(instantText(endedAt))
  if (cancelAt !== null) return yellow(instantText(cancelAt))
  return cancelAtPeriodEnd ? yellow(instantText(currentPeriod.end)) : ''
}

export function historyTable(stretches: readonly SubscriptionStretch[]): string {
  return table(stretches, [
    { title: 'from', cell: ({ startsAt }) => instantText(startsAt) },
    { title: 'to', cell: ({ endsAt }) => (endsAt === null ? '…' : instantText(endsAt)) },
    { title: 'status', cell: ({ status, access }) => colors[access](status) },
    { title: 'plan', cell: ({ plan, planVersion }) => `${plan} ${dim(`v${planVersion}`)}` },
    { title: 'fee', align: 'right', cell: ({ fee }) => `${amountText(fee)} ${fee.currency}` },
    { title: 'because', cell: ({ cause, reason }) => (reason === null ? cause : `${cause} (${reason})`) },
    { title: 'by', cell: ({ actor }) => actor ?? '' },
  ])
}

export function cancellationText(preview: CancellationPreview): string {
  const { endsAt, usage, discounts, tax, unusedTime, toBill, toGiveBack, notGivenBack } = preview
  const lines = table(
    [...usage, ...unusedTime],
    [
      { title: 'what', cell: ({ description }) => description },
      { title: 'of', cell: ({ period }) => periodText(period) },
      { title: toBill.currency, align: 'right', cell: ({ amount }) => amountText(amount) },
    ],
  )
  return [
    `It would end on ${bold(instantText(endsAt))}.`,
    ...(usage.length + unusedTime.length > 0 ? ['', lines, ''] : []),
    ...discounts.map(({ name, amount }) => `taken off   ${amountText(amount)} ${amount.currency}, ${name}`),
    ...(tax && BigInt(tax.minor) !== 0n ? [`tax         ${amountText(tax)} ${tax.currency}`] : []),
    `billed      ${amountText(toBill)} ${toBill.currency}`,
    `given back  ${amountText(toGiveBack)} ${toGiveBack.currency}`,
    ...keptText(notGivenBack),
  ].join('\n')
}

const reasonsToKeep: Readonly<Record<CancellationPreview['notGivenBack'][number]['reason'], string>> = {
  notPaid: 'nobody paid for it',
  givenBack: 'given back before, or taken by the bank',
  notRefundable: 'cannot be refunded as it was paid',
  rounded: 'less than can be given back',
  refused: 'the provider refused',
}

/** What is unused and stays all the same. */
function keptText(kept: CancellationPreview['notGivenBack']): string[] {
  return kept.map(({ reason, amount }) =>
    yellow(`kept        ${amountText(amount)} ${amount.currency}: ${reasonsToKeep[reason]}`),
  )
}

export function deedText({ state, subscription, givenBack, action }: SubscriptionDeed): string {
  const head = {
    done: `${green('✓')} Done.`,
    running: yellow('It goes on by itself: the provider takes its time.'),
    requiresAction: yellow(`It goes on when the customer has paid: ${action?.url}`),
    unchanged: dim('It was so already.'),
  }
  const back = givenBack && `${amountText(givenBack.amount)} ${givenBack.amount.currency} as ${givenBack.how}`
  const given = givenBack
    ? [
        `given back  ${back}`,
        ...keptText(givenBack.notGivenBack),
        ...(givenBack.problem ? [red(`✗ ${givenBack.problem.detail}`)] : []),
      ]
    : []
  const why = action?.problem ? [red(action.problem.detail)] : []
  return [head[state], ...why, ...given, '', subscriptionText(subscription)].join('\n')
}

export function statsText(stats: SubscriptionStats): string {
  const { subscribers, subscriptions, byStatus, failingCards, ending, trialsEnding, plans, revenue } = stats
  const counts: [string, number][] = [
    ['subscribers', subscribers],
    ['subscriptions', subscriptions],
    ...byStatus.map((row): [string, number] => [`  ${row.status}`, row.subscriptions]),
    ['failing cards', failingCards],
    ['ending', ending],
    ['trials ending', trialsEnding],
  ]
  const money = table(revenue, [
    { title: 'currency', cell: ({ currency }) => currency },
    { title: 'a month', align: 'right', cell: ({ mrr }) => amountText(mrr) },
    ...(['new', 'reactivation', 'expansion', 'contraction', 'churn'] as const).map((part) => ({
      title: part,
      align: 'right' as const,
      cell: ({ movements }: SubscriptionStats['revenue'][number]) =>
        movements === null ? '' : amountText(movements[part]),
    })),
  ])
  const byPlan = table(plans, [
    { title: 'plan', cell: ({ plan }) => plan },
    { title: 'subscriptions', align: 'right', cell: (row) => countText(row.subscriptions) },
    {
      title: 'a month',
      align: 'right',
      cell: ({ mrr }) => mrr.map((one) => `${amountText(one)} ${one.currency}`).join(', '),
    },
  ])
  return [
    ...counts.map(([what, count]) => `${what.padEnd(16)}${countText(count)}`),
    '',
    byPlan,
    '',
    money,
  ].join('\n')
}
