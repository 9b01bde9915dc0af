import type { AttachedAddon } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import { insertRows } from '../postgres/insert-rows.ts'
import { inOnePacket } from '../postgres/packet.ts'
import type { TaxAssessment } from '../tax/port.ts'
import { type Arrival, arrivalOf, type Came, databaseClock, ranAt } from './coming.ts'
import type { Row } from './schema.ts'
import { subscriptionRows } from './subscriptions.ts'
import { sqlTime } from './time.ts'
import { type WorkflowStep, wakeWorkflow } from './workflows.ts'

/** A workflow's, and apart from it those that wait to be tried again. */
export type RegistrationState = Row<'workflow'>['state'] | 'failed'

const hasFailed = sql<boolean>`(workflow.problem is not null and workflow.next_attempt_at is not null)`

const stateOf = sql<RegistrationState>`case
  when workflow.state = 'running' and ${hasFailed} then 'failed' else workflow.state end`

/** The same the other way round: by a column that an index knows. */
function isIn(state: RegistrationState) {
  if (state === 'failed') return sql<boolean>`workflow.state = 'running' and ${hasFailed}`
  if (state === 'running')
    return sql<boolean>`workflow.state = 'running' and workflow.action is null and not ${hasFailed}`
  if (state === 'requiresAction')
    return sql<boolean>`workflow.state in ('running', 'requiresAction') and workflow.action is not null`
  return sql<boolean>`workflow.state = ${state}`
}

/** A registration with how far its workflow came. */
export type Registration = Row<'registration'> & {
  readonly externalId: string
  readonly planKey: string
  readonly planVersion: number
  readonly state: RegistrationState
  readonly stage: string | null
  readonly stageStartedAt: Instant | null
  readonly action: unknown
  readonly problem: unknown
  readonly nextAttemptAt: Instant | null
  readonly endedAt: Instant | null
}

/** Why a registration came to nothing. */
export type Cause = NonNullable<Row<'registration'>['cause']>

export type RegistrationWithSteps = Registration & { readonly steps: readonly WorkflowStep[] }

function registrations(db: Db | Trx) {
  return db
    .selectFrom('registration')
    .innerJoin('customer', 'customer.id', 'registration.customerId')
    .innerJoin('planVersion', 'planVersion.id', 'registration.planVersionId')
    .innerJoin('workflow', 'workflow.id', 'registration.workflowId')
    .selectAll('registration')
    .select([
      'customer.externalId',
      'planVersion.planKey',
      'planVersion.version as planVersion',
      stateOf.as('state'),
      'workflow.stage',
      'workflow.stageStartedAt',
      'workflow.action',
      'workflow.problem',
      'workflow.nextAttemptAt',
      'workflow.endedAt',
    ])
}

const ofIds = compiled((db, { ids }: { readonly ids: readonly string[] }) =>
  registrations(db).where(isOneOf('registration.id', ids)),
)

export const readRegistration = grouped(
  async (db, ids: readonly string[]): Promise<(RegistrationWithSteps | undefined)[]> =>
    inOnePacket(db, async (db) => {
      const [rows, steps] = await Promise.all([ofIds(db, { ids }), stepsOfIds(db, { ids })])
      return inOrder(ids, withSteps(rows, steps), ({ id }) => id)
    }),
)

const ofSubscriptions = compiled((db, { subscriptionIds }: { readonly subscriptionIds: readonly string[] }) =>
  db
    .selectFrom('registration')
    .select(['customerId', 'subscriptionId', 'slot', 'planVersionId', 'addons'])
    .where(isOneOf('subscription_id', subscriptionIds)),
)

/** What is registered under a subscription's id, before and after the subscription is there; with that as it stands. */
export const findRegistered = grouped((db, subscriptionIds: readonly string[]) =>
  inOnePacket(db, async (db) => {
    const [registered, standing] = await Promise.all([
      ofSubscriptions(db, { subscriptionIds }),
      subscriptionRows(db, { ids: subscriptionIds }),
    ])
    const known = new Map(standing.map((row) => [row.id, row]))
    const found = inOrder(subscriptionIds, registered, ({ subscriptionId }) => subscriptionId)
    return found.map((row) => row && { ...row, known: known.get(row.subscriptionId) })
  }),
)

