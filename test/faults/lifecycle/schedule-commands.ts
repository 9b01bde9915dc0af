import * as money from './accounts.ts'
import type { Command } from './commands.ts'
import type { Life } from './life.ts'
import { cancelNow, type Model, unusedOfAll } from './model.ts'
import { creditedBy } from './paid-time.ts'
import type { Stage } from './stage.ts'

/**
 * What somebody does in the dashboard to the schedule of a change that is planned, or was carried out a moment ago: it is
 * let go, or cancelled and its subscription with it. https://docs.stripe.com/api/subscription_schedules
 */
export function scheduleCommands({ expected: now, kind }: Life): Command[] {
  if (!now.isManaged) return []
  // What becomes of unused time on the invoice of usage is a story of its own.
  return [release(), cancelSchedule('keep'), ...(kind === 'paying' ? [cancelSchedule('prorate')] : [])]
}

async function scheduleOf({ world: { stripe } }: Stage, { payer }: Life): Promise<string> {
  const { schedule } = await stripe.subscriptions.retrieve(payer.subscription)
  if (typeof schedule !== 'string') throw new Error('There is no schedule.')
  return schedule
}

const release = (): Command => ({
  name: 'the dashboard lets the schedule go',
  isElsewhere: true,
  async run(stage, life) {
    await stage.world.stripe.subscriptionSchedules.release(await scheduleOf(stage, life))
    return { model: { ...life.expected, scheduled: null, isManaged: false } }
  },
})

const cancelSchedule = (unusedTime: 'keep' | 'prorate'): Command => ({
  name: `the dashboard cancels the schedule, ${unusedTime}`,
  isElsewhere: true,
  async run(stage, life) {
    const isProrated = unusedTime === 'prorate'
    const how = { prorate: isProrated, invoice_now: isProrated }
    await stage.world.stripe.subscriptionSchedules.cancel(await scheduleOf(stage, life), how)
    const { expected: now } = life
    return { model: isProrated ? cancelProrated(now) : cancelNow(now, 'keep') }
  },
})

/** Unused time is credited on a last invoice, paid for or not, with what is pending: it goes to the balance, and none of it is left. */
function cancelProrated(now: Model): Model {
  if (now.status === 'trialing') return cancelNow(now, 'keep')
  const { lines } = unusedOfAll(now)
  const cents = lines.map((line) => line.cents)
  const total = cents.reduce((sum, line) => sum + line, 0)
  const { accounts } = money.settled(money.billed(now.accounts, cents), total)
  const paid = creditedBy(now.paid, lines)
  const waited = now.pending.reduce((sum, line) => sum + line.cents, 0)
  return cancelNow({ ...now, pending: [], paid, accounts: money.forfeited(accounts, total - waited) }, 'keep')
}
