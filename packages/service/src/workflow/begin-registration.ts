import { createHash } from 'node:crypto'
import { flowsOut } from '@lockstep/core/direction'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../clock.ts'
import { acceptor, contractIdOf, recordAcceptance } from '../contract/acceptance.ts'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { newHolder } from '../postgres/presence.ts'
import { sharedTransactions } from '../postgres/shared-transaction.ts'
import { transaction } from '../postgres/transaction.ts'
import type { Provider } from '../provider/stripe/account.ts'
import { attachedOf } from '../store/addons.ts'
import type { Arrival, Came } from '../store/coming.ts'
import { openErasures } from '../store/customer-erasures.ts'
import { addCustomer, changeAddress, changeProfile, lockCurrency, lockCustomer } from '../store/customers.ts'
import type { PlanVersion } from '../store/plans.ts'
import { addRegistration, arrive, findTwins, type SlotHolder, slotHolder } from '../store/registrations.ts'
import { metersBilledElsewhere, reserveSlot } from '../store/subscriptions.ts'
import { hadTrial } from '../store/trials.ts'
import { addWorkflow, type Written } from '../store/workflows.ts'
import { type Checked, checkRegistration } from './check-registration.ts'
import { customerTime } from './observe/customer-time.ts'
import { REGISTER, type RegisterDeps, type RegisterInput } from './register.ts'
import type { RegistrationTask } from './registration-tasks.ts'
import type { Asked, WantedRegistration } from './wanted-registration.ts'

/** `holder` is there for whoever has to run it: absent, it runs already or has ended. */
export interface Begun {
  readonly registrationId: string
  readonly workflow?: { readonly id: string; readonly holder: string; readonly written: Written }
}

/**
 * Records what was asked, in one transaction: the customer first, the slot, the registration and the
 * workflow that carries it out. Asked twice at the same time, it is one registration.
 *
 * The one way in, for HTTP, the message bus and the terminal alike.
 */
export async function beginRegistration(
  deps: Omit<RegisterDeps, 'log'>,
  wanted: WantedRegistration,
  asked: Asked,
): Promise<Begun> {
  const { db, provider } = deps
  const { arrivedAt, registrationId } = await arrive(db, asked.operation, asked.came)
  if (registrationId !== null) return { registrationId }
  refuseClosed(provider)
  const checked = await checkRegistration(deps, wanted, asked)
  const { came, requestedBy = null } = asked
  const requestHash = hashOf(wanted, checked)
  const request = { wanted, requestHash, arrivedAt, came, requestedBy, slot: checked.slot }
  if (checked.customerId !== undefined) {
    const twin = await joinTwin(db, checked.customerId, request)
    if (twin !== undefined) return { registrationId: twin }
  }
  if (checked.problem) throw checked.problem

  const workflow = { id: newId('workflow'), holder: newHolder() }
  const isNew = checked.customerId === undefined && wanted.testClock === undefined
  const transact = isNew ? newcomers(wanted.externalId) : transaction
  for (let tries = 1; ; tries += 1) {
    try {
      const made = await transact(db, (trx) => record(deps, trx, request, checked, workflow, asked.operation))
      const { registrationId, written } = made
      return { registrationId, workflow: { ...workflow, written } }
    } catch (error) {
      if (error instanceof TwinFound) return { registrationId: error.registrationId }
      // Begun in another slot at the same time.
      if (error instanceof TrialTaken)
        return beginRegistration(deps, { ...wanted, withoutTrial: true }, asked)
      // Somebody took the slot between the check and here.
      if (!(error instanceof SlotTaken)) throw error
      const twin = await joinTwin(db, error.customerId, request)
      if (twin !== undefined) return { registrationId: twin }
      // And gave it back by now.
      if (tries === MOST_TRIES) throw error
    }
  }
}

const MOST_TRIES = 5
/** Nobody else has anything of a new customer's in hand. */
const newcomers = sharedTransactions()

interface Request {
  readonly wanted: WantedRegistration
  readonly requestHash: string
  readonly arrivedAt: Arrival
  readonly came: Came | undefined
  readonly requestedBy: string | null
  readonly slot: string
}

