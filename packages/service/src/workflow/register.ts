import type { AttachedAddon } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import type { ProblemCode } from '@lockstep/core/problem'
import { contractIdOf } from '../contract/acceptance.ts'
import { concludeContract } from '../contract/conclude.ts'
import type { Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { loadAttached } from '../store/addons.ts'
import { removeAcceptance } from '../store/contracts.ts'
import { unlockCurrency } from '../store/customers.ts'
import { loadPlanVersion } from '../store/plans.ts'
import { type Cause, setCause } from '../store/registrations.ts'
import { releaseSlot, startedAtOf } from '../store/subscriptions.ts'
import { markUndone } from '../store/workflows.ts'
import { agreedDiscounts } from './agreed-discounts.ts'
import { assessTax } from './assess-tax.ts'
import { makeDefault, provideCustomer, providePaymentMethod } from './customer-at-provider.ts'
import type { Step, WorkflowKind } from './journal.ts'
import { passErasures } from './left-methods.ts'
import { lookIfDeleted } from './look.ts'
import { noteTrialEnd } from './note-trial-end.ts'
import { customerTime } from './observe/customer-time.ts'
import { collectPaymentMethod, type WantedPage } from './payment-page.ts'
import { findStrategy, purchaseStrategies } from './purchase/strategies.ts'
import type { Purchase, PurchaseDeps, PurchaseStrategy } from './purchase/strategy.ts'
import { withoutTrial } from './purchase/without-trial.ts'
import { type RegistrationTask, registrationTasks } from './registration-tasks.ts'

export interface RegisterDeps extends PurchaseDeps {
  /** Ways to buy; all of them unless given. */
  readonly purchases?: readonly PurchaseStrategy[] | undefined
}

export const REGISTER = 'register'

/** What was asked, as it is kept with the workflow. */
export interface RegisterInput {
  /** Of the whole request: tells a repetition from another wish. */
  readonly requestHash: string
  readonly customerId: string
  readonly subscriptionId: string
  readonly planVersionId: string
  readonly purchase: string
  readonly quantity: number
  /** Absent where there are none. */
  readonly addons?: readonly AttachedAddon[]
  readonly coupons: readonly string[]
  readonly paymentMethod: string | null
  /** Where the customer leaves one, instead. */
  readonly paymentPage: WantedPage | null
  /** The customer was known before and has a new name or address. */
  readonly profileChanged: boolean
  /** Stripe did not know the customer when this was asked for. Absent: asked for by an older version. */
  readonly isUnknownThere?: boolean
  /** It is looked first whether the customer is there still. Absent: Stripe did not know them, or asked for by an older version. */
  readonly isLookedFor?: true
  readonly requestOrigin: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly withoutTrial?: true
  /** Somebody was forgotten whose payment methods are not all taken off yet. */
  readonly afterErasure?: true
}

/**
 * Registers a customer: from a recorded wish to what was bought. The user, the membership's place and
 * this workflow were recorded in one transaction (begin-registration.ts), whoever asked: HTTP, the
 * message bus or the terminal.
 *
 * When a step is refused, what was made is taken back and the place is free for the next try. The user
 * stays, here and at Stripe: a base to come back to.
 */
export function registerKind(deps: RegisterDeps): WorkflowKind {
  return {
    kind: REGISTER,
    tasks: registrationTasks,
    async run(step, { id, input }) {
      const wish = input as RegisterInput
      try {
        await register(deps, step, id, wish)
      } catch (error) {
        // Refused and undone this time; the next registration makes a new one.
        await lookIfDeleted(deps, error, wish.customerId)
        throw error
      }
    },
    async rolledBack(trx, { id, input }, { code }) {
      const { subscriptionId, customerId } = input as RegisterInput
      await releaseSlot(trx, subscriptionId)
      await unlockCurrency(trx, customerId)
      await removeAcceptance(trx, contractIdOf(subscriptionId))
      await markUndone(trx, id, 'reserve membership', deps.clock.now())
      await setCause(trx, id, causes[code] ?? 'refused')
    },
  }
}

async function register(
  deps: RegisterDeps,
  step: Step,
  workflowId: string,
  input: RegisterInput,
): Promise<void> {
  const { paymentMethod, paymentPage, quantity, addons = [], coupons, requestOrigin, metadata } = input
  const strategy = findStrategy(deps.purchases ?? purchaseStrategies, input.purchase)
  if (!strategy) throw new Error(`Nobody knows how to buy a ${input.purchase}.`)

  const { customerId } = await step('record user', async () => ({ customerId: input.customerId }))
  const { subscriptionId } = await step('reserve membership', async () => ({
    subscriptionId: input.subscriptionId,
  }))
  const tax = await assessTax(deps, step, { workflowId, customerId })
  const { profileChanged, isUnknownThere = false, isLookedFor = false } = input
  const asked = { customerId, paymentMethod, profileChanged, isUnknownThere, isLookedFor, tax }
  const customer = await provideCustomer(deps, step, asked)
  if (input.afterErasure) {
    const bringsMethod = paymentMethod !== null || paymentPage !== null
    await step('pass erasure', () => passErasures(deps, customerId, { bringsMethod }))
  }
  const sold = await loadPlanVersion(deps.db, input.planVersionId)
  const version = input.withoutTrial ? withoutTrial(sold) : sold
  const attached = await loadAttached(deps.db, addons)
  const terms = { version, quantity, addons: attached, coupons, tax, requestOrigin, metadata }
  const toCharge =
    paymentMethod !== null
      ? await providePaymentMethod(deps, step, customer, paymentMethod)
      : paymentPage &&
        (await collectPaymentMethod(deps, step, { workflowId, customer, version }, paymentPage))
  const purchase: Purchase = { workflowId, customer, subscriptionId, paymentMethod: toCharge, ...terms }

  const bought = await strategy.buy(deps, step, purchase)
  if (toCharge !== null) {
    const subscription =
      strategy.makes === 'subscription' ? { id: subscriptionId, providerId: bought.id } : null
    await makeDefault(deps, step, customer, toCharge, subscription)
  }

  // Both sides have what they agreed on: the contract is made, and can no longer be undone.
  const hasTrial = strategy.makes === 'subscription' && version.plan.trialDays > 0
  const isLast = !hasTrial
  const contract = { id: contractIdOf(subscriptionId) }
  const conclude = async (
    trx: Trx,
    { startsAt, at }: { readonly startsAt: Instant; readonly at: Instant },
  ) => {
    const { planVersionId } = input
    const discounts = await agreedDiscounts(trx, coupons, startsAt)
    const { trialDays } = version.plan
    const terms = { planVersionId, quantity, addons, discounts, trialDays, requestOrigin, startsAt }
    const payments = strategy.paymentsOf(version.plan)
    const ends = payments === null ? {} : { payments }
    await concludeContract(trx, { ...terms, ...ends, customerId, subscriptionId, at })
  }
  const next = { name: 'conclude contract' satisfies RegistrationTask, result: contract }
  // What Stripe said of it at the start is not how it is any more where its method was taken off again.
  const known = toCharge === null ? bought : { id: bought.id }
  await strategy.activate(deps, step, purchase, known, async (trx, { record }, subscription) => {
    await Promise.all([conclude(trx, subscription), record(trx, undefined, { isLast, next })])
  })
  // Done already, where it could be.
  await step(next.name, (_, { record }) =>
    transaction(deps.db, async (trx) => {
      const [at, startedAt] = await Promise.all([
        customerTime(trx, deps.clock, customerId),
        startedAtOf(trx, subscriptionId),
      ])
      await Promise.all([conclude(trx, { startsAt: startedAt ?? at, at }), record(trx, contract, { isLast })])
      return contract
    }),
  )
  if (hasTrial) await noteTrialEnd(deps, step, purchase)
}

/** What a refusal is counted as; every other one is `refused`. */
const causes: Partial<Record<ProblemCode, Cause>> = {
  card_declined: 'declined',
  payment_method_required: 'declined',
  payment_action_required: 'authentication',
  payment_not_confirmed: 'authentication',
  registration_abandoned: 'abandoned',
  registration_canceled: 'canceled',
}
