import type { Client, PlanChange } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findSubscription } from '../find-subscription.ts'
import { planChangeTable, planChangeText } from '../output/plan-change-text.ts'
import { UsageError } from '../usage-error.ts'
import { firstOf, parseCount, SUBSCRIPTION } from './arguments.ts'

const CHANGE = 'its id; the one that has not ended unless given'

/** What was changed of a subscription, and what has not taken effect yet: gone on with, or given up. */
export function addChanges(subscriptions: Command): void {
  subscriptions
    .command('changes')
    .description('what was changed, newest first, and what is still to come')
    .argument('<subscription>', SUBSCRIPTION)
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async (name: string, { limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name, { orOver: true })
      output.result(await firstOf(client.subscriptions.changes(id), limit), planChangeTable)
    })
  subscriptions
    .command('resume-change')
    .description('go on with a change that waits for the customer, or is parked')
    .argument('<subscription>', SUBSCRIPTION)
    .argument('[change]', CHANGE)
    .action(async (name: string, change: string | undefined, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name)
      const { id: open } = change === undefined ? await openChange(client, id) : { id: change }
      await client.subscriptions.resumeChange(id, open)
      const settled = await client.subscriptions.changeSettled(id, open)
      output.result(settled, planChangeText)
      if (cameToNothing(settled)) process.exitCode = 1
    })
  subscriptions
    .command('cancel-change')
    .description('give up a change that has not taken effect')
    .argument('<subscription>', SUBSCRIPTION)
    .argument('[change]', CHANGE)
    .option('--yes', "don't ask")
    .action(
      async (name: string, change: string | undefined, { yes }: { yes?: boolean }, command: Command) => {
        const { client, output } = contextOf(command)
        const { id } = await findSubscription(client, name)
        const { id: open } = change === undefined ? await openChange(client, id) : { id: change }
        if (!yes) {
          const shown = await client.subscriptions.readChange(id, open)
          if (!output.json) output.result(shown, planChangeText)
          await confirm(`Give up ${open}?`)
        }
        await client.subscriptions.cancelChange(id, open)
        output.result(await client.subscriptions.changeSettled(id, open), planChangeText)
      },
    )
}

/** Whether nothing came of a change, so that who waited for it is told by the exit code. */
export const cameToNothing = ({ state }: PlanChange) =>
  state === 'refused' || state === 'withdrawn' || state === 'parked'

/** The newest one that has not ended. There may be two: one that is scheduled, and one that would take its place. */
async function openChange(client: Client, id: string): Promise<PlanChange> {
  for await (const change of client.subscriptions.changes(id)) if (hasNotEnded(change)) return change
  throw new UsageError(
    `${id} has no change that has not ended.`,
    '`lockstep subscriptions changes` shows what there is.',
  )
}

const hasNotEnded = ({ state }: PlanChange) =>
  state === 'applying' || state === 'requiresAction' || state === 'scheduled' || state === 'parked'