/** The same wish was carried out between this request's coming and its turn. */
class TwinFound extends Error {
  readonly registrationId: string

  constructor(registrationId: string) {
    super(`${registrationId} was asked for in the same words at the same time.`)
    this.registrationId = registrationId
  }
}

/** The trial is another registration's. */
class TrialTaken extends Error {}

class SlotTaken extends Error {
  readonly customerId: string

  constructor(customerId: string) {
    super(`A slot of ${customerId} is taken and given back at the same time.`)
    this.customerId = customerId
  }
}

/**
 * The registration that holds the slot, if it was asked for the very same and had not ended
 * when this request came: a double click. Any other holder is a refusal.
 */
async function joinTwin(db: Db, customerId: string, { slot, requestHash, arrivedAt, came }: Request) {
  const holder = await slotHolder(db, customerId, slot, arrivedAt)
  if (!holder) return undefined
  const { registrationId, wasRunning } = holder
  const isTwin = holder.requestHash === requestHash && wasRunning
  if (registrationId !== null && isTwin && !came?.knew(registrationId)) return registrationId
  throw takenBy(holder, slot)
}

/** Refuses what is not made here. */
export function refuseClosed({ sync }: Provider): void {
  if (flowsOut(sync.directions.subscription)) return
  throw new Problem(
    'direction_closed',
    'Subscriptions are made at the payment provider and come in from there.',
  )
}

/** Usage is the customer's: two subscriptions that price one meter would bill every event twice. */
export function refuseMeter([meter]: readonly string[]): void {
  if (meter === undefined) return
  const detail = `Another live subscription of this customer bills ${meter} already.`
  throw new Problem('meter_billed_already', detail, {
    faults: [{ pointer: '#/plan', code: 'meter_billed_already', detail }],
  })
}

/** Refuses a place that somebody holds, as a registration for it would be. */
export async function refuseTaken(
  db: Db,
  customerId: string,
  { slot, arrivedAt }: Pick<Request, 'slot' | 'arrivedAt'>,
): Promise<void> {
  const holder = await slotHolder(db, customerId, slot, arrivedAt)
  if (holder) throw takenBy(holder, slot)
}

function takenBy({ registrationId, isParked, isOpen }: SlotHolder, slot: string): Problem {
  const where = slot === 'default' ? '' : ` in the slot ${slot}`
  if (isParked) {
    const detail = `${registrationId} of this customer${where} is parked: a person has to look, and resume or cancel it.`
    // It is no answer for good: once somebody has looked, the same request may be asked again.
    return new Problem('registration_in_progress', detail, { retryAfterSeconds: 60 })
  }
  if (isOpen) {
    const detail = `${registrationId} of this customer${where} has not ended.`
    return new Problem('registration_in_progress', detail, { retryAfterSeconds: 2 })
  }
  return new Problem('subscription_exists', `This customer has a live subscription${where} already.`)
}

