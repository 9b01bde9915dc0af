import type { CancelOptions, Subscription } from '@lockstep/sdk'
import type { Command } from 'commander'
import { cancelAsShown } from '../as-shown.ts'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { findSubscription } from '../find-subscription.ts'
import { amountText, instantText } from '../output/format.ts'
import {
  cancellationText,
  deedText,
  historyTable,
  statsText,
  subscriptionTable,
  subscriptionText,
} from '../output/subscription-text.ts'
import { UsageError } from '../usage-error.ts'
import { CUSTOMER, firstOf, parseCount, parseTime, SUBSCRIPTION } from './arguments.ts'
import { addPriceOverrides } from './price-overrides.ts'
import { addChange } from './subscription-change.ts'
import { addChanges } from './subscription-changes.ts'
import { addStarts } from './subscription-starts.ts'

interface ListOptions {
  readonly customer?: string
  readonly status?: Subscription['status']
  readonly plan?: string
  readonly addon?: string
  readonly trialEndsBefore?: string
  readonly modifiedAfter?: string
  readonly ending?: boolean
  readonly grace?: boolean
  readonly limit: number
}

interface CancelFlags {
  readonly now?: boolean
  readonly at?: string
  readonly credit?: boolean
  readonly refund?: boolean
  readonly reason?: NonNullable<CancelOptions['reason']>
  readonly dryRun?: boolean
  readonly yes?: boolean
}

interface PauseFlags {
  readonly collection: 'keepAsDraft' | 'markUncollectible' | 'void'
  readonly until?: string
  readonly yes?: boolean
}

export function addSubscriptions(program: Command): void {
  const subscriptions = program
    .command('subscriptions')
    .description('running agreements: how they stand, what changes, their end')
  addReading(subscriptions)
  addStarts(subscriptions)
  addChange(subscriptions)
  addChanges(subscriptions)
  addPriceOverrides(subscriptions)
  subscriptions
    .command('cancel')
    .description('end a subscription: with its period, unless told otherwise')
    .argument('<subscription>', SUBSCRIPTION)
    .option('--now', 'at once')
    .option('--at <date>', 'at a date', parseTime)
    .option('--credit', 'with --now: unused time becomes credit')
    .option('--refund', 'with --now: unused time is paid back')
    .option('--reason <reason>', 'customer, admin, nonPayment, authentication, fraud or other', 'admin')
    .option('--dry-run', 'only say what it would bill and give back')
    .option('--yes', "don't ask")
    .action(async (name: string, flags: CancelFlags, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name)
      const wanted = cancellationOf(flags)
      if (flags.dryRun)
        return output.result(await client.subscriptions.previewCancel(id, wanted), cancellationText)
      const done = flags.yes
        ? await client.subscriptions.cancel(id, wanted)
        : await cancelAsShown(client, id, wanted, (preview) => {
            if (!output.json) output.result(preview, cancellationText)
            const { toGiveBack, endsAt } = preview
            const back = `${amountText(toGiveBack)} ${toGiveBack.currency}`
            return confirm(`End ${id} on ${instantText(endsAt)}, and give back ${back}?`)
          })
      output.result(done, deedText)
    })
  subscriptions
    .command('resume')
    .description('take back a planned end or a pause')
    .argument('<subscription>', SUBSCRIPTION)
    .action(async (name: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name)
      output.result(await client.subscriptions.resume(id), deedText)
    })
  subscriptions
    .command('pause')
    .description('leave its invoices uncollected; service goes on')
    .argument('<subscription>', SUBSCRIPTION)
    .requiredOption('--collection <how>', 'keepAsDraft, markUncollectible or void')
    .option('--until <date>', 'collected again by itself from then on', parseTime)
    .option('--yes', "don't ask")
    .action(async (name: string, { collection, until, yes }: PauseFlags, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name)
      if (!yes) await confirm(`Leave the invoices of ${id} uncollected (${collection})?`)
      const wanted = { collection, ...(until !== undefined && { resumesAt: until }) }
      output.result(await client.subscriptions.pause(id, wanted), deedText)
    })
}

function addReading(subscriptions: Command): void {
  subscriptions
    .command('list')
    .description('subscriptions, newest first')
    .option('--customer <customer>', CUSTOMER)
    .option('--status <status>', 'active, past_due, …')
    .option('--plan <key>')
    .option('--addon <key>', 'that this add-on is attached to')
    .option('--trial-ends-before <date>', 'on trial now, and not any more then', parseTime)
    .option('--modified-after <date>', 'changed later than that', parseTime)
    .option('--ending', 'whose end is planned')
    .option('--grace', 'behind with a payment, with access all the same')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ customer, ending, grace, limit, ...query }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const page = client.subscriptions.list({
        ...query,
        ...(customer !== undefined && { customer: (await findCustomer(client, customer)).id }),
        ...(ending && { ending }),
        ...(grace && { inGrace: grace }),
        limit: Math.min(limit, 100),
      })
      output.result(await firstOf(page, limit), subscriptionTable)
    })
  subscriptions
    .command('show')
    .description('how a subscription stands')
    .argument('<subscription>', SUBSCRIPTION)
    .action(async (name: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name, { orOver: true })
      output.result(await client.subscriptions.read(id, { expand: 'discounts' }), subscriptionText)
    })
  subscriptions
    .command('history')
    .description('how it stood at any time, newest first')
    .argument('<subscription>', SUBSCRIPTION)
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async (name: string, { limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name, { orOver: true })
      output.result(await firstOf(client.subscriptions.history(id), limit), historyTable)
    })
  subscriptions
    .command('stats')
    .description('how many there are, and what they bring a month')
    .option('--at <date>', 'as of then; now unless given', parseTime)
    .option('--since <date>', 'with movements from then on', parseTime)
    .action(async (query: { at?: string; since?: string }, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.subscriptions.stats(query), statsText)
    })
}

function cancellationOf({ now, at, credit, refund, reason }: CancelFlags): CancelOptions {
  if (now && at !== undefined) throw new UsageError('Both --now and --at.', 'Give one of them.')
  if (credit && refund) throw new UsageError('Both --credit and --refund.', 'Give one of them.')
  const unusedTime = credit ? 'credit' : refund ? 'refund' : 'keep'
  const when = now ? { when: 'now' as const } : at === undefined ? {} : { at }
  return { ...when, unusedTime, ...(reason && { reason }) }
}
