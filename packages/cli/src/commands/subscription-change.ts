import type { SubscriptionChange } from '@lockstep/sdk'
import { type Command, Option } from 'commander'
import { changeAsShown } from '../as-shown.ts'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findSubscription } from '../find-subscription.ts'
import { changePreviewText, changeQuestion, planChangeText } from '../output/plan-change-text.ts'
import { collect, collectAddon, parseCount, parseTime, SUBSCRIPTION, type WantedAddon } from './arguments.ts'
import { paymentPageOf } from './new-registration.ts'
import { cameToNothing } from './subscription-changes.ts'

interface ChangeFlags {
  readonly plan?: string
  readonly quantity?: number
  readonly addon?: WantedAddon[]
  readonly withoutAddon?: string[]
  readonly coupon?: string[]
  readonly withoutCoupon?: string[]
  readonly when?: 'now' | 'periodEnd'
  readonly paymentMethod?: string
  readonly paymentPage?: string
  readonly cancelUrl?: string
  readonly endTrial?: boolean
  readonly trialEnd?: string
  readonly email?: string
  readonly name?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** `subscriptions change`: shown first, and done exactly so after asking. */
export function addChange(subscriptions: Command): void {
  subscriptions
    .command('change')
    .description('another plan, quantity, add-on, coupon, trial end or payment method: all of it or nothing')
    .argument('<subscription>', SUBSCRIPTION)
    .option('--plan <key>', 'a plan of the catalogue')
    .option('--quantity <n>', 'the new number, not a difference', parseCount)
    .option('--addon <key[=n]>', 'attach an add-on, or change its number; several times', collectAddon)
    .option('--without-addon <key>', 'detach an add-on; may be given several times', collect)
    .option('--coupon <key>', 'a coupon of the catalogue; may be given several times', collect)
    .option('--without-coupon <key>', 'take a coupon off; may be given several times', collect)
    .addOption(
      new Option('--when <moment>', 'instead of what the catalogue says').choices(['now', 'periodEnd']),
    )
    .option('--payment-method <id>', "a payment method's id at the provider, such as pm_card_visa")
    .option('--payment-page <url>', 'let the customer leave one on a page, and come back to this address')
    .option('--cancel-url <url>', 'with a page: where the customer goes who does not want to')
    .option('--end-trial', 'end the trial now; it stays as long as it was otherwise')
    .option('--trial-end <date>', 'another end of the trial that runs', parseTime)
    .option('--email <address>', "the customer's address")
    .option('--name <name>', "the customer's name")
    .option('--dry-run', 'only say what it would come to')
    .option('--yes', "don't ask")
    .action(async (name: string, flags: ChangeFlags, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findSubscription(client, name)
      const wanted = wishOf(flags)
      if (flags.dryRun)
        return output.result(await client.subscriptions.preview(id, wanted), changePreviewText)
      const { change } = flags.yes
        ? await client.subscriptions.change(id, wanted)
        : await changeAsShown(client, id, wanted, (preview) => {
            if (!output.json) output.result(preview, changePreviewText)
            return confirm(changeQuestion(preview))
          })
      const settled =
        change.state === 'applying' ? await client.subscriptions.changeSettled(id, change.id) : change
      output.result(settled, planChangeText)
      if (cameToNothing(settled)) process.exitCode = 1
    })
}

function wishOf({
  plan,
  quantity,
  addon = [],
  withoutAddon = [],
  coupon,
  withoutCoupon,
  when,
  paymentMethod,
  endTrial,
  trialEnd,
  email,
  name,
  ...page
}: ChangeFlags): SubscriptionChange {
  const paymentPage = paymentPageOf(page)
  const addons = [...addon, ...withoutAddon.map((key) => ({ addon: key, quantity: 0 }))]
  return {
    ...(plan !== undefined && { plan }),
    ...(quantity !== undefined && { quantity }),
    ...(addons.length > 0 && { addons }),
    ...(coupon && { coupons: coupon }),
    ...(withoutCoupon && { withoutCoupons: withoutCoupon }),
    ...(when && { when }),
    ...(paymentMethod !== undefined && { paymentMethod }),
    ...(paymentPage && { paymentPage }),
    ...(endTrial && { trial: 'end' as const }),
    ...(trialEnd !== undefined && { trialEnd }),
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    requestOrigin: 'cli',
  }
}