async function record(
  { clock }: { readonly clock: Clock },
  trx: Trx,
  { wanted, requestHash, slot, arrivedAt, came, requestedBy }: Request,
  checked: Extract<Checked, { version: PlanVersion }>,
  workflow: { id: string; holder: string },
  operation: string,
): Promise<{ readonly registrationId: string; readonly written: Written }> {
  const { version, strategy, addons, withoutTrial } = checked
  const { id: planVersionId, plan } = version
  const at = clock.now()
  const { externalId, name, email } = wanted
  const newcomer = { id: newId('customer'), externalId, name: name ?? null, email: email ?? null }
  const { currency } = plan
  const isNew = await addCustomer(trx, { ...newcomer, testClockId: wanted.testClock ?? null, currency, at })
  const found = isNew ? undefined : await lockCustomer(trx, externalId)
  const customerId = found?.id ?? newcomer.id
  const hasMoved = wanted.address !== undefined && (await changeAddress(trx, customerId, wanted.address))
  const isRenamed = !isNew && (await changeProfile(trx, customerId, { name, email }))
  const profileChanged = isRenamed || (!isNew && hasMoved)
  const subscriptionId = newId('subscription')
  // In this order: the customer's row is locked before the slot is looked at. One who is new has nothing else.
  const [pays, isReserved, meters, acceptedAt, accepting, erasures] = await Promise.all([
    isNew || lockCurrency(trx, customerId, currency),
    reserveSlot(trx, { customerId, slot, subscriptionId, at }),
    isNew ? [] : metersBilledElsewhere(trx, { customerId, subscriptionId, planVersionId }),
    isNew && wanted.testClock === undefined ? at : customerTime(trx, clock, customerId),
    acceptor(trx, customerId, isNew ? newcomer : undefined),
    isNew ? [] : openErasures(trx, customerId),
  ])
  if (!pays) {
    throw new Problem('currency_mismatch', `This customer pays in another currency than ${plan.currency}.`)
  }
  if (!isReserved) throw new SlotTaken(customerId)
  const isTried = plan.trialDays > 0 && !isNew && wanted.trial !== 'again'
  if (isTried && (await hadTrial(trx, { customerId, product: plan.product })))
    throw new TrialTaken(`${externalId} has a trial of ${plan.product} already.`)
  // Where the place is given back at the end, a twin may have come and gone.
  if (strategy.makes === 'invoice') {
    const twins = await findTwins(trx, { customerId, slot, requestHash, arrivedAt })
    const twin = twins.find((id) => !came?.knew(id))
    if (twin !== undefined) throw new TwinFound(twin)
  }
  refuseMeter(meters)

  const registrationId = newId('registration')
  const isUnknownThere = (found?.providerId ?? null) === null
  const attached = addons.map(attachedOf)
  const input: RegisterInput = {
    requestHash,
    customerId,
    subscriptionId,
    planVersionId,
    purchase: strategy.type,
    quantity: wanted.quantity,
    ...(attached.length > 0 && { addons: attached }),
    coupons: wanted.coupons ?? [],
    paymentMethod: wanted.paymentMethod ?? null,
    paymentPage: wanted.paymentPage
      ? { returnUrl: wanted.paymentPage.returnUrl, cancelUrl: wanted.paymentPage.cancelUrl ?? null }
      : null,
    profileChanged,
    isUnknownThere,
    ...(!isUnknownThere && { isLookedFor: true }),
    requestOrigin: wanted.requestOrigin ?? null,
    metadata: wanted.metadata ?? {},
    ...(withoutTrial && { withoutTrial: true }),
    ...(erasures.length > 0 && { afterErasure: true }),
  }
  const accepted = { ...wanted.acceptance, contractId: contractIdOf(subscriptionId), customerId, acceptedAt }
  const begun = addWorkflow(trx, {
    ...workflow,
    kind: REGISTER,
    subjectId: registrationId,
    input,
    at,
    done: [
      { name: 'record user' satisfies RegistrationTask, result: { customerId } },
      { name: 'reserve membership' satisfies RegistrationTask, result: { subscriptionId } },
    ],
  })
  const added = addRegistration(trx, {
    id: registrationId,
    customerId,
    slot,
    planVersionId,
    addons: attached,
    subscriptionId,
    workflowId: workflow.id,
    operation,
    purchase: strategy.type,
    requestOrigin: input.requestOrigin,
    requestedBy,
    at,
  })
  const [written] = await Promise.all([begun, added, recordAcceptance(trx, accepted, accepting)])
  return { registrationId, written }
}

/**
 * Of what is bought and how it is paid. Two tabs, or the bus and a request, say it in other words: from
 * another browser, with the defaults spelled out. They mean one registration.
 */
function hashOf(wanted: WantedRegistration, { plan, purchase, slot }: Checked): string {
  const { externalId, quantity, paymentMethod = null, coupons = [] } = wanted
  const asksForPage = wanted.paymentPage !== undefined
  const beside = (wanted.addons ?? []).map(({ addon, quantity: number }) => `${addon} ${number}`).sort()
  const bought = [externalId, plan, purchase, slot, quantity, paymentMethod, asksForPage, [...coupons].sort()]
  const trial = wanted.trial === undefined ? [] : [wanted.trial]
  return createHash('sha256')
    .update(JSON.stringify([...bought, ...beside, ...trial]))
    .digest('hex')
}