/** The payment methods that a customer's registrations under way name. */
export async function methodsNamed(db: Db, customerId: string): Promise<string[]> {
  const { rows } = await sql<{ method: string }>`
    select distinct w.input ->> 'paymentMethod' as method
    from registration r join workflow w on w.id = r.workflow_id
    where r.customer_id = ${customerId} and w.ended_at is null and w.input ->> 'paymentMethod' is not null`.execute(
    db,
  )
  return rows.map(({ method }) => method)
}

/** The payment methods that a customer's registrations brought, by Stripe's ids, however they were attached. */
export async function methodsBrought(db: Db, customerId: string): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    select s.result ->> 'id' as id
    from registration r join workflow_step s on s.workflow_id = r.workflow_id
    where r.customer_id = ${customerId} and s.name in ('attach payment method', 'await payment method')`.execute(
    db,
  )
  return new Set(rows.map(({ id }) => id))
}

export interface RegistrationFilter {
  readonly customer?: string | undefined
  readonly state?: RegistrationState | undefined
  readonly cause?: Cause | undefined
  readonly plan?: string | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export async function listRegistrations(
  db: Db,
  filter: RegistrationFilter,
): Promise<RegistrationWithSteps[]> {
  let query = registrations(db)
  if (filter.customer !== undefined) query = query.where('registration.customerId', '=', filter.customer)
  if (filter.state !== undefined) query = query.where(isIn(filter.state))
  if (filter.cause !== undefined) query = query.where('registration.cause', '=', filter.cause)
  if (filter.plan !== undefined) query = query.where('planVersion.planKey', '=', filter.plan)
  if (filter.after !== undefined) query = query.where('registration.id', '<', filter.after)
  const rows = await query.orderBy('registration.id', 'desc').limit(filter.limit).execute()
  return withSteps(rows, await stepsOf(db, { workflowIds: rows.map(({ workflowId }) => workflowId) }))
}

/** Those of a customer that are neither completed nor undone, oldest first. */
export function openRegistrations(
  db: Db,
  customerId: string,
): Promise<Pick<Registration, 'id' | 'workflowId'>[]> {
  return db
    .selectFrom('registration')
    .innerJoin('workflow', 'workflow.id', 'registration.workflowId')
    .select(['registration.id', 'registration.workflowId'])
    .where('registration.customerId', '=', customerId)
    .where('workflow.state', 'not in', ['completed', 'rolledBack'])
    .orderBy('registration.id')
    .execute()
}

const stepsOfIds = compiled((db, { ids }: { readonly ids: readonly string[] }) =>
  db
    .selectFrom('workflowStep')
    .innerJoin('registration', 'registration.workflowId', 'workflowStep.workflowId')
    .selectAll('workflowStep')
    .where(isOneOf('registration.id', ids))
    .orderBy('ordinal'),
)

const stepsOf = compiled((db, { workflowIds }: { readonly workflowIds: readonly string[] }) =>
  db.selectFrom('workflowStep').selectAll().where(isOneOf('workflow_id', workflowIds)).orderBy('ordinal'),
)

function withSteps(rows: readonly Registration[], steps: readonly WorkflowStep[]): RegistrationWithSteps[] {
  return rows.map((row) => ({
    ...row,
    steps: steps.filter(({ workflowId }) => workflowId === row.workflowId),
  }))
}

/** What a request may have made already, under its own name, and when it came. */
export async function arrive(
  db: Db,
  operation: string,
  came?: Came,
): Promise<{ readonly arrivedAt: Arrival; readonly registrationId: string | null }> {
  const { clock, registrationId } = await arrivals(db, operation)
  return { arrivedAt: arrivalOf(clock, came), registrationId }
}

const arrivals = grouped(async (db, operations: readonly string[]) => {
  const { rows } = await sql<{ clock: number; registrationId: string | null }>`
    select ${databaseClock} as clock, r.id as "registrationId"
    from ${given(sql`unnest(${operations}::text[]) with ordinality`, sql`asked (operation, ordinal)`)} as asked
      left join registration r on r.operation = asked.operation
    order by ordinal`.execute(db)
  if (rows.length < operations.length) throw new Error('The database does not know the time.')
  return rows
})

export interface SlotHolder {
  readonly registrationId: string | null
  readonly requestHash: string | null
  /** Its workflow was still running when the request came. */
  readonly wasRunning: boolean
  /** It is neither completed nor undone: one that is parked holds its place until a person has decided. */
  readonly isOpen: boolean
  readonly isParked: boolean
}

/** Who holds a slot, and whether the registration that reserved it ran when a request came. */
export async function slotHolder(
  db: Db | Trx,
  customerId: string,
  slot: string,
  arrivedAt: Arrival,
): Promise<SlotHolder | undefined> {
  const { rows } = await sql<SlotHolder>`
    select r.id as "registrationId", w.input ->> 'requestHash' as "requestHash",
      coalesce(${ranAt(arrivedAt)}, false) as "wasRunning",
      coalesce(w.state not in ('completed', 'rolledBack'), false) as "isOpen",
      coalesce(w.state = 'parked', false) as "isParked"
    from subscription_slot s
    left join subscription u on u.id = s.subscription_id
    left join registration r on r.subscription_id = s.subscription_id
    left join workflow w on w.id = r.workflow_id
    where s.customer_id = ${customerId} and s.slot = ${slot}
      and coalesce(u.status not in ('canceled', 'incomplete_expired'), true)`.execute(db)
  return rows[0]
}

/**
 * The registrations in the same words that had not ended when a request came, and were not undone. They may
 * have given their slot back by now: what they bought needs none.
 */
export async function findTwins(
  trx: Trx,
  wish: {
    readonly customerId: string
    readonly slot: string
    readonly requestHash: string
    readonly arrivedAt: Arrival
  },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select r.id from registration r join workflow w on w.id = r.workflow_id
    where r.customer_id = ${wish.customerId} and r.slot = ${wish.slot}
      and w.input ->> 'requestHash' = ${wish.requestHash} and w.state <> 'rolledBack'
      and ${ranAt(wish.arrivedAt)}`.execute(trx)
  return rows.map(({ id }) => id)
}

