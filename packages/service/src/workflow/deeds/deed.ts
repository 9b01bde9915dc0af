import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '@lockstep/core/instant'
import type { Asker } from '@lockstep/core/planned-end'
import { Problem } from '@lockstep/core/problem'
import { newId } from '../../ids.ts'
import type { Trx } from '../../postgres/connect.ts'
import { newHolder } from '../../postgres/presence.ts'
import { transaction } from '../../postgres/transaction.ts'
import { readApplying } from '../../store/plan-changes.ts'
import type { Row } from '../../store/schema.ts'
import {
  addDeed,
  type Deed,
  type DeedKind,
  deedUnderWay,
  endDeed,
  findDeed,
  joinDeed,
} from '../../store/subscription-deeds.ts'
import { addWorkflow, problemOf, readSteps } from '../../store/workflows.ts'
import type { Step, WorkflowKind } from '../journal.ts'
import type { LookDeps } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'
import { PATIENCE_SECONDS, type Workflows } from '../workflows.ts'

export interface DeedDeps extends LookDeps {
  readonly workflows: Workflows
}

/** Something that somebody wants done to a subscription. */
export interface DeedWish<I> {
  readonly subscriptionId: string
  /** What exactly: the same, wanted twice at once, is one deed. JSON. */
  readonly wanted: I
  readonly actor: string
  readonly asks: Asker
  readonly reason: string | null
  /** The idempotency operation of the request. */
  readonly operation: string
}

/** What the workflow of a deed is given. */
export interface DeedInput<I> {
  readonly deedId: string
  readonly subscriptionId: string
  readonly wanted: I
}

/** And by what it is carried out. */
export interface DeedRun<I> extends DeedInput<I> {
  readonly workflowId: string
}

export type Settled<R> =
  | { readonly state: 'done'; readonly deed: string; readonly result: R }
  /** It goes on by itself: the provider takes its time. */
  | { readonly state: 'running'; readonly deed: string }
  /** There was nothing to do. */
  | { readonly state: 'unchanged' }

const LAST_STEP = 'end deed'
const RETRY_SECONDS = 2
const isAtWork: ReadonlySet<string> = new Set(['running', 'compensating'])

/**
 * Does one thing to a subscription once, however often and by how many it is asked, and waits for it.
 * `choose` says what, while nobody else can change the subscription: null for nothing, or a refusal.
 */
export async function doDeed<I, R>(
  deps: DeedDeps,
  wish: DeedWish<I>,
  choose: (
    subscription: Row<'subscription'>,
    now: Instant,
    trx: Trx,
  ) => DeedKind | null | Promise<DeedKind | null>,
): Promise<Settled<R>> {
  const { db, clock, workflows } = deps
  const run = { id: newId('workflow'), holder: newHolder() }
  const deed = await transaction(db, async (trx) => {
    const subscription = await trx
      .selectFrom('subscription')
      .selectAll()
      .where('id', '=', wish.subscriptionId)
      .forUpdate()
      .executeTakeFirst()
    if (!subscription)
      throw new Problem('subscription_not_found', `There is no subscription ${wish.subscriptionId}.`)
    const again = await findDeed(trx, wish.operation)
    if (again) return again
    const other = await deedUnderWay(trx, subscription.id)
    if (other) return joinOrRefuse(trx, other, wish, clock.now())
    const change = await readApplying(trx, subscription.id)
    // One that waits for its customer or for a person is held back, and keeps nobody else from anything.
    if (change && isAtWork.has(change.workflowState)) throw isChanging()
    const at = await customerTime(trx, clock, subscription.customerId)
    const kind = await choose(subscription, at, trx)
    return kind && begin(trx, wish, { kind, customerId: subscription.customerId, at, run })
  })
  if (deed === null) return { state: 'unchanged' }
  if (deed.workflowId === run.id) workflows.begin(run.id, run.holder)
  return settled(deps, deed)
}

/** Two who want the very same at once get it once; anything else waits for its turn. */
async function joinOrRefuse(trx: Trx, other: Deed, wish: DeedWish<unknown>, at: Instant): Promise<Deed> {
  if (!isDeepStrictEqual(other.input, JSON.parse(JSON.stringify(wish.wanted)))) throw isChanging()
  await joinDeed(trx, other, { ...wish, at })
  return other
}

/** Two at once would each go by what the other is about to change. */
export function isChanging(): Problem {
  const detail = 'Something else is being done to this subscription at this moment.'
  return new Problem('subscription_changing', detail, { retryAfterSeconds: RETRY_SECONDS })
}

interface Beginning {
  readonly kind: DeedKind
  readonly customerId: string
  readonly at: Instant
  readonly run: { readonly id: string; readonly holder: string }
}

async function begin<I>(
  trx: Trx,
  { subscriptionId, wanted, actor, reason, operation }: DeedWish<I>,
  { kind, customerId, at, run }: Beginning,
): Promise<Pick<Deed, 'id' | 'workflowId'>> {
  const id = newId('deed')
  const input: DeedInput<I> = { deedId: id, subscriptionId, wanted }
  await addWorkflow(trx, { ...run, kind: workflowOf(kind), subjectId: id, input, at })
  const deed = { id, customerId, subscriptionId, kind, input: wanted, actor, reason, operation }
  await addDeed(trx, { ...deed, workflowId: run.id, at })
  return { id, workflowId: run.id }
}

/** How a deed ended, if it has: a refusal is thrown as it was met. */
async function settled<R>(
  { db, workflows }: DeedDeps,
  { id, workflowId }: Pick<Deed, 'id' | 'workflowId'>,
): Promise<Settled<R>> {
  const { state, problem } = await workflows.settled(workflowId, PATIENCE_SECONDS)
  if (state === 'completed') {
    const last = (await readSteps(db, workflowId)).find(({ name }) => name === LAST_STEP)
    return { state: 'done', deed: id, result: last?.result as R }
  }
  if (state !== 'rolledBack') return { state: 'running', deed: id }
  throw problemOf(problem) ?? new Error(`${id} was undone for no recorded reason.`)
}

const workflowOf = (kind: DeedKind) => `subscription-${kind}`

/**
 * The workflow of a kind of deed. Whatever fails for a while is tried again without an end, because
 * what was begun at the provider has to be brought to its end by somebody; a refusal ends it.
 */
export function deedKind<I, R>(
  { db, clock }: LookDeps,
  kind: DeedKind,
  run: (step: Step, input: DeedRun<I>) => Promise<R>,
): WorkflowKind {
  return {
    kind: workflowOf(kind),
    neverParked: true,
    async run(step, { id: workflowId, input }) {
      const given = { ...(input as DeedInput<I>), workflowId }
      const result = await run(step, given)
      await step(LAST_STEP, async () => {
        await endDeed(db, given.deedId, clock.now())
        return result
      })
    },
    rolledBack: (trx, { input }) => endDeed(trx, (input as DeedInput<I>).deedId, clock.now()),
  }
}
