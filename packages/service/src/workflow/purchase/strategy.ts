import type { Instant } from '@lockstep/core/instant'
import type { Plan } from '@lockstep/core/plan'
import type { Fault, ProblemCode } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Db, Trx } from '../../postgres/connect.ts'
import type { Provider } from '../../provider/stripe/account.ts'
import type { Attached } from '../../store/addons.ts'
import type { PlanVersion } from '../../store/plans.ts'
import type { Tax, TaxAssessment } from '../../tax/port.ts'
import type { Run, Step } from '../journal.ts'
import type { WantedRegistration } from '../wanted-registration.ts'

export interface PurchaseDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly provider: Provider
  /** Who knows the tax; nobody unless given. */
  readonly tax?: Tax | undefined
}

/** What is bought, by whom, and what both sides said about it. The same in every run of a registration. */
export interface Purchase {
  readonly workflowId: string
  /** New: the provider had not known it before. */
  readonly customer: { readonly id: string; readonly providerId: string; readonly isNew: boolean }
  /** Our id of what is bought, given before the provider is asked. */
  readonly subscriptionId: string
  readonly version: PlanVersion
  /** What it is charged to; null: what the customer has everything charged to. */
  readonly paymentMethod: string | null
  readonly quantity: number
  readonly addons: readonly Attached[]
  /** By key. */
  readonly coupons: readonly string[]
  readonly tax: TaxAssessment | null
  readonly requestOrigin: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/** What was bought, by the provider's id of it. */
export interface Bought {
  readonly id: string
  /** What the provider said of it in this very run: then it need not be asked again. */
  readonly answer?: { readonly object: Stripe.Subscription; readonly observation: bigint } | undefined
}

/** Makes the contract, and records that with the step in whose transaction it is done. `at`: the customer's own time. */
export type ConcludeWith = (
  trx: Trx,
  run: Run,
  subscription: { readonly startsAt: Instant; readonly at: Instant },
) => Promise<void>

export interface CodedFault extends Fault {
  readonly code: ProblemCode
}

/**
 * One way to buy a plan: a file in this folder and a line in `strategies.ts`. It defines the attributes
 * of what it makes by itself, its trial for example; the registration knows none of them.
 */
export interface PurchaseStrategy {
  /** The key in requests and catalogue. */
  readonly type: string
  /** Whether a subscription comes of it, or one invoice. */
  readonly makes: 'subscription' | 'invoice'
  /** Which of the customer's places it takes, unless the request names one. */
  slotOf(plan: Plan): string
  /** After how many payments it is over by itself; null where it goes on until somebody ends it. */
  paymentsOf(plan: Plan): number | null
  /** What is wrong with the wish for this way to buy, before anything is recorded. */
  check(wanted: WantedRegistration, version: PlanVersion): Iterable<CodedFault>
  /** Whether something is charged before it can begin. */
  isDueNow(wanted: Pick<WantedRegistration, 'quantity'>, version: PlanVersion): boolean
  /** Makes it at the provider, in steps that can be taken back. */
  buy(deps: PurchaseDeps, step: Step, purchase: Purchase): Promise<Bought>
  /**
   * Both sides have what they agreed on: writes down what was bought, and concludes the contract in the same
   * transaction where it can. Otherwise that is the step after it.
   */
  activate(
    deps: PurchaseDeps,
    step: Step,
    purchase: Purchase,
    bought: Bought,
    conclude: ConcludeWith,
  ): Promise<void>
}