const insertRegistrations = insertRows('registration', [
  ...(['id', 'customerId', 'slot', 'planVersionId', 'addons', 'subscriptionId'] as const),
  ...(['workflowId', 'operation', 'purchase', 'requestOrigin', 'requestedBy', 'createdAt'] as const),
])

export const addRegistration = grouped(
  async (trx, registrations: readonly NewRegistration[]): Promise<undefined[]> => {
    const rows = registrations.map(({ at, addons, ...row }) => ({
      ...row,
      addons: [...addons],
      createdAt: sqlTime(at),
    }))
    await insertRegistrations(trx, rows)
    return registrations.map(() => undefined)
  },
)

type NewRegistration = Omit<Row<'registration'>, 'createdAt' | 'cause' | 'tax' | 'addons'> & {
  readonly addons: readonly AttachedAddon[]
  readonly at: Instant
}

export async function setCause(trx: Trx, workflowId: string, cause: Cause): Promise<void> {
  await trx.updateTable('registration').set({ cause }).where('workflowId', '=', workflowId).execute()
}

/** The registration that began a subscription looks once more, if it still waits. */
export async function wakeRegistration(trx: Trx, subscriptionId: string): Promise<void> {
  const registration = await trx
    .selectFrom('registration')
    .select('workflowId')
    .where('subscriptionId', '=', subscriptionId)
    .executeTakeFirst()
  if (registration) await wakeWorkflow(trx, registration.workflowId)
}

/** Workflows of a clock's customers for which something happened that they waited for. */
export async function wokenOn(db: Db, testClock: string): Promise<string[]> {
  const theirs = db
    .selectFrom('registration')
    .select(['customerId', 'workflowId'])
    .unionAll(db.selectFrom('planChange').select(['customerId', 'workflowId']))
  const rows = await db
    .selectFrom(theirs.as('begun'))
    .innerJoin('customer', 'customer.id', 'begun.customerId')
    .innerJoin('workflow', 'workflow.id', 'begun.workflowId')
    .select('workflow.id')
    .where('customer.testClockId', '=', testClock)
    .where('workflow.state', '=', 'running')
    .where('workflow.woken', '=', true)
    .execute()
  return rows.map(({ id }) => id)
}

/** What is known about the tax. Said again, it is the newer word. */
export async function setTax(db: Db, workflowId: string, tax: TaxAssessment): Promise<void> {
  await db
    .updateTable('registration')
    .set({ tax: JSON.stringify(tax) })
    .where('workflowId', '=', workflowId)
    .execute()
}
