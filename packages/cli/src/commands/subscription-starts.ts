import type { Registration, Subscription } from '@lockstep/sdk'
import type { Command } from 'commander'
import { reactivateAsShown } from '../as-shown.ts'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findSubscription } from '../find-subscription.ts'
import { reactivationPreviewText, reactivationQuestion } from '../output/plan-change-text.ts'
import { subscriptionText } from '../output/subscription-text.ts'
import { SUBSCRIPTION } from './arguments.ts'
import {
  endedAloud,
  type RegistrationFlags,
  registrationOf,
  report,
  type StartFlags,
  startOf,
  withRegistrationOptions,
  withStartOptions,
} from './new-registration.ts'

/** `subscriptions create` and `reactivate`: each is waited for until it runs, or waits for the customer. */
export function addStarts(subscriptions: Command): void {
  const create = subscriptions
    .command('create')
    .description('give a customer one, also on plans that customers cannot choose')
  withRegistrationOptions(create).action(
    async (externalId: string, flags: RegistrationFlags, command: Command) => {
      const { client } = contextOf(command)
      const body = await registrationOf(client, externalId, flags)
      await show(command, await client.subscriptions.create(body))
    },
  )
  const reactivate = subscriptions
    .command('reactivate')
    .description('begin anew what is over, as it was unless told otherwise')
    .argument('<subscription>', SUBSCRIPTION)
  withStartOptions(reactivate, { plan: 'the one that ended' })
    .option('--without-addons', 'with no add-on at all')
    .option('--dry-run', 'only say what it would come to')
    .option('--yes', "don't ask")
    .action(async (name: string, flags: ReactivateFlags, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name, { orOver: true })
      const body = { ...startOf(flags), ...(flags.withoutAddons && { addons: [] }) }
      if (flags.dryRun)
        return output.result(await client.subscriptions.previewReactivate(id, body), reactivationPreviewText)
      const begun = flags.yes
        ? await client.subscriptions.reactivate(id, body)
        : await reactivateAsShown(client, id, body, (preview) => {
            if (!output.json) output.result(preview, reactivationPreviewText)
            return confirm(reactivationQuestion(preview))
          })
      await show(command, begun)
    })
}

interface ReactivateFlags extends StartFlags {
  readonly withoutAddons?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
}

async function show(command: Command, begun: Subscription | Registration): Promise<void> {
  const { client, output } = contextOf(command)
  if ('status' in begun) return output.result(begun, subscriptionText)
  report(await endedAloud(client, begun.id), output.result.bind(output))
}
