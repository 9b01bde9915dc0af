import { printedDecimal } from '@lockstep/core/printed-amount'
import type { SpendAlert, SpendLimit } from '@lockstep/sdk'
import { type Command, Option } from 'commander'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { instantText } from '../output/format.ts'
import { dim, green } from '../output/style.ts'
import { table } from '../output/table.ts'
import { collect, collectPercent, firstOf, parseCount } from './arguments.ts'

const CUSTOMER = "a customer's id, or your own id of it"
/** More than hold for any customer; the newest ones. */
const MOST = 200

interface Told {
  readonly cap?: string
  readonly alert?: string[]
  readonly percent?: number[]
  readonly meter?: string
  readonly currency?: string
  readonly for: 'customer' | 'operator'
}

/** `limits`: what a customer's usage may come to in a period, and what it came to. */
export function addLimits(program: Command): void {
  const limits = program
    .command('limits')
    .description('what usage may come to in a period, and when it is told')
  limits
    .command('list')
    .description("a customer's limits, and how far they are used")
    .argument('<customer>', CUSTOMER)
    .option('--ended', 'those too that do not hold any more')
    .action(async (what: string, { ended = false }: { ended?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      output.result(await firstOf(client.spendLimits.list(id, { ended }), MOST), limitTable)
    })
  limits
    .command('set')
    .description('limit what usage costs, or how much of a meter is used; takes the place of the one before')
    .argument('<customer>', CUSTOMER)
    .option('--cap <figure>', 'where the features are used up, like 100.00')
    .option('--alert <figure>', 'a figure to be told of; may be given several times', collect)
    .option(
      '--percent <n>',
      'hundredths of the cap to be told of; may be given several times',
      collectPercent,
    )
    .option('--meter <key>', "the meter's quantity; what all usage costs unless given")
    .option('--currency <code>', 'only needed while the customer has none')
    .addOption(
      new Option('--for <side>', 'whose wish it is').choices(['customer', 'operator']).default('operator'),
    )
    .action(async (what: string, told: Told, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      const { cap, alert, percent, meter, currency, for: owner } = told
      const wanted = {
        ...{ owner, alerts: alert ?? [], alertPercents: percent ?? [] },
        ...(cap !== undefined && { cap }),
        ...(meter !== undefined && { meter }),
        ...(currency !== undefined && { currency }),
      }
      output.result(await client.spendLimits.set(id, wanted), setText)
    })
  limits
    .command('end')
    .description('take a limit away')
    .argument('<customer>', CUSTOMER)
    .argument('<limit>', "the limit's id")
    .action(async (what: string, limit: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      output.result(
        await client.spendLimits.end(id, limit),
        (ended) => `${green('✓')} ended  ${dim(ended.id)}`,
      )
    })
  limits
    .command('reached')
    .description('which figures were reached, newest first')
    .argument('<customer>', CUSTOMER)
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async (what: string, { limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      output.result(await firstOf(client.spendLimits.alerts(id), limit), alertTable)
    })
}

type Of = Pick<SpendLimit, 'meter' | 'currency'>

const figureText = (figure: string, { meter, currency }: Of) =>
  `${printedDecimal(figure)} ${currency ?? meter}`

function setText(limit: SpendLimit): string {
  const cap = limit.cap === null ? 'no cap' : `cap ${figureText(limit.cap, limit)}`
  return `${green('✓')} ${cap}, ${alertsText(limit) || 'no alerts'}  ${dim(limit.id)}`
}

function alertsText(limit: SpendLimit): string {
  const { alerts, alertPercents } = limit
  const texts = [...alerts.map((alert) => figureText(alert, limit)), ...alertPercents.map((n) => `${n} %`)]
  return texts.length === 0 ? '' : `told at ${texts.join(', ')}`
}

function limitTable(limits: SpendLimit[]): string {
  return table(limits, [
    { title: 'of', cell: ({ meter }) => meter ?? 'amount' },
    { title: 'by', cell: ({ owner }) => owner },
    {
      title: 'cap',
      cell: (limit) => (limit.cap === null ? '–' : figureText(limit.cap, limit)),
      align: 'right',
    },
    { title: 'so far', cell: standingText, align: 'right' },
    { title: 'alerts', cell: alertsText },
    { title: 'set', cell: ({ madeAt }) => instantText(madeAt) },
    { title: 'ended', cell: ({ ended }) => (ended === null ? '' : instantText(ended.at)) },
    { title: 'id', cell: ({ id }) => id },
  ])
}

function standingText(limit: SpendLimit): string {
  return limit.standing
    .map(({ spent, capReached }) => `${figureText(spent, limit)}${capReached ? ' (cap reached)' : ''}`)
    .join('; ')
}

function alertTable(alerts: SpendAlert[]): string {
  return table(alerts, [
    { title: 'reached', cell: ({ reachedAt }) => instantText(reachedAt) },
    { title: '', cell: ({ kind }) => kind },
    { title: 'at', cell: (alert) => figureText(alert.at, alert), align: 'right' },
    { title: 'seen at', cell: (alert) => figureText(alert.spent, alert), align: 'right' },
    { title: 'by', cell: ({ owner }) => owner },
    { title: 'period since', cell: ({ period }) => instantText(period.start) },
    { title: 'subscription', cell: ({ subscription }) => subscription },
  ])
}
