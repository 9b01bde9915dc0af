import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Log } from '../log.ts'
import { type MissingSignUp, missingSignUps } from '../store/missing-sign-ups.ts'
import { readSignUp } from '../store/sign-up.ts'
import { beginRegistration } from './begin-registration.ts'
import type { RegisterDeps } from './register.ts'
import type { Workflows } from './workflows.ts'

export type SweepDeps = Omit<RegisterDeps, 'log'> & { readonly log: Log; readonly workflows: Workflows }

export interface SignUpSweep {
  /** For signing up; null: the catalogue has none, and nobody must have it. */
  readonly plan: string | null
  readonly customers: readonly (MissingSignUp & {
    readonly registrationId: string | null
    /** Why none was begun. */
    readonly reason: string | null
  })[]
}

/** Whoever made the customer may be about to register it: this long it is theirs to do. */
const GRACE_SECONDS = 3600
/** Registered by one sweep, and named by a dry run; the next goes on with those who are left. */
const MOST = 1000
/** Of those who cannot be registered, so many are named in the answer; each stands in the log. */
const MOST_REFUSED_NAMED = 10_000
const PAGE = 1000
/** Begun together; the next come when these have stopped. */
const AT_ONCE = 8

const missedBefore = (now: Instant): Instant => now - GRACE_SECONDS

/** Names the customers who never got the plan for signing up, and does nothing about it. */
export async function findMissingSignUps({
  db,
  clock,
}: Pick<SweepDeps, 'db' | 'clock'>): Promise<SignUpSweep> {
  const signUp = await readSignUp(db)
  if (!signUp) return { plan: null, customers: [] }
  const found = await missingSignUps(db, { before: missedBefore(clock.now()), after: '', limit: MOST })
  const customers = found.map((one) => ({ ...one, registrationId: null, reason: null }))
  return { plan: signUp.plan, customers }
}

/**
 * Registers customers who never got the plan for signing up, as a message of the bus would. Nobody is
 * registered twice, by however many sweeps at once: the request goes by the customer's name. Whoever
 * cannot be registered keeps nobody else waiting: what is bounded is how many are begun, and not how many
 * are looked at on the way to them.
 */
export async function registerMissing(
  deps: SweepDeps,
  { most = MOST, mostRefusedNamed = MOST_REFUSED_NAMED, page = PAGE } = {},
): Promise<SignUpSweep> {
  const { db, clock, workflows } = deps
  const signUp = await readSignUp(db)
  if (!signUp) return { plan: null, customers: [] }
  const before = missedBefore(clock.now())
  const customers: SignUpSweep['customers'][number][] = []
  let refused = 0
  for (let [after, count] = ['', 0]; count < most; ) {
    const found = await missingSignUps(db, { before, after, limit: page })
    const last = found.at(-1)
    if (!last) break
    after = last.customerId
    for (let from = 0; from < found.length && count < most; ) {
      const begun: string[] = []
      const together = found.slice(from, from + Math.min(AT_ONCE, most - count))
      from += together.length
      for (const one of together) {
        const { workflow, ...registered } = await register(deps, one)
        if (registered.reason !== null) refused += 1
        if (registered.reason === null || refused <= mostRefusedNamed)
          customers.push({ ...one, ...registered })
        if (workflow !== undefined) begun.push(workflow)
      }
      await Promise.all(begun.map((workflow) => workflows.stopped(workflow)))
      count += begun.length
    }
  }
  return { plan: signUp.plan, customers }
}

async function register(deps: SweepDeps, { customerId, externalId }: MissingSignUp) {
  try {
    const wanted = { externalId, quantity: 1, requestOrigin: 'lockstep/sign-up-sweep' }
    const asked = { operation: `sign-up-sweep/${customerId}`, mayGivePlans: true }
    const { registrationId, workflow } = await beginRegistration(deps, wanted, asked)
    if (workflow) deps.workflows.begin(workflow.id, workflow.holder)
    return { registrationId, reason: null, workflow: workflow?.id }
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error
    deps.log.warn({ customer: customerId, code: error.code }, 'A customer without a subscription stays so.')
    return { registrationId: null, reason: error.detail, workflow: undefined }
  }
}
