import type { ChangePreview, Money, PlanChange, ReactivationPreview } from '@lockstep/sdk'
import { amountText, instantText, periodText, timesText } from './format.ts'
import { bold, dim, green, red, yellow } from './style.ts'
import { table } from './table.ts'

type PreviewInvoice = NonNullable<ChangePreview['dueNow']>
type Terms = PlanChange['to']

/** What a change would come to: when, each line that is billed, and what becomes different in the contract. */
export function changePreviewText(preview: ChangePreview): string {
  const { from, to, takesEffectAt, dueNow, nextInvoice, recurring, contractChanges, warnings } = preview
  const moment = preview.takesEffect === 'now' ? 'at once' : `on ${instantText(takesEffectAt)}`
  return [
    `${termsText(from)} → ${bold(termsText(to))}: ${preview.direction}, takes effect ${bold(moment)}`,
    ...(dueNow ? ['', 'due now', ...invoiceLines(dueNow)] : []),
    ...(nextInvoice
      ? ['', `next invoice, on ${instantText(nextInvoice.at)}`, ...invoiceLines(nextInvoice)]
      : []),
    '',
    `a period    ${moneyText(recurring)}${dim(', before discounts and tax')}`,
    ...contractChanges.map((line) => `contract    ${line}`),
    ...(preview.withdraws === null ? [] : [yellow('The change that is scheduled does not come then.')]),
    ...(preview.needsPaymentPage ? [yellow('The customer leaves a payment method on a page first.')] : []),
    ...warnings.map((warning) => yellow(warning)),
    ...(preview.secondOpinion === 'differs'
      ? [red("✗ Our own computation comes to another amount than the provider's.")]
      : []),
  ].join('\n')
}

export function changeQuestion({ to, takesEffect, takesEffectAt, dueNow }: ChangePreview): string {
  const moment = takesEffect === 'now' ? 'now' : `on ${instantText(takesEffectAt)}`
  const charge = dueNow ? ` and charge ${moneyText(dueNow.amountDue)}` : ''
  return `Change to ${termsText(to)} ${moment}${charge}?`
}

/** What beginning anew would come to. */
export function reactivationPreviewText({ to, trialEndsAt, dueNow, recurring }: ReactivationPreview): string {
  return [
    `${bold(termsText(to))}${trialEndsAt === null ? '' : `, on trial until ${instantText(trialEndsAt)}`}`,
    ...(dueNow ? ['', 'due now', ...invoiceLines(dueNow)] : []),
    '',
    `a period    ${moneyText(recurring)}${dim(', before discounts and tax')}`,
  ].join('\n')
}

export function reactivationQuestion({ to, dueNow }: ReactivationPreview): string {
  return `Begin ${termsText(to)}${dueNow ? ` and charge ${moneyText(dueNow.amountDue)}` : ''}?`
}

/** How far a change came, and what the customer has to do. */
export function planChangeText(change: PlanChange): string {
  const { id, from, to, state, action, problem, dueAt, coupons, withoutCoupons } = change
  const head = {
    applying: yellow('It goes on by itself: the provider takes its time.'),
    requiresAction: yellow('The customer has something to do first; until then everything is as it was.'),
    scheduled: `${green('✓')} Comes on ${dueAt === null ? 'its day' : instantText(dueAt)}.`,
    effective: `${green('✓')} Done.`,
    withdrawn: yellow('It was given up.'),
    refused: `${red('✗')} Nothing was changed.`,
    parked: `${red('✗')} It is parked: a person has to look.`,
  }
  return [
    `${head[state]} ${termsText(from)} → ${bold(termsText(to))}`,
    ...(coupons.length === 0 ? [] : [`redeemed   ${coupons.join(', ')}`]),
    ...(withoutCoupons.length === 0 ? [] : [`taken off  ${withoutCoupons.join(', ')}`]),
    ...(problem ? [`${problem.title} ${problem.detail}`] : []),
    ...(action ? [`until ${instantText(action.expiresAt)}: ${action.url}`] : []),
    dim(`change  ${id}`),
  ].join('\n')
}

const colors = {
  applying: yellow,
  requiresAction: yellow,
  scheduled: yellow,
  effective: green,
  withdrawn: dim,
  refused: red,
  parked: red,
}

export function planChangeTable(changes: readonly PlanChange[]): string {
  return table(changes, [
    { title: 'asked', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'state', cell: ({ state }) => colors[state](state) },
    { title: 'takes effect', cell: effectText },
    { title: 'from', cell: ({ from }) => termsText(from) },
    { title: 'to', cell: ({ to }) => termsText(to) },
    { title: 'coupons', cell: couponsText },
    { title: 'by', cell: ({ requestedBy }) => requestedBy },
    { title: 'id', cell: ({ id }) => id },
  ])
}

const couponsText = ({ coupons, withoutCoupons }: PlanChange) =>
  [...coupons.map((key) => `+ ${key}`), ...withoutCoupons.map((key) => `− ${key}`)].join(', ')

/** When it took effect, or will; nothing where it does not. */
function effectText({ state, dueAt, effectiveAt }: PlanChange): string {
  const at = effectiveAt ?? (state === 'scheduled' ? dueAt : null)
  return at === null ? '' : instantText(at)
}

function invoiceLines({ lines, subtotal, total, amountDue, credited }: PreviewInvoice): string[] {
  const sums: [string, Money][] = [
    // What the lines come to is not what the total says.
    ...(subtotal.minor === total.minor
      ? []
      : [['before discounts and tax', subtotal] satisfies [string, Money]]),
    ['total', total],
    ...(amountDue.minor === total.minor ? [] : [['charged', amountDue] satisfies [string, Money]]),
    ...(credited.minor === '0' ? [] : [['on the balance', credited] satisfies [string, Money]]),
  ]
  const rows = [
    ...lines.map(({ description, period, amount }) => ({
      what: description,
      of: periodText(period),
      amount,
    })),
    ...sums.map(([what, amount]) => ({ what: bold(what), of: '', amount })),
  ]
  return [
    table(rows, [
      { title: 'what', cell: ({ what }) => what },
      { title: 'of', cell: ({ of }) => of },
      { title: total.currency, align: 'right', cell: ({ amount }) => amountText(amount) },
    ]),
  ]
}

const termsText = ({ plan, planVersion, quantity, addons }: Terms) =>
  [
    `${plan} ${dim(`v${planVersion}`)}${timesText(quantity)}`,
    ...addons.map((one) => `${one.addon}${timesText(one.quantity)}`),
  ].join(' + ')
const moneyText = (money: Money) => `${amountText(money)} ${money.currency}`
